# Sourced by the cases: what a case may expect.

gantry() { "$GANTRY" "$@"; }

# status N COMMAND...: the command ends with N; its output is in $OUT.
status() {
    local wanted=$1 got=0
    shift
    "$@" >"$WORK/out" 2>&1 || got=$?
    OUT=$(cat "$WORK/out")
    echo "\$ $*"
    echo "$OUT"
    ((got == wanted)) || { echo "expected status $wanted, got $got"; exit 1; }
}

# says TEXT, silent TEXT: the last output holds it, or does not.
says() { [[ $OUT == *"$1"* ]] || { echo "expected in the output: $1"; exit 1; }; }
silent() { [[ $OUT != *"$1"* ]] || { echo "not expected in the output: $1"; exit 1; }; }

# unchanged: the last run changed nothing on any host.
unchanged() {
    ! grep -E ' changed=[1-9]| failed=[1-9]| unreachable=[1-9]' <<<"$OUT" || { echo "expected changed=0"; exit 1; }
    says "PLAY RECAP"
}

# same A B: equal texts.
same() { [[ $1 == "$2" ]] || { printf 'expected equal:\n%s\n%s\n' "$1" "$2"; exit 1; }; }
