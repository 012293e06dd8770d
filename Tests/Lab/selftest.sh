#!/bin/bash
# shellcheck disable=SC2009,SC2016 # ps is for people to read; what is in single quotes is for the hosts' shells
#
# Runs a lab of its own through everything it promises, and looks for what it leaves behind. Needs root; 2 to 5 minutes.
set -uo pipefail
cd "$(dirname "$0")" || exit 1

export GANTRY_LAB=${GANTRY_LAB:-/var/lib/gantry-lab-selftest}
export GANTRY_LAB_NET=${GANTRY_LAB_NET:-10.97.0.0/24}
FAILURES=0
BEGAN=$SECONDS

lab() { timeout 300 ./lab "$@"; }
on() { timeout 120 ./lab exec "$@"; }

# check TEXT COMMAND…: the command must succeed.
check() {
    local text=$1 began=$SECONDS output
    shift
    if output=$("$@" 2>&1); then
        printf 'ok    %s (%d s)\n' "$text" $((SECONDS - began))
    else
        printf 'FAIL  %s\n' "$text"
        printf '%s\n' "$output" | tail -n 15 | sed 's/^/      /'
        FAILURES=$((FAILURES + 1))
    fi
}

refused() { ! "$@"; }

everywhere() {
    local host jobs=() status=0 job
    local hosts=$1
    shift
    for host in $hosts; do on "$host" "$@" & jobs+=($!); done
    for job in "${jobs[@]}"; do wait "$job" || status=1; done
    return $status
}

# Everything on this machine that carries the lab's mark.
traces() {
    local id
    id=$(./lab _id)
    grep -F " $GANTRY_LAB/" /proc/self/mountinfo
    ip -o link | grep -F "gl$id"
    ip netns list | grep -F "gl$id"
    iptables-save | grep -F "gl$id"
    find /sys/fs/cgroup -maxdepth 3 -name "gantry-lab-$id*"
    find /run/gantry-lab -name "*$id*" 2>/dev/null
    ps -eo pid,args | grep -F "$GANTRY_LAB/" | grep -vF 'grep -F'
    true
}

no_traces() { local found; found=$(traces); [[ -z $found ]] || { echo "$found"; return 1; }; }

shows_exit() {
    local expected=$1 output status=0
    shift
    output=$("$@" 2>&1) || status=$?
    echo "status $status: $output"
    [[ $status == "$expected" && $(wc -l <<<"$output") == 1 ]]
}

boot_id() { on "$1" 'cat /proc/sys/kernel/random/boot_id'; }

# `up` may find the host still going down, and sshd still there: asked again, it must be up for good.
is_started_again() {
    lab up 3 && sleep 3 && lab up 3 && on "$1" true
}

reboots() {
    local before after=''
    before=$(boot_id "$1") || return 1
    on "$1" 'systemctl reboot' || true
    for _ in {1..60}; do
        after=$(timeout 5 ./lab exec "$1" 'cat /proc/sys/kernel/random/boot_id' 2>/dev/null)
        [[ -n $after && $after != "$before" ]] && return 0
        sleep 0.5
    done
    echo "boot id before '$before', after '$after'"
    return 1
}

wrong_key() {
    # The address of the first host with the key of the second.
    local address file status
    address=$(ansible_host node-1)
    file=$(mktemp)
    sed -n "s/^[^ ]*,node-2 /$address /p" "$GANTRY_LAB/known_hosts" >"$file"
    ssh -F /dev/null -i "$GANTRY_LAB/id_ed25519" -o BatchMode=yes -o StrictHostKeyChecking=yes \
        -o UserKnownHostsFile="$file" -o GlobalKnownHostsFile=/dev/null "root@$address" true
    status=$?
    rm -f "$file"
    [[ $status == 255 ]]
}

ansible_host() {
    ./lab inventory | awk -v host="$1:" '$1 == host { found = 1 } found && $1 == "ansible_host:" { print $2; exit }'
}

password() { ./lab inventory | sed -n 's/.*ansible_become_password: "\(.*\)"/\1/p'; }

log_in_as() {
    local user=$1 host=$2
    shift 2
    ssh -F /dev/null -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$GANTRY_LAB/known_hosts" -o ConnectTimeout=5 \
        -o NumberOfPasswordPrompts=1 "$@" "$user@$(ansible_host "$host")" true
}

by_password() {
    local ask status
    ask=$(mktemp)
    printf '#!/bin/sh\necho %s\n' "$2" >"$ask"
    chmod 700 "$ask"
    SSH_ASKPASS=$ask SSH_ASKPASS_REQUIRE=force log_in_as "$1" ops-1 -o PreferredAuthentications=password </dev/null
    status=$?
    rm -f "$ask"
    return $status
}

INSTALL='apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install docker.io iptables busybox-static'
CONTAINER='mkdir -p /tmp/image/bin && cp /bin/busybox /tmp/image/bin/ && ln -sf busybox /tmp/image/bin/sh \
    && tar -C /tmp/image -c . | docker import - busybox >/dev/null \
    && [ "$(docker run --rm busybox /bin/busybox echo contained)" = contained ] \
    && [ "$(docker info --format "{{.Driver}}")" = overlay2 ]'
LIMITED='limit=$(docker run --rm -m 64m -v /sys/fs/cgroup:/cg:ro busybox /bin/busybox sh -c \
    "/bin/busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"); \
    echo "$limit"; [ "$limit" = 67108864 ]'

test_hosts() {
    check 'three hosts come up' lab up 3
    local id
    id=$(boot_id node-2)
    check 'up again changes nothing' lab up 3
    check 'the running host was left alone' test "$id" = "$(boot_id node-2)"
    check 'exact arguments arrive' test "$(on node-1 printf '%s|' 'a b' "c'd" '$HOME')" = "a b|c'd|\$HOME|"
    check "systemd is PID 1 and has no failed unit" on node-1 \
        '[ "$(cat /proc/1/comm)" = systemd ] && systemctl is-system-running --wait'
    check 'there is no Python' on node-1 '! command -v python3'
    check 'host keys are checked' wrong_key
    check 'hosts reach each other' on node-1 "bash -c 'exec 3<>/dev/tcp/$(ansible_host node-3)/22'"
    check 'each host has processes of its own only' on node-1 \
        '[ "$(pgrep -c sshd)" -lt 6 ] && [ "$(hostname)" = node-1 ]'
}

test_docker() {
    local hosts='node-1 node-2 node-3'
    check 'docker.io is installed on three hosts at once' everywhere "$hosts" "$INSTALL"
    check 'a container runs on each, on overlay2' everywhere "$hosts" "$CONTAINER"
    check 'its memory limit is set' on node-1 "$LIMITED"
    check 'a host reboots' reboots node-1
    check 'its image is still there, and Docker runs' on node-1 'docker run --rm busybox /bin/busybox true'
    local key
    key=$(on node-2 'cat /etc/ssh/ssh_host_ed25519_key.pub')
    check 'three hosts are reset' lab reset node-1 node-2 node-3
    check 'nothing is left of Docker' on node-2 \
        '[ ! -e /usr/bin/docker ] && [ -z "$(ls /var/lib/docker)" ] && [ ! -e /tmp/image ]'
    check 'the host key is the same' test "$key" = "$(on node-2 'cat /etc/ssh/ssh_host_ed25519_key.pub')"
    check 'docker.io is installed again, with no download' everywhere "$hosts" \
        "($INSTALL) >/tmp/out 2>&1; grep -q '^Need to get 0 B/' /tmp/out || { tail -n 5 /tmp/out; false; }"
    check 'a container runs again on each' everywhere "$hosts" "$CONTAINER"
}

test_kinds() {
    check 'a bullseye host comes up' lab up 1 --release bullseye --prefix old
    check 'it is bullseye, with no failed unit' on old-1 \
        'grep -q ^11 /etc/debian_version && systemctl is-system-running --wait'
    check 'a trixie host comes up' lab up 1 --release trixie --prefix new
    check 'it is trixie, with no failed unit' on new-1 \
        'grep -q ^13 /etc/debian_version && systemctl is-system-running --wait'
    check 'apt works on both' everywhere 'old-1 new-1' 'apt-get -q update 2>&1 | tee /dev/stderr | grep -q Fetched'
    check 'a host with a sudo password comes up' lab up 1 --prefix ops --sudo-password
    check 'ops logs in by key' on ops-1 '[ "$(id -un)" = ops ]'
    check 'ops logs in by password' by_password ops "$(password)"
    check 'a wrong password is refused' refused by_password ops wrong
    check 'root is refused' refused log_in_as root ops-1 -o BatchMode=yes -i "$GANTRY_LAB/id_ed25519"
    check 'sudo wants the password' refused on ops-1 'sudo -n true'
    check 'sudo takes the password' on ops-1 "echo $(password) | sudo -S -p '' id -u | grep -qx 0"
    check 'a host of another kind is not taken for it' shows_exit 1 ./lab up 1 --prefix old
}

test_trouble() {
    local parent
    read -r parent _ <"$GANTRY_LAB/hosts/node-3/pid"
    kill -KILL "$parent"
    check 'a host whose parent was killed is mended' lab up 3
    check 'it answers, with what it had' on node-3 'command -v docker'
    on node-2 'systemctl poweroff' || true
    check 'a host that was powered off is started again' is_started_again node-2
    check 'two commands at once both succeed' both lab reset node-1 -- lab up 4
    check 'wrong usage is said in two lines' refused lab up many
    # `lab` itself may lie where nobody else can read it.
    local copy
    copy=$(mktemp -d)
    cp -r lab labrunc parts "$copy" && chmod -R a+rX "$copy"
    check 'without root, one line and status 3' shows_exit 3 \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$copy/lab" up 1
    rm -rf "$copy"
}

both() {
    local first=() job status=0
    while [[ $1 != -- ]]; do first+=("$1"); shift; done
    shift
    "${first[@]}" &
    job=$!
    "$@" || status=1
    wait "$job" || status=1
    return $status
}

test_end() {
    read -r parent _ <"$GANTRY_LAB/hosts/node-1/pid"
    kill -KILL "$parent"
    check 'one host is removed' lab down node-4
    check 'the others still run' on node-3 true
    check 'all are removed' lab down
    check 'nothing is left behind' no_traces
    check 'down once more is no error' lab down
    check 'up after down, from the cache' lab up 1
    check 'removed again' lab down
    check 'nothing is left behind' no_traces
}

main() {
    [[ $EUID == 0 ]] || { echo 'selftest: needs root' >&2; exit 3; }
    [[ -z $(./lab list) ]] \
        || { echo "selftest: $GANTRY_LAB has hosts: choose another folder, or 'lab down' first" >&2; exit 2; }
    trap 'lab down' EXIT
    local part
    (($#)) || set -- hosts docker kinds trouble end
    for part in "$@"; do "test_$part"; done
    printf '%d failed, %d s\n' "$FAILURES" $((SECONDS - BEGAN))
    ((FAILURES == 0))
}

main "$@"
