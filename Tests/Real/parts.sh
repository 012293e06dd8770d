# shellcheck shell=bash
# What the cases are written with. A case calls `gantry`, `apply` or `adhoc`, which leave OUT and STATUS, then `check`s.
# A check is a title and a command; it passes when the command does.
# shellcheck disable=SC2034 # OUT and STATUS are for the cases
OUT='' STATUS=0
HOSTS=$PWD/hosts.yml

check() {
    local title=$1
    shift
    if "$@"; then
        echo "  ok: $title"
        echo passed >>"$WORK/results"
        return
    fi
    echo "  FAILED: $title"
    printf '    not so: %.1000s\n    the last status was %s, the last output:\n' "$*" "$STATUS"
    tail -n 25 <<<"$OUT" | cut -c1-300 | sed 's/^/    | /'
    echo failed >>"$WORK/results"
}

# What cannot be tested here, and why.
skip() { echo "  SKIPPED: $1"; echo skipped >>"$WORK/results"; }

# Runs gantry, with no terminal; bounded in time, like everything here.
gantry() {
    OUT=$(setsid -w timeout -k 5 "${LIMIT:-60}" "$GANTRY" "$@" 2>&1 </dev/null)
    STATUS=$?
}
apply() { gantry apply -i "$HOSTS" "$@"; }
adhoc() { gantry run -i "$HOSTS" "$@"; }

# --- what a check can ask ---------------------------------------------------------------------------------------------

# How the last run ended, and what it said.
ended() { [[ $STATUS == "$1" ]]; }
says() { local text; for text in "$@"; do [[ $OUT == *"$text"* ]] || return; done; }
silent() { local text; for text in "$@"; do [[ $OUT != *"$text"* ]] || return; done; }
same() { [[ $1 == "$2" ]]; }
# counts HOST KEY=VALUE…: of the host's line in the recap.
counts() {
    local line host=$1 pair
    shift
    line="$(grep -E "^$host +: ok=" <<<"$OUT" | tail -n 1) "
    for pair in "$@"; do [[ $line == *" $pair "* ]] || return; done
}
# Something was changed, on this host.
changed() { ! counts "$1" changed=0 && counts "$1" unreachable=0 failed=0; }
unchanged() { counts "$1" changed=0 unreachable=0 failed=0; }
# An error has one first line, and says a way out.
not() { ! "$@"; }

# --- hosts ------------------------------------------------------------------------------------------------------------

# hosts PREFIX N [options of `lab up`]: PREFIX-1 to PREFIX-N. Every case has its own, since cases run side by side.
hosts() {
    "$LAB" up "$2" --prefix "$1" "${@:3}" >lab.log 2>&1 || return
    "$LAB" inventory >"$HOSTS"
}
fresh() { "$LAB" reset "$@" >lab.log 2>&1 || cat lab.log; }
on() { "$LAB" exec "$@"; }
# on HOST, quietly: for checks.
holds() { "$LAB" exec "$@" >/dev/null 2>&1; }
address() { cat "$GANTRY_LAB/hosts/$1/address"; }
# Waits until a command passes: waits SECONDS COMMAND…
waits() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return
        sleep 0.1
    done
}
no_agent() { not holds "$1" 'pgrep -f "agent-[0-9a-f]{64}"'; }

# Everything a run could change on a host: files with their times, users, units. Not what the system itself writes.
snapshot() {
    on "$1" 'find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /var/log \
            -o -path /var/lib/gantry -o -path /var/lib/systemd -o -path /tmp/systemd-private-\* \) -prune \
        -o ! -path / ! -path /tmp ! -path /var/tmp ! -path /var/lib ! -name .bash_history -printf "%p %y %m %U %G %s %T@ %l\n" | sort
        ls -A /tmp /var/tmp | grep -vE "^systemd-private|-unix$"
        systemctl list-units --all --type=service,socket,timer --plain --no-legend \
            | awk "\$1 !~ /^(session-|user|systemd-|apt-daily|dpkg-db|ssh@|e2scrub|fstrim|getty|console|motd|man-db|logrotate)/ { print \$1, \$3, \$4 }" | sort
        systemctl list-unit-files --plain --no-legend' 2>&1
}

# --- files of a case --------------------------------------------------------------------------------------------------

# playbook NAME <<'YAML': writes NAME.yml into the case's folder.
playbook() { cat >"$1.yml"; }

# Serves a folder over HTTP on this machine's address in the lab, until the case ends.
serve() {
    python3 "$REAL/fixtures/serve.py" "$1" "$GATE" "$2" >"serve-$2.log" 2>&1 &
    SERVERS+=($!)
    waits 10 bash -c "exec 3<>/dev/tcp/$GATE/$2"
}
SERVERS=()
trap '((${#SERVERS[@]} == 0)) || kill "${SERVERS[@]}" 2>/dev/null' EXIT
