# shellcheck shell=bash
# ways to a host: ssh, openssh, local, a jump host; host keys that are unknown or changed; nobody there
hosts way 2
known=$GANTRY_LAB/known_hosts
key=$GANTRY_LAB/id_ed25519
one=$(address way-1) two=$(address way-2)
via='echo $SSH_CONNECTION'

adhoc way-1 -m shell -a "$via"
check 'ssh' says "$GATE "
adhoc way-1 -c openssh -m shell -a "$via"
check 'openssh' says "$GATE " 'rc=0'
gantry run localhost -m shell -a 'hostname'
check 'local' says "$(hostname)"
adhoc 'way-*' -- hostname
check 'hosts at once' says way-1 way-2

# --- a jump host: host 2 sees host 1, not this machine
cat >config <<TEXT
Host *
  User root
  IdentityFile $key
  IdentitiesOnly yes
  UserKnownHostsFile $known
TEXT
args="-F $PWD/config -o StrictHostKeyChecking=yes"
adhoc way-2 -m shell -a "$via" -e "ansible_ssh_common_args='$args -J $one'"
check 'jump host by -J' says "$one "
adhoc way-2 -m shell -a "$via" -e "ansible_ssh_common_args='$args -o ProxyJump=root@$one:22'"
check 'jump host by ProxyJump' says "$one "
adhoc way-2 -c openssh -m shell -a "$via" -e "ansible_ssh_common_args='$args -J $one'"
check 'jump host by openssh' says "$one "
printf 'Host %s\n  ProxyJump %s\n' "$two" "$one" >>config
adhoc way-2 -m shell -a "$via" -e "ansible_ssh_common_args='$args'"
check 'jump host from the configuration' says "$one "
adhoc way-2 -m ping -e "ansible_ssh_common_args='$args -J $GATE:9'" -T 5
check 'jump host that refuses: status 4' ended 4
check 'jump host that refuses: says which' says UNREACHABLE "$GATE"

# --- host keys
plain="-o IdentitiesOnly=yes -o StrictHostKeyChecking=yes"
: >empty
adhoc way-1 -m ping -e "ansible_ssh_common_args='$plain -o UserKnownHostsFile=$PWD/empty'"
check 'unknown host key: status 4' ended 4
check 'unknown host key: says what and why' says "$one" 'SHA256:' known_hosts
check 'unknown host key: nothing was written' same "$(cat empty)" ''
{ echo '# a comment'; sed -n "s/^$two[^ ]* /$one /p" "$known"; } >wrong
line=$(grep -n ed25519 wrong | cut -d: -f1)
adhoc way-1 -m ping -e "ansible_ssh_common_args='$plain -o UserKnownHostsFile=$PWD/wrong'"
check 'changed host key: status 4' ended 4
check 'changed host key: says place, both keys and the way out' says "host key of $one:22 does not match $PWD/wrong:$line" \
    expected 'received' "ssh-keygen" "-R $one"
ssh-keygen -q -H -f wrong >/dev/null 2>&1
adhoc way-1 -m ping -e "ansible_ssh_common_args='$plain -o UserKnownHostsFile=$PWD/wrong'"
check 'changed host key, hashed names' says "does not match $PWD/wrong:$line"
adhoc way-1 -m ping -e "ansible_ssh_common_args='-o IdentitiesOnly=yes -o UserKnownHostsFile=$PWD/empty -o StrictHostKeyChecking=accept-new'"
check 'accept-new takes an unknown key' ended 0
check 'and keeps it' grep -q "$one" empty
adhoc way-1 -m ping -e "ansible_ssh_common_args='$plain -o UserKnownHostsFile=$PWD/empty'"
check 'which is good for the next time' ended 0
ANSIBLE_HOST_KEY_CHECKING=false adhoc way-1 -m ping -e "ansible_ssh_common_args='-o UserKnownHostsFile=$PWD/wrong'"
check 'host_key_checking=false checks nothing' ended 0
check 'and says so' says 'host key'

# --- nobody there
adhoc way-1 -m ping -e ansible_port=9
check 'refused: status 4' ended 4
check 'refused: says so' says UNREACHABLE "$one" refused
adhoc way-1 -m ping -e "ansible_host=${GANTRY_LAB_NET%.*}.250" -T 3
check 'no host there: status 4' ended 4
adhoc way-1 -m ping -u nosuchuser -e ansible_user=nosuchuser
check 'wrong user: status 4' ended 4
check 'wrong user: says which' says nosuchuser

OUT=$(unshare -n "$GANTRY" run -i "$HOSTS" way-1 -m ping 2>&1) STATUS=$?
check 'no route: status 4' ended 4
check 'no route: says so' says UNREACHABLE "$one" 'etwork is unreachable'
# For a while the host hears us and its answers get lost.
on way-1 "nohup sh -c 'sleep 1; ip route add blackhole $GATE/32; sleep 9; ip route del blackhole $GATE/32' >/dev/null 2>&1 &"
sleep 1.5
adhoc way-1 -m ping -T 2
check 'timeout: status 4' ended 4
check 'timeout: says how long' says UNREACHABLE "$one" '2 s'
check 'timeout: it is reached again' waits 30 holds way-1 true
