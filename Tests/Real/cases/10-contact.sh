# First contact brings the agent to hosts without Python; the second finds it there.
. Tests/Real/expect.sh
status 0 gantry run real -i "$WORK/hosts.yml" -m ping
says '"ping": "pong"'
agents() { "$LAB" exec "$1" 'find / -xdev -name "agent-*" -type f -printf "%p %T@ %m\n" 2>/dev/null'; }
before=$(agents real-1)
[[ -n $before ]]
folder=$(dirname "${before%% *}")
mode=$("$LAB" exec real-1 "stat -c %a '$folder'")
[[ $mode == 7[05][05] ]]
status 0 gantry run real -i "$WORK/hosts.yml" -- hostname
says real-2
same "$(agents real-1)" "$before"
! "$LAB" exec real-1 'command -v python3'
status 0 gantry facts real-1 -i "$WORK/hosts.yml" --filter ansible_distribution
says Debian
