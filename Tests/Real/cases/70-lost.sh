# The agent lost in a task is told with that task; the controller lost ends the agent after the task in hand.
. Tests/Real/expect.sh
cat >"$WORK/70.yml" <<'Y'
- hosts: real-1
  gather_facts: false
  tasks:
    - name: A long task
      command: sleep 4
    - name: Never reached
      file: {path: /tmp/reached, state: touch}
Y
(sleep 2; "$LAB" exec real-1 'pkill -9 -f "[a]gent-.* serve"') &
status 4 gantry apply -i "$WORK/hosts.yml" "$WORK/70.yml"
wait
says UNREACHABLE
says 'A long task'
"$GANTRY" apply -i "$WORK/hosts.yml" "$WORK/70.yml" >/dev/null 2>&1 &
run=$!
sleep 2
kill -9 $run
wait $run 2>/dev/null || true
sleep 5
! "$LAB" exec real-1 'pgrep -f "[a]gent-.* serve"'
! "$LAB" exec real-1 'test -e /tmp/reached'
