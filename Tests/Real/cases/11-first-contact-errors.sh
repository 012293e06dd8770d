# shellcheck shell=bash
# first contact that cannot work: each reason is told with its way out
hosts bad 3
hosts badops 1 --sudo-password

# expects TITLE TEXT…: unreachable, one line of error, then details; nothing is left behind.
expects() {
    local title=$1
    shift
    check "$title: status 4" ended 4
    check "$title: says so" says 'UNREACHABLE' "$@"
    check "$title: nothing is left on the node" same "$(on bad-1 'ls -A /var/lib/gantry 2>/dev/null | grep -v "^agent$"
        ls -A /var/lib/gantry/agent 2>/dev/null')" ''
}
folder() { on bad-1 "umount /var/lib/gantry 2>/dev/null; rm -rf /var/lib/gantry; mkdir /var/lib/gantry; mount -t tmpfs -o $1 lab /var/lib/gantry"; }

folder noexec
adhoc bad-1 -m ping
expects 'noexec' 'noexec' '/var/lib/gantry/agent' 'set gantry_agent_dir'
adhoc bad-1 -m ping -e gantry_agent_dir=/opt/agents
check 'gantry_agent_dir is the way out' ended 0
on bad-1 'rm -rf /opt/agents'

folder size=2m
adhoc bad-1 -m ping
expects 'full disk' 'no space left' '/var/lib/gantry/agent' 'MB' 'gantry_agent_dir'

folder size=2m
on bad-1 'mkdir /var/lib/gantry/agent && mount -o remount,ro /var/lib/gantry'
adhoc bad-1 -m ping
expects 'read-only' 'read-only' '/var/lib/gantry/agent' 'gantry_agent_dir'
on bad-1 'umount /var/lib/gantry && rm -rf /var/lib/gantry'

password=$(cat "$GANTRY_LAB/hosts/badops-1/password")
on badops-1 "echo '$password' | sudo -S -p '' mount -t tmpfs -o ro lab /home/ops/.cache 2>/dev/null || {
    mkdir -p ~/.cache; echo '$password' | sudo -S -p '' mount -t tmpfs -o ro lab /home/ops/.cache; }"
adhoc badops-1 -m ping
check 'read-only home: status 4' ended 4
check 'read-only home: says so' says 'UNREACHABLE' '/home/ops/.cache/gantry' 'cannot be made' 'gantry_agent_dir'
adhoc badops-1 -m ping -e gantry_agent_dir=/tmp/ops-agents
check 'read-only home: gantry_agent_dir is the way out' ended 0

# The kernel tells everything below sshd that this is a 32-bit machine, as it does for a 32-bit userland.
on bad-2 'mkdir -p /etc/systemd/system/ssh.service.d
    printf "[Service]\nPersonality=x86\n" >/etc/systemd/system/ssh.service.d/lab.conf
    systemctl daemon-reload; systemctl restart ssh'
waits 10 holds bad-2 true
check 'the other architecture is in force' same "$(on bad-2 'uname -m')" i686
adhoc bad-2 -m ping
check 'other architecture: status 4' ended 4
check 'other architecture: says so' says 'the node is i686, this agent is built for x86_64'
check 'other architecture: nothing was sent' same "$(on bad-2 'find /var/lib/gantry -type f')" ''

# One bad host is no harm to the others.
adhoc 'bad-2:bad-3' -m ping
check 'the other hosts go on' says 'bad-3 | SUCCESS'
check 'and the status tells' ended 4
