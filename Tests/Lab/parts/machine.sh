# shellcheck shell=bash
# What the lab needs of this machine and changes in it: tools, shared settings, the network, cgroups.

# --- this machine -----------------------------------------------------------------------------------------------------

require_root() { [[ $EUID == 0 ]] || unable "needs root to start hosts (you are uid $EUID)"; }

install_tools() {
    local missing=() entry
    for entry in debootstrap:debootstrap systemd-nspawn:systemd-container iptables:iptables ip:iproute2 \
        ssh:openssh-client flock:util-linux; do
        command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || unable "needs ${missing[*]}, and there is no apt-get to install them"
    say "installing ${missing[*]}"
    { apt-get -qq update \
        && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "${missing[@]}"; } \
        </dev/null >&2 || unable "needs ${missing[*]}, and apt-get could not install them"
}

# What a host needs from the kernel, tried in a mount and network namespace that vanish with the try.
probe_machine() {
    grep -qw overlay /proc/filesystems || unable "the kernel has no overlay file system"
    mkdir -p "$LAB"
    local try reason
    try=$(mktemp -d "$LAB/.probe.XXXXXX")
    mkdir -p "$try"/{lower,upper,work,root}
    # shellcheck disable=SC2016 # expanded by the inner shell
    reason=$(unshare --mount --net --pid --fork bash -c '
        mount -t overlay overlay -o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" "$0/root" || exit 1
        ip link add b0 type bridge && ip link add v0 type veth peer name v1 && iptables -t nat -L >/dev/null
    ' "$try" 2>&1) || reason="refused: ${reason##*$'\n'}"
    rm -rf --one-file-system "$try"
    [[ $reason != refused:* ]] \
        || unable "this machine does not allow overlay mounts, network namespaces or NAT (${reason#refused: })"
}

lacks_sys_resource() {
    local bounding
    bounding=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
    ((!(16#$bounding >> 24 & 1)))
}

lock_lab() {
    mkdir -p "$HOSTS"
    exec 9>"$LAB/lock"
    flock -n 9 && return
    say "waiting for another lab command"
    flock -w 900 9 || fail "another lab command holds $LAB/lock for 15 minutes"
}

# Settings that belong to the whole machine: the first lab saves and sets them, the last one puts them back.
share_settings() {
    mkdir -p "$SHARED"
    (
        flock 8
        touch "$SHARED/user-$ID"
        share_setting net/ipv4/ip_forward 1
        share_setting fs/inotify/max_user_instances 4096
    ) 8>"$SHARED/lock"
}

share_setting() {
    local saved=$SHARED/setting-${1//\//,} now
    now=$(<"/proc/sys/$1")
    ((now < $2)) || return 0
    [[ -e $saved ]] || echo "$now" >"$saved"
    echo "$2" >"/proc/sys/$1"
}

unshare_settings() {
    [[ -e $SHARED/user-$ID ]] || return 0
    (
        flock 8
        rm -f "$SHARED/user-$ID"
        local others=("$SHARED"/user-*) saved key
        ((${#others[@]} == 0)) || exit 0
        for saved in "$SHARED"/setting-*; do
            key=${saved#"$SHARED"/setting-}
            cat "$saved" >"/proc/sys/${key//,//}"
            rm -f "$saved"
        done
        rm -rf "$SHARED"
    ) 8>"$SHARED/lock"
}

# --- network ----------------------------------------------------------------------------------------------------------

network_prefix() { local net; net=$(<"$LAB/network"); echo "${net%.*}"; }

network_up() {
    local net=${GANTRY_LAB_NET:-$DEFAULT_NET}
    if [[ -e $LAB/network ]]; then
        net=$(<"$LAB/network")
        [[ ${GANTRY_LAB_NET:-$net} == "$net" ]] \
            || fail "this lab's network is $net until 'lab down': GANTRY_LAB_NET differs"
    fi
    [[ $net =~ ^([0-9]{1,3}\.){3}0/24$ ]] || misuse "GANTRY_LAB_NET must be a /24 such as $DEFAULT_NET, not '$net'"
    if ! ip link show "$BRIDGE" >/dev/null 2>&1; then
        [[ -z $(ip route show exact "$net") ]] \
            || fail "the network $net is in use on this machine: choose another with GANTRY_LAB_NET"
        # Recorded first, so that `lab down` finds it whatever happens.
        echo "$net" >"$LAB/network"
        ip link add "$BRIDGE" type bridge || unable "this machine does not allow making a bridge"
        ip address add "${net%.*}.1/24" dev "$BRIDGE"
        ip link set "$BRIDGE" up
    fi
    [[ -e $LAB/network ]] || fail "there is an interface $BRIDGE that this lab did not make"
    share_settings
    iptables -w -t nat -C POSTROUTING -s "$net" ! -o "$BRIDGE" -j MASQUERADE 2>/dev/null \
        || iptables -w -t nat -A POSTROUTING -s "$net" ! -o "$BRIDGE" -j MASQUERADE
    ! iptables -w -S FORWARD 2>/dev/null | grep -qx -e '-P FORWARD DROP' \
        || say "this machine's FORWARD policy is DROP: hosts may not reach the mirror"
}

network_down() {
    [[ -e $LAB/network ]] || return 0
    local net
    net=$(<"$LAB/network")
    while iptables -w -t nat -D POSTROUTING -s "$net" ! -o "$BRIDGE" -j MASQUERADE 2>/dev/null; do :; done
    ip link delete "$BRIDGE" 2>/dev/null || true
    unshare_settings
    rm -f "$LAB/network"
}

# A host's network is made anew at every boot, as a machine's is: no rule and no interface outlives a reboot.
attach_network() {
    local address net mac
    address=$(<"$HOSTS/$1/address")
    net=gl$ID-${address##*.}
    detach_network "$1"
    ip netns add "$net"
    # Always the same hardware address, or the neighbours would go on asking for the one before the reboot.
    mac=$(printf '02:%s:%s:%s:%02x:01' "${ID:0:2}" "${ID:2:2}" "0${ID:4:1}" "${address##*.}")
    ip link add "$net" type veth peer name host0 address "$mac" netns "$net"
    ip link set "$net" master "$BRIDGE" up
    ip -n "$net" -batch - <<BATCH
link set lo up
address add $address/24 dev host0
link set host0 up
route add default via ${address%.*}.1
BATCH
}

detach_network() {
    local address net
    address=$(<"$HOSTS/$1/address")
    net=gl$ID-${address##*.}
    ip link delete "$net" 2>/dev/null || true
    [[ ! -e /run/netns/$net ]] || ip netns delete "$net"
}

# --- cgroups ----------------------------------------------------------------------------------------------------------

cgroup_mounts() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts; }

cgroup_branches() {
    local mount
    for mount in $(cgroup_mounts); do
        [[ ! -d $mount/gantry-lab-$ID-$1 ]] || echo "$mount/gantry-lab-$ID-$1"
    done
}

# Moves this shell into a branch of its own in every hierarchy; the host sees that branch as the root.
enter_cgroups() {
    local mount branch file
    for mount in $(cgroup_mounts); do
        branch=$mount/gantry-lab-$ID-$1
        mkdir -p "$branch"
        for file in cpuset.cpus cpuset.mems; do
            # Version 1 refuses processes until both are set; in version 2 they are inherited.
            [[ ! -e $mount/$file || -e $mount/cgroup.controllers ]] || cat "$mount/$file" >"$branch/$file"
        done
        echo "$BASHPID" >"$branch/cgroup.procs"
    done
}

remove_cgroups() {
    local branch
    for branch in $(cgroup_branches "$1"); do
        find "$branch" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
}

host_processes() {
    local branch
    for branch in $(cgroup_branches "$1"); do
        find "$branch" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    done | sort -un
}

kill_host_processes() {
    local pids
    for _ in {1..100}; do
        mapfile -t pids < <(host_processes "$1")
        ((${#pids[@]})) || return 0
        kill -KILL "${pids[@]}" 2>/dev/null || true
        sleep 0.05
    done
    say "$1: processes ${pids[*]} do not end"
    return 1
}
