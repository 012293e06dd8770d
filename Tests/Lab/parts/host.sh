# shellcheck shell=bash
# One host: its record, its files, its life.

host_names() {
    local directory
    for directory in "$HOSTS"/*/; do basename "$directory"; done | sort -V
}

require_host() {
    [[ -n ${1:-} ]] || misuse "which host?"
    [[ $1 != */* && -d $HOSTS/$1 ]] || fail "there is no host '$1' (hosts: $(host_names | xargs))"
}

start_time() { awk '{ sub(".*\\) ", ""); print $20 }' "/proc/$1/stat" 2>/dev/null || true; }

# A process is ours only while its start time is the recorded one too: numbers are used again.
host_running() {
    local pid started
    read -r pid started 2>/dev/null <"$HOSTS/$1/pid" || return 1
    [[ -n $started && $(start_time "$pid") == "$started" ]]
}

# The host's PID 1 as this machine sees it: in exactly one PID namespace below ours, and first there.
host_init() {
    local pid
    for pid in $(host_processes "$1"); do
        grep -qE "^NSpid:[[:space:]]+${pid}[[:space:]]+1\$" "/proc/$pid/status" 2>/dev/null && echo "$pid" && return
    done
}

free_address() {
    local prefix last
    prefix=$(network_prefix)
    for last in {11..254} {2..10}; do
        grep -qx "$prefix.$last" "$HOSTS"/*/address /dev/null || { echo "$prefix.$last"; return; }
    done
    fail "all addresses of $prefix.0/24 are taken"
}

# The record appears complete or not at all, and before anything of the host exists.
record_host() {
    local name=$1 prefix=${1%-*} release=$2 python=$3 login=$4 new=$HOSTS/.$1.new kind
    rm -rf --one-file-system "$new"
    mkdir -p "$new/keys"
    free_address >"$new/address"
    echo "$release" >"$new/release"
    echo "$python" >"$new/python"
    echo "$login" >"$new/login"
    echo "$prefix" >"$new/prefix"
    [[ $login == root ]] || (umask 077 && od -An -N 9 -tx1 /dev/urandom | tr -d ' \n' >"$new/password")
    for kind in ed25519 ecdsa; do ssh-keygen -q -t $kind -N '' -C "$name" -f "$new/keys/ssh_host_${kind}_key"; done
    mv "$new" "$HOSTS/$name"
}

write_known_hosts() {
    local name key
    for name in $(host_names); do
        for key in "$HOSTS/$name"/keys/*.pub; do
            echo "$(<"$HOSTS/$name/address"),$name $(cut -d ' ' -f 1,2 "$key")"
        done
    done >"$LAB/known_hosts.new"
    mv "$LAB/known_hosts.new" "$LAB/known_hosts"
}

mount_host() {
    local directory=$HOSTS/$1 release lower
    mountpoint -q "$directory/root" && return
    release=$(<"$directory/release")
    lower=$LAB/base-$release
    [[ $(<"$directory/python") == no ]] || lower=$LAB/base-$release.python:$lower
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$directory/upper,workdir=$directory/work" "$directory/root"
}

unmount_host() {
    local root=$HOSTS/$1/root
    for _ in {1..20}; do
        mountpoint -q "$root" || return 0
        umount "$root" 2>/dev/null || sleep 0.1
    done
    umount -l "$root"
}

wipe_host() {
    local directory=$HOSTS/$1
    ! grep -q " $directory/" /proc/self/mountinfo || fail "something is still mounted below $directory"
    rm -rf --one-file-system "$directory"/{upper,work,root,docker,containerd,made,pid,stop}
}

fresh_host() {
    local directory=$HOSTS/$1
    unmount_host "$1"
    wipe_host "$1"
    mkdir -p "$directory"/{upper,work,root,docker,containerd}
    give_packages "$1" "$(<"$directory/release")"
    mount_host "$1"
    write_identity "$1" "$directory/root"
    write_login "$1" "$directory/root"
    write_units "$directory/root"
    touch "$directory/made"
}

write_identity() {
    local name=$1 root=$2
    echo "$name" >"$root/etc/hostname"
    printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost ip6-localhost ip6-loopback\n' "$name" >"$root/etc/hosts"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    write_resolv_conf "$root"
    cp "$HOSTS/$name"/keys/* "$root/etc/ssh/"
    ! lacks_sys_resource || install -m 755 "${SELF%/*}/labrunc" "$root/usr/local/sbin/runc"
}

write_login() {
    local root=$2 home=root login
    login=$(<"$HOSTS/$1/login")
    if [[ $login != root ]]; then
        chroot "$root" useradd --create-home --shell /bin/bash --groups sudo "$login"
        printf '%s:%s\n' "$login" "$(<"$HOSTS/$1/password")" | chroot "$root" chpasswd
        printf 'PermitRootLogin no\nPasswordAuthentication yes\n' >"$root/etc/ssh/sshd_config.d/lab.conf"
        home=home/$login
    fi
    mkdir -p "$root/$home/.ssh"
    chmod 700 "$root/$home/.ssh"
    cp "$LAB/id_ed25519.pub" "$root/$home/.ssh/authorized_keys"
    [[ $login == root ]] || chroot "$root" chown -R "$login:" "/$home/.ssh"
}

write_units() {
    local units=$1/etc/systemd/system
    # Once sshd answers, everybody may log in.
    mkdir -p "$units/ssh.service.d" "$units/basic.target.wants"
    printf '[Unit]\nAfter=systemd-user-sessions.service\n' >"$units/ssh.service.d/lab.conf"
    # They would take dpkg's lock a while after boot.
    ln -s /dev/null "$units/apt-daily.timer"
    ln -s /dev/null "$units/apt-daily-upgrade.timer"
    # nspawn mounts these read-only: the controllers of cgroup version 1, below which container engines make branches,
    # and the settings of the host's own network.
    cat >"$units/lab-writable.service" <<'UNIT'
[Unit]
Description=Make the cgroup controllers and network settings writable
DefaultDependencies=no
Before=systemd-sysctl.service basic.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'mount --bind /proc/sys/net /proc/sys/net && mount -o remount,bind,rw /proc/sys/net'
ExecStart=/bin/sh -c 'while read -r _ m type options _; do \
    case $type,$options in cgroup,ro*) mount -o remount,bind,rw "$m" ;; esac; done </proc/mounts'
UNIT
    ln -s ../lab-writable.service "$units/basic.target.wants/"
}

# A caller that waits for the end of some pipe must not wait for a host.
close_inherited() {
    local fd
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        ((fd <= 2 || fd == 255)) || exec {fd}>&-
    done
}

# Stays as the host's parent on this machine, and boots it again when it reboots (nspawn then ends with 133).
run_host() {
    local name=$1 directory=$HOSTS/$1 address status
    address=$(<"$directory/address")
    close_inherited
    while [[ ! -e $directory/stop ]]; do
        [[ -e /run/netns/gl$ID-${address##*.} ]] || attach_network "$name"
        status=0
        (
            enter_cgroups "$name"
            exec systemd-nspawn --quiet --settings=no --register=no --keep-unit --machine="$name" \
                --directory="$directory/root" --network-namespace-path="/run/netns/gl$ID-${address##*.}" \
                --link-journal=no --resolv-conf=off --timezone=off \
                --capability=all --system-call-filter="@keyring bpf" \
                --bind="$directory/docker:/var/lib/docker" --bind="$directory/containerd:/var/lib/containerd" \
                --boot SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
        ) || status=$?
        kill_host_processes "$name" || true
        detach_network "$name"
        remove_cgroups "$name"
        ((status == 133)) || break
    done
}

boot_host() {
    local directory=$HOSTS/$1 pid
    rm -f "$directory/stop"
    # Before the first attempt to connect: an address that nobody has yet costs a second of ARP.
    attach_network "$1"
    setsid "$SELF" _run "$1" </dev/null >"$directory/console.log" 2>&1 9>&- &
    pid=$!
    echo "$pid $(start_time "$pid")" >"$directory/pid"
}

# Stops the host in order, or at once with `kill`; afterwards nothing of it runs or is mounted.
stop_host() {
    local name=$1 how=${2:-orderly} directory=$HOSTS/$1 init pid tries
    touch "$directory/stop"
    if host_running "$name"; then
        init=$(host_init "$name")
        if [[ -n $init && $how == orderly ]]; then
            kill -RTMIN+4 "$init" 2>/dev/null || true
            for ((tries = 0; tries < STOP_SECONDS * 10; tries++)); do
                host_running "$name" || break
                sleep 0.1
            done
        fi
    fi
    # The parent first, or it would boot the host again.
    if host_running "$name"; then
        read -r pid _ <"$directory/pid"
        kill -KILL "$pid" 2>/dev/null || true
    fi
    kill_host_processes "$name"
    detach_network "$name"
    remove_cgroups "$name"
    unmount_host "$name"
    rm -f "$directory/pid"
}

remove_host() {
    stop_host "$1" "${2:-orderly}"
    keep_packages "$1"
    wipe_host "$1"
    rm -rf --one-file-system "${HOSTS:?}/$1"
}

fail_with_console() {
    tail -n 8 "$HOSTS/$1/console.log" >&2
    fail "$1: $2 (the end of its console is above)"
}

wait_ready() {
    local name waiting=("$@") still again='' until=$((SECONDS + READY_SECONDS))
    while ((${#waiting[@]})); do
        still=()
        for name in "${waiting[@]}"; do
            answers "$name" && continue
            still+=("$name")
            host_running "$name" && continue
            # It may have been on its way down when it was looked at; then it is started now, once.
            [[ " $again " != *" $name "* ]] || fail_with_console "$name" "it ended while it booted"
            again+=" $name"
            start_host "$name"
        done
        waiting=("${still[@]}")
        ((${#waiting[@]} == 0)) || sleep 0.1
        ((SECONDS < until)) || fail_with_console "${waiting[0]}" "no answer within $READY_SECONDS s"
    done
}

answers() {
    local address banner
    address=$(<"$HOSTS/$1/address")
    # Bounded, since an attempt that meets a lost packet would wait ever longer before it tries again.
    banner=$(timeout 2 bash -c "exec 3<>/dev/tcp/$address/22 && IFS= read -r banner <&3 && echo \"\$banner\"" \
        2>/dev/null) || return 1
    [[ $banner == SSH-* ]]
}

in_parallel() {
    local action=$1 name jobs=() job status=0
    shift
    for name in "$@"; do
        "$action" "$name" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job" || status=1; done
    return $status
}
