# shellcheck shell=bash
# What hosts are made of, kept from lab to lab: a base per release, a layer with Python, packages.

# --- bases ------------------------------------------------------------------------------------------------------------

# The repository of this machine's own Debian packages whose label is $1.
debian_repository() {
    # shellcheck disable=SC2016 # apt's own placeholders
    apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null \
        | awk -F'|' -v label="$1" '$1 == "Debian" && $2 == label { sub("/$", "", $3); print $3; exit }'
}

write_sources() {
    local root=$1 release=$2 mirror=$3 security
    {
        echo "deb $mirror $release main"
        echo "deb $mirror $release-updates main"
        security=$(debian_repository Debian-Security)
        [[ -z $security ]] || echo "deb $security $release-security main"
    } >"$root/etc/apt/sources.list"
    # How this machine reaches its mirror (proxies, time checks) holds for its hosts too.
    apt-config dump | grep -E '^Acquire::((http|https|ftp)::|Check-|Retries|Languages )' \
        >"$root/etc/apt/apt.conf.d/90lab" || true
    [[ -z ${http_proxy:-} ]] || echo "Acquire::http::Proxy \"$http_proxy\";" >>"$root/etc/apt/apt.conf.d/90lab"
    [[ -z ${https_proxy:-} ]] || echo "Acquire::https::Proxy \"$https_proxy\";" >>"$root/etc/apt/apt.conf.d/90lab"
}

write_resolv_conf() {
    local from=/etc/resolv.conf
    # The stub of systemd-resolved listens on this machine's loopback only.
    if grep -q '^nameserver 127\.' $from && [[ -e /run/systemd/resolve/resolv.conf ]]; then
        from=/run/systemd/resolve/resolv.conf
    fi
    rm -f "$1/etc/resolv.conf"
    cat $from >"$1/etc/resolv.conf"
}

# In a mount namespace of its own, so that nothing stays mounted whatever happens.
in_chroot() {
    local root=$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell
    DEBIAN_FRONTEND=noninteractive unshare --mount bash -c '
        mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"' "$root" "$@" </dev/null
}

build_base() {
    local release=$1 new=$LAB/base-$1.new mirror log=$LAB/base-$1.log
    [[ -n $(debian_repository Debian) ]] || apt-get -qq update </dev/null || true
    mirror=$(debian_repository Debian)
    [[ -n $mirror ]] || unable "apt on this machine has no Debian repository to build a $release base from"
    rm -rf --one-file-system "$new"
    mkdir -p "$new" "$LAB/debs/$release"
    say "building the $release base (once; about a minute)"
    {
        debootstrap --variant=minbase \
            --include=systemd,systemd-sysv,dbus,openssh-server,iproute2,sudo,ca-certificates,procps,kmod \
            "$release" "$new" "$mirror" \
            && write_sources "$new" "$release" "$mirror" && write_resolv_conf "$new" \
            && in_chroot "$new" apt-get -q update \
            && in_chroot "$new" apt-get -q clean
    } >"$log" 2>&1 || { tail -n 5 "$log" >&2; fail "the $release base could not be built: $log"; }
    rm -f "$new"/etc/ssh/ssh_host_*_key* "$new/etc/machine-id" "$new/var/lib/dbus/machine-id"
    # Names of what the mirror serves: only such packages are kept for other hosts (see keep_packages).
    sed -n 's,^Filename: .*/,,p' "$new"/var/lib/apt/lists/*_Packages | sort >"$LAB/debs/$release.names"
    mv "$new" "$LAB/base-$release"
}

# Python comes as a second layer over the base.
build_python_layer() {
    local release=$1 new=$LAB/base-$1.python.new log=$LAB/base-$1.python.log
    rm -rf --one-file-system "$new"
    mkdir -p "$new"/{layer,work,root}
    say "adding Python to the $release base (once)"
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount bash -c '
        mount -t overlay overlay -o "lowerdir=$0,upperdir=$1/layer,workdir=$1/work" "$1/root" \
            && mount -t proc proc "$1/root/proc" && mount --bind /dev "$1/root/dev" \
            && chroot "$1/root" apt-get -q update \
            && DEBIAN_FRONTEND=noninteractive chroot "$1/root" \
                apt-get -q -y --no-install-recommends install python3 python3-apt \
            && chroot "$1/root" apt-get -q clean
    ' "$LAB/base-$release" "$new" </dev/null >"$log" 2>&1 \
        || { tail -n 5 "$log" >&2; fail "Python could not be added: $log"; }
    mv "$new/layer" "$LAB/base-$release.python"
    rm -rf --one-file-system "$new"
}

# A base appears under its name only when it is complete, so an interrupted build is simply built again.
ensure_base() {
    local release=$1 python=$2
    mkdir -p "$LAB/debs"
    (
        flock 7
        [[ -d $LAB/base-$release ]] || build_base "$release"
        [[ $python == no || -d $LAB/base-$release.python ]] || build_python_layer "$release"
    ) 7>"$LAB/base.lock"
}

# --- packages kept for other hosts ------------------------------------------------------------------------------------
# Every host has package files of its own, as hard links: no lock is shared and nothing is downloaded twice.

give_packages() {
    local archives=$HOSTS/$1/upper/var/cache/apt/archives debs=("$LAB/debs/$2"/*.deb)
    mkdir -p "$archives"
    ((${#debs[@]} == 0)) || ln "${debs[@]}" "$archives/"
}

keep_packages() {
    local release pool file
    release=$(<"$HOSTS/$1/release")
    pool=$LAB/debs/$release
    # A package of another repository may change without changing its name, so only the mirror's are kept.
    for file in "$HOSTS/$1"/upper/var/cache/apt/archives/*.deb; do
        [[ -e $pool/${file##*/} ]] || printf '%s\n' "$file"
    done | awk -v names="$LAB/debs/$release.names" '
        NR == 1 { while ((getline name < names) > 0) known[name] = 1 }
        { file = $0; sub(".*/", ""); sub("_[0-9]+%3a", "_"); if ($0 in known) print file }
    ' | xargs -r -d '\n' ln -t "$pool" 2>/dev/null || true # another host may just have given the same file
}
