# shellcheck shell=bash
# what is cut off: Ctrl-C once and twice, the controller killed, the agent killed, the host rebooted
hosts cut 2
playbook long <<'YAML'
- hosts: cut-1
  gather_facts: false
  tasks:
    - name: Long
      ansible.builtin.shell: touch /srv/started; sleep {{ length }}; touch /srv/ended
    - name: Next
      ansible.builtin.file: {path: /srv/next, state: touch, mode: "0644"}
YAML
clear_marks() { on cut-1 'rm -f /srv/*'; }
began() { waits 20 holds cut-1 'test -e /srv/started'; }
# press N SECONDS: the play with a task that long, and N times Ctrl-C when it runs.
press() {
    clear_marks
    OUT=$(python3 "$REAL/fixtures/terminal.py" --interrupts "$1" --when "$LAB exec cut-1 'test -e /srv/started'" -- \
        "$GANTRY" apply -i "$HOSTS" long.yml -e "length=$2" 2>&1)
    STATUS=$(sed -n 's/^status \([0-9-]*\) .*/\1/p' <<<"$OUT" | tail -n 1)
}
no_sleep() { not holds cut-1 "pgrep -x sleep"; }
within() { awk -v limit="$1" '/^status / { found = $4 <= limit } END { exit !found }' <<<"$OUT"; }

press 1 4
check 'Ctrl-C once: status 99' ended 99
check 'Ctrl-C once: the task in hand came to its end' holds cut-1 'test -e /srv/ended'
check 'Ctrl-C once: it is reported' says 'changed: [cut-1]' 'PLAY RECAP'
check 'Ctrl-C once: nothing new began' not holds cut-1 'test -e /srv/next'
check 'Ctrl-C once: the terminal is as it was' says 'terminal restored'
check 'Ctrl-C once: no agent is left' waits 5 no_agent cut-1

press 2 60
check 'Ctrl-C twice: status 99' ended 99
check 'Ctrl-C twice: it ends at once' within 5
check 'Ctrl-C twice: what the task had started was ended' waits 5 no_sleep
check 'Ctrl-C twice: the task did not come to its end' not holds cut-1 'test -e /srv/ended'
check 'Ctrl-C twice: no agent is left' waits 5 no_agent cut-1
check 'Ctrl-C twice: the terminal is as it was' says 'terminal restored'

# As another user there is one more agent between.
sed -i 's/gather_facts: false/gather_facts: false\n  become: true\n  become_user: nobody/; s,/srv/,/srv/open/,' long.yml
on cut-1 'mkdir -m 1777 /srv/open'
clear_marks() { on cut-1 'rm -f /srv/open/*'; }
OUT=$(python3 "$REAL/fixtures/terminal.py" --interrupts 2 --when "$LAB exec cut-1 'pgrep -x sleep'" -- \
    "$GANTRY" apply -i "$HOSTS" long.yml -e length=60 2>&1)
check 'Ctrl-C twice, as another user: status 99' says 'status 99'
check 'Ctrl-C twice, as another user: it ends at once' within 5
check 'Ctrl-C twice, as another user: its children were ended' waits 5 no_sleep
check 'Ctrl-C twice, as another user: no agent is left' waits 5 no_agent cut-1
sed -i '/become/d; s,/srv/open/,/srv/,' long.yml
clear_marks() { on cut-1 'rm -rf /srv/*'; }

# --- the controller is lost
start() {
    clear_marks
    "$GANTRY" apply -i "$HOSTS" long.yml -e "length=$1" >out 2>&1 </dev/null &
    RUN=$!
    began
}
start 3
kill -KILL $RUN
wait $RUN 2>/dev/null
check 'controller killed: the task in hand comes to its end' waits 10 holds cut-1 'test -e /srv/ended'
check 'controller killed: the agent ends' waits 5 no_agent cut-1
check 'controller killed: nothing new began' not holds cut-1 'test -e /srv/next'

# --- the agent is lost
lost() {
    wait $RUN
    STATUS=$? OUT=$(<out)
}
start 30
on cut-1 'pkill -KILL -f "agent-[0-9a-f]{64} serve"'
lost
check 'agent killed: status 4' ended 4
check 'agent killed: says during which task' says 'UNREACHABLE' "during task 'Long'"
check 'agent killed: it counts' counts cut-1 unreachable=1
on cut-1 'pkill -x sleep'
start 30
on cut-1 'systemctl reboot' 2>/dev/null
lost
check 'host rebooted: status 4' ended 4
check 'host rebooted: says during which task' says 'UNREACHABLE' "during task 'Long'"
check 'host rebooted: it comes back' waits 30 holds cut-1 true
adhoc cut-1 -m ping
check 'and is reached again' ended 0

# --- one of two hosts is lost
playbook two <<'YAML'
- hosts: cut-1,cut-2
  gather_facts: false
  tasks:
    - name: Work
      ansible.builtin.shell: touch /srv/started; sleep 3; touch /srv/ended
    - name: Next
      ansible.builtin.file: {path: /srv/next, state: touch, mode: "0644"}
YAML
clear_marks
"$GANTRY" apply -i "$HOSTS" two.yml >out 2>&1 </dev/null &
RUN=$!
began
on cut-1 'pkill -KILL -f "agent-[0-9a-f]{64} serve"'
lost
check 'one of two lost: status 4' ended 4
check 'one of two lost: the other goes on' counts cut-2 ok=2 changed=2 unreachable=0
check 'one of two lost: it does not' counts cut-1 unreachable=1
