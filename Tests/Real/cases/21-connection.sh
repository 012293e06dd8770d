# shellcheck shell=bash
# ways to a host: ssh, openssh, local, a jump host, passwords; host keys that are unknown or changed
known=$GANTRY_LAB/known_hosts
key=$GANTRY_LAB/id_ed25519
one=$(address node-1) two=$(address node-2) ops=$(address ops-1)
password=$(cat "$GANTRY_LAB/hosts/ops-1/password")
via='echo $SSH_CONNECTION'

adhoc node-1 -m shell -a "$via"
check 'ssh' says "$GATE "
adhoc node-1 -c openssh -m shell -a "$via"
check 'openssh' says "$GATE " 'rc=0'
gantry run localhost -m shell -a 'hostname'
check 'local' says "$(hostname)"
adhoc 'node-*' -- hostname
check 'three hosts at once' says node-1 node-2 node-3

# --- a jump host: host 2 sees host 1, not this machine
cat >config <<TEXT
Host *
  User root
  IdentityFile $key
  IdentitiesOnly yes
  UserKnownHostsFile $known
TEXT
args="-F $PWD/config -o StrictHostKeyChecking=yes"
adhoc node-2 -m shell -a "$via" -e "ansible_ssh_common_args='$args -J $one'"
check 'jump host by -J' says "$one "
adhoc node-2 -m shell -a "$via" -e "ansible_ssh_common_args='$args -o ProxyJump=root@$one:22'"
check 'jump host by ProxyJump' says "$one "
adhoc node-2 -c openssh -m shell -a "$via" -e "ansible_ssh_common_args='$args -J $one'"
check 'jump host by openssh' says "$one "
printf 'Host %s\n  ProxyJump %s\n' "$two" "$one" >>config
adhoc node-2 -m shell -a "$via" -e "ansible_ssh_common_args='$args'"
check 'jump host from the configuration' says "$one "
adhoc node-2 -m ping -e "ansible_ssh_common_args='$args -J $GATE:9'" -T 5
check 'jump host that refuses: status 4' ended 4
check 'jump host that refuses: says which' says UNREACHABLE "$GATE"

# --- host keys
plain="-o IdentitiesOnly=yes -o StrictHostKeyChecking=yes"
: >empty
adhoc node-1 -m ping -e "ansible_ssh_common_args='$plain -o UserKnownHostsFile=$PWD/empty'"
check 'unknown host key: status 4' ended 4
check 'unknown host key: says what and why' says "$one" 'SHA256:' known_hosts
check 'unknown host key: nothing was written' same "$(cat empty)" ''
{ echo '# a comment'; sed -n "s/^$two[^ ]* /$one /p" "$known"; } >wrong
line=$(grep -n ed25519 wrong | cut -d: -f1)
adhoc node-1 -m ping -e "ansible_ssh_common_args='$plain -o UserKnownHostsFile=$PWD/wrong'"
check 'changed host key: status 4' ended 4
check 'changed host key: says place, both keys and the way out' says "host key of $one:22 does not match $PWD/wrong:$line" \
    expected 'received' "ssh-keygen" "-R $one"
ssh-keygen -q -H -f wrong >/dev/null 2>&1
adhoc node-1 -m ping -e "ansible_ssh_common_args='$plain -o UserKnownHostsFile=$PWD/wrong'"
check 'changed host key, hashed names' says "does not match $PWD/wrong:$line"
adhoc node-1 -m ping -e "ansible_ssh_common_args='-o IdentitiesOnly=yes -o UserKnownHostsFile=$PWD/empty -o StrictHostKeyChecking=accept-new'"
check 'accept-new takes an unknown key' ended 0
check 'and keeps it' grep -q "$one" empty
adhoc node-1 -m ping -e "ansible_ssh_common_args='$plain -o UserKnownHostsFile=$PWD/empty'"
check 'which is good for the next time' ended 0
ANSIBLE_HOST_KEY_CHECKING=false adhoc node-1 -m ping -e "ansible_ssh_common_args='-o UserKnownHostsFile=$PWD/wrong'"
check 'host_key_checking=false checks nothing' ended 0
check 'and says so' says 'host key'

# --- passwords
cat >password.yml <<YAML
all:
  hosts:
    ops: {ansible_host: $ops, ansible_user: ops, ansible_password: "$password", ansible_ssh_common_args: "-F none -o PubkeyAuthentication=no -o UserKnownHostsFile=$known"}
YAML
login() { env -u SSH_AUTH_SOCK HOME="$PWD" "$GANTRY" run -i password.yml ops "$@" </dev/null 2>&1; }
methods() {
    on ops-1 "echo '$password' | sudo -S -p '' sh -c 'printf \"PasswordAuthentication $1\nKbdInteractiveAuthentication $2\nUsePAM yes\n\" >/etc/ssh/sshd_config.d/00-lab.conf; systemctl reload ssh'" 2>/dev/null
    sleep 0.5
}
methods yes no
OUT=$(login -m ping) STATUS=$?
check 'log-in by password' ended 0
methods no yes
OUT=$(login -m ping) STATUS=$?
check 'log-in by keyboard-interactive' ended 0
OUT=$(login -m ping -e ansible_password=not-the-one) STATUS=$?
check 'wrong password: status 4' ended 4
check 'wrong password: says what was tried, not the password' says UNREACHABLE ops
check 'wrong password: not shown' silent not-the-one "$password"
methods yes no

# --- nobody there
adhoc node-1 -m ping -e ansible_port=9
check 'refused: status 4' ended 4
check 'refused: says so' says UNREACHABLE "$one" refused
adhoc node-1 -m ping -e "ansible_host=${GANTRY_LAB_NET%.*}.250" -T 3
check 'no host there: status 4' ended 4
adhoc node-1 -m ping -u nosuchuser -e ansible_user=nosuchuser
check 'wrong user: status 4' ended 4
check 'wrong user: says which' says nosuchuser
fresh ops-1
