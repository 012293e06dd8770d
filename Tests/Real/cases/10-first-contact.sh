# shellcheck shell=bash
# first contact with fresh hosts that have no Python; later contacts send nothing
digest=$(sha256sum "$GANTRY_AGENT" | cut -d' ' -f1)
fresh node-1 ops-1 old-1 new-1

received() { on "$1" 'tr : " " </proc/net/dev' | awk '$1 == "host0" { print $2 }'; }
agent_there() { holds "$1" "[ -x /var/lib/gantry/agent/agent-$digest ]"; }

for host in node-1 old-1 new-1; do
    check "$host has no Python" not holds $host 'command -v python3'
done
before=$(received node-1)
adhoc 'node-1:old-1:new-1' -m ping
after=$(received node-1)
check 'three Debian releases answer at the first contact' ended 0
for host in node-1 old-1 new-1; do
    check "$host answers" says "$host | SUCCESS"
    check "$host has the agent, named by its digest" agent_there $host
done
check 'the agent was sent compressed' test $((after - before)) -gt 1000000 -a $((after - before)) -lt 16000000

stamp=$(on node-1 'stat -c "%i %Y %Z" /var/lib/gantry/agent/agent-*')
before=$(received node-1)
adhoc node-1 -m ping
after=$(received node-1)
check 'the second contact works' ended 0
check 'it sends nothing big' test $((after - before)) -lt 100000
check 'the agent on the node is the same file' same "$stamp" "$(on node-1 'stat -c "%i %Y %Z" /var/lib/gantry/agent/agent-*')"

check 'only root can reach the agent' same \
    "$(on node-1 'stat -c "%a %U" /var/lib/gantry/agent /var/lib/gantry/agent/agent-*' | sort -u)" '700 root'
adhoc ops-1 -m ping
check 'a user without root gets an agent too' ended 0
check 'in its own folder, which only it can reach' same \
    "$(on ops-1 'stat -c "%a %U" ~/.cache/gantry ~/.cache/gantry/agent-*' | sort -u)" '700 ops'
check 'nothing is left in /tmp' same "$(on ops-1 'ls -A /tmp | grep -vE "^systemd-private|-unix$"')" ''

on node-1 'cd /var/lib/gantry/agent && rm agent-* && for i in 1 2 3 4; do
    f=agent-$(printf %064d $i); echo old >$f; chmod 700 $f; touch -d "-$i days" $f; done'
adhoc node-1 -m ping
check 'old agents are removed, all but the newest' same \
    "$(on node-1 'cd /var/lib/gantry/agent && ls -A | sort')" "$(printf 'agent-%064d\nagent-%s' 1 "$digest" | sort)"

adhoc node-1 -m ping -e gantry_agent_dir=/opt/agents
check 'gantry_agent_dir puts it elsewhere' holds node-1 "[ -x /opt/agents/agent-$digest ]"
adhoc ops-1 -m ping -e gantry_agent_dir='~/bin/agents'
check 'gantry_agent_dir below the home' holds ops-1 "[ -x ~/bin/agents/agent-$digest ]"

# An agent that was tampered with has another name, or the folder another owner: it is never run.
on node-1 'rm -rf /opt/agents && mkdir -m 777 /opt/agents'
adhoc node-1 -m ping -e gantry_agent_dir=/opt/agents
check 'a folder that others can write is refused' ended 4
check 'and the error says the way out' says 'can be written by others' 'chmod go-w'
on node-1 'useradd mallory; rm -rf /opt/agents && mkdir /opt/agents && chown mallory /opt/agents'
adhoc node-1 -m ping -e gantry_agent_dir=/opt/agents
check 'a folder of another user is refused' ended 4
check 'and the error says so' says 'belongs to another user' 'gantry_agent_dir'
