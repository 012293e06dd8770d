# shellcheck shell=bash
# first contact with fresh hosts that have no Python; later contacts send nothing
digest=$(sha256sum "$GANTRY_AGENT" | cut -d' ' -f1)
hosts first 1
hosts firstops 1 --sudo-password
# Older and newer glibc; their bases may have to be built first, from a mirror that has them.
all=(first-1)
hosts old 1 --release bullseye && all+=(old-1) || skip "bullseye: $(tail -n 1 lab.log)"
hosts new 1 --release trixie && all+=(new-1) || skip "trixie: $(tail -n 1 lab.log)"

received() { on "$1" 'tr : " " </proc/net/dev' | awk '$1 == "host0" { print $2 }'; }
agent_there() { holds "$1" "[ -x /var/lib/gantry/agent/agent-$digest ]"; }

for host in "${all[@]}"; do
    check "$host has no Python" not holds $host 'command -v python3'
done
before=$(received first-1)
adhoc "$(IFS=:; echo "${all[*]}")" -m ping
after=$(received first-1)
check 'Debian releases answer at the first contact' ended 0
for host in "${all[@]}"; do
    check "$host answers" says "$host | SUCCESS"
    check "$host has the agent, named by its digest" agent_there $host
done
check 'the agent was sent compressed' test $((after - before)) -gt 1000000 -a $((after - before)) -lt 16000000

stamp=$(on first-1 'stat -c "%i %Y %Z" /var/lib/gantry/agent/agent-*')
before=$(received first-1)
adhoc first-1 -m ping
after=$(received first-1)
check 'the second contact works' ended 0
check 'it sends nothing big' test $((after - before)) -lt 100000
check 'the agent on the node is the same file' same "$stamp" "$(on first-1 'stat -c "%i %Y %Z" /var/lib/gantry/agent/agent-*')"

check 'only root can reach the agent' same \
    "$(on first-1 'stat -c "%a %U" /var/lib/gantry/agent /var/lib/gantry/agent/agent-*' | sort -u)" '700 root'
adhoc firstops-1 -m ping
check 'a user without root gets an agent too' ended 0
check 'in its own folder, which only it can reach' same \
    "$(on firstops-1 'stat -c "%a %U" ~/.cache/gantry ~/.cache/gantry/agent-*' | sort -u)" '700 ops'
check 'nothing is left in /tmp' same "$(on firstops-1 'ls -A /tmp | grep -vE "^systemd-private|-unix$"')" ''

on first-1 'cd /var/lib/gantry/agent && rm agent-* && for i in 1 2 3 4; do
    f=agent-$(printf %064d $i); echo old >$f; chmod 700 $f; touch -d "-$i days" $f; done'
adhoc first-1 -m ping
check 'old agents are removed, all but the newest' same \
    "$(on first-1 'cd /var/lib/gantry/agent && ls -A | sort')" "$(printf 'agent-%064d\nagent-%s' 1 "$digest" | sort)"

# What a disk does to a file: nothing in it, no program, a program that breaks.
for damage in ': >' 'echo exit >' 'truncate -s 100000'; do
    on first-1 "$damage /var/lib/gantry/agent/agent-$digest"
    adhoc first-1 -m ping
    check "a damaged agent ($damage) is sent anew" ended 0
    check "and is whole then ($damage)" same "$(on first-1 "sha256sum </var/lib/gantry/agent/agent-$digest")" "$digest  -"
done

adhoc first-1 -m ping -e gantry_agent_dir=/opt/agents
check 'gantry_agent_dir puts it elsewhere' holds first-1 "[ -x /opt/agents/agent-$digest ]"
adhoc firstops-1 -m ping -e gantry_agent_dir='~/bin/agents'
check 'gantry_agent_dir below the home' holds firstops-1 "[ -x ~/bin/agents/agent-$digest ]"

# An agent that was tampered with has another name, or the folder another owner: it is never run.
on first-1 'rm -rf /opt/agents && mkdir -m 777 /opt/agents'
adhoc first-1 -m ping -e gantry_agent_dir=/opt/agents
check 'a folder that others can write is refused' ended 4
check 'and the error says the way out' says 'can be written by others' 'chmod go-w'
on first-1 'useradd mallory; rm -rf /opt/agents && mkdir /opt/agents && chown mallory /opt/agents'
adhoc first-1 -m ping -e gantry_agent_dir=/opt/agents
check 'a folder of another user is refused' ended 4
check 'and the error says so' says 'belongs to another user' 'gantry_agent_dir'
