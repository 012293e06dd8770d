# shellcheck shell=bash
# gantry-agent pull: run, drift, and everything that is refused; from a folder and over HTTP
hosts pull 2
gantry bundle --generate-key key
check 'a key is made' ended 0
check 'and only its owner can read it' same "$(stat -c %a key)" 600
gantry bundle --generate-key other
playbook node <<'YAML'
- hosts: pull-1,pull-2
  tasks:
    - ansible.builtin.copy:
        content: "{{ greeting }} {{ inventory_hostname }} on {{ ansible_facts['distribution'] }}\n"
        dest: /etc/greeting
        mode: "0644"
      notify: Tell
    - ansible.builtin.template: {src: page.j2, dest: /etc/page, mode: "0644"}
    - ansible.builtin.copy: {src: big, dest: /srv/big, mode: "0600"}
    - ansible.builtin.systemd: {name: e2scrub_all.timer, enabled: false}
  handlers:
    - name: Tell
      ansible.builtin.shell: echo told >>/srv/told
YAML
# What others' variables say is in the bundle where templates name them; what only gathered facts say is not.
mkdir host_vars
echo 'colour: "{{ paint }} of {{ inventory_hostname }}"' >host_vars/pull-2
echo 'paint: red' >>host_vars/pull-2
cat >page.j2 <<'J2'
page of {{ inventory_hostname }}, {{ hostvars['pull-2'].colour }}, {{ hostvars['pull-2'].taste | default('no taste') }}
J2
head -c 200000 /dev/urandom | base64 >big
# bundle GREETING KEY FOLDER
bundle() { gantry bundle -i "$HOSTS" node.yml -e "greeting=$1" --key "$2" -o "$3"; }
bundle hello key first
check 'a bundle is made' ended 0
check 'of both hosts' same "$(ls first/nodes | tr '\n' ' ')" 'pull-1 pull-2 '

put() { tar -C "$2" -cf - . | on "$1" "rm -rf '$3' && mkdir -p '$3' && tar -C '$3' -xf -"; }
on pull-1 'mkdir -p /opt && cat >/opt/gantry-agent && chmod 755 /opt/gantry-agent' <"$GANTRY_AGENT"
on pull-1 'cat >/etc/pull.pub' <key.pub
put pull-1 first /srv/bundle
pull() { OUT=$(on pull-1 "timeout 60 /opt/gantry-agent pull --from ${FROM:-/srv/bundle} --key /etc/pull.pub --report /srv/report $*" 2>&1) STATUS=$?; }
report() { same "$(on pull-1 'cat /srv/report' | python3 -c "import json, sys; r = json.load(sys.stdin); print($1)")" "$2"; }
state() { on pull-1 'cat /etc/greeting /etc/page /srv/told 2>/dev/null; sha256sum /srv/big 2>/dev/null'; }

pull --check
check 'check mode: status 0' ended 0
check 'check mode: tells of changes' report "r['changed'] > 0 and r['check_mode']" True
check 'check mode: changes nothing' same "$(state)" ''
pull
check 'first run: status 0' ended 0
check 'first run: report' report "(r['host'], r['outcome'], r['failed'], r['changed'] > 3)" "('pull-1', 'completed', 0, True)"
check 'first run: files' same "$(on pull-1 'cat /etc/greeting /etc/page')" $'hello pull-1 on Debian\npage of pull-1, red of pull-2, no taste'
check 'first run: a file of the controller' same "$(on pull-1 'sha256sum </srv/big')" "$(sha256sum <big)"
check 'first run: handlers' same "$(on pull-1 'cat /srv/told')" told
check 'its state is private' same "$(on pull-1 'stat -c %a /var/lib/gantry/pull; stat -c %a /srv/report')" $'700\n600'
pull
check 'second run: changes nothing' report "(r['changed'], r['failed'])" '(0, 0)'
on pull-1 'echo drift >/etc/greeting; rm /etc/page'
pull
check 'drift: is mended' same "$(on pull-1 'cat /etc/greeting /etc/page')" $'hello pull-1 on Debian\npage of pull-1, red of pull-2, no taste'
check 'drift: the report names the tasks' report "(r['changed'], len(r['tasks']) >= 2)" '(3, True)'

# --- refused: each leaves everything as it is
good=$(state)
refused() {
    check "$1: status 1" ended 1
    check "$1: says so" says "$2"
    check "$1: nothing is changed" same "$(state)" "$good"
    check "$1: the report says so" report "r['outcome']" refused
}
bundle newer key second
check 'a second bundle is made' ended 0
put pull-1 second /srv/second
FROM=/srv/tried
try() { on pull-1 'rm -rf /srv/tried && cp -a /srv/second /srv/tried'; on pull-1 "cd /srv/tried && $1"; pull; }
try "sed -i 's/\"sequence\": /\"sequence\": 9/' nodes/pull-1"
refused 'manifest changed' 'not signed by the expected key'
try 'echo garbage >nodes/pull-1'
refused 'manifest garbled' 'not a manifest'
try 'for f in blobs/sha256/*; do sed -i "s/newer/older/" $f; done'
refused 'blob changed' 'does not have the digest'
try 'for f in blobs/sha256/*; do truncate -s -1 $f; done'
refused 'blob cut off' 'does not have the digest'
try 'cp nodes/pull-2 nodes/pull-1'
refused "another host's manifest" "is for host 'pull-2'"
on pull-1 'rm -rf /srv/tried && cp -a /srv/second /srv/tried; cp /etc/pull.pub /etc/good.pub; cat >/etc/pull.pub' <other.pub
pull
refused 'another key' 'not signed by the expected key'
on pull-1 'echo junk >/etc/pull.pub'
pull
refused 'a key that is none' 'is no key'
on pull-1 'cp /etc/good.pub /etc/pull.pub'
FROM=/srv/second
pull
check 'newer: is taken' same "$(on pull-1 'cat /etc/greeting')" 'newer pull-1 on Debian'
good=$(state)
FROM=/srv/bundle
pull
refused 'older' 'older than the last one'

# --- gone: the last good bundle stays in force
on pull-1 'echo drift >/etc/greeting'
FROM=/srv/nothing
pull
check 'source gone: status 0' ended 0
check 'source gone: the drift is mended' same "$(on pull-1 'cat /etc/greeting')" 'newer pull-1 on Debian'
check 'source gone: it says so' says 'the last good bundle stays in force'
check 'source gone: so does the report' report "(r['from_cache'], r['failed'])" '(True, 0)'
on pull-1 'for f in /var/lib/gantry/pull/blobs/*; do printf X | dd of=$f conv=notrunc status=none; done'
FROM=/srv/second
pull
check 'a garbled cache is fetched again' report "(r['outcome'], r['changed'])" "('completed', 0)"

# --- over HTTP
mkdir web
cp -r second web/bundle
serve web 8472
FROM=http://$GATE:8472/bundle
on pull-1 'rm -rf /var/lib/gantry/pull; echo drift >/etc/greeting'
pull
check 'HTTP: status 0' ended 0
check 'HTTP: mends' same "$(on pull-1 'cat /etc/greeting')" 'newer pull-1 on Debian'
: >serve-8472.log
pull
check 'HTTP: second run changes nothing' report "r['changed']" 0
check 'HTTP: and fetches nothing but asks once' same "$(grep -cE '"GET' serve-8472.log) $(grep -c ' 304 ' serve-8472.log)" '1 1'
kill "${SERVERS[@]}"; wait "${SERVERS[@]}" 2>/dev/null; SERVERS=()
on pull-1 'echo drift >/etc/greeting'
pull
check 'HTTP: server gone: the drift is mended' same "$(on pull-1 'cat /etc/greeting')" 'newer pull-1 on Debian'
check 'HTTP: server gone: so says the report' report "r['from_cache']" True
# A task that fails: status 2, the rest is told.
cat >node.yml <<'YAML'
- hosts: pull-1
  gather_facts: false
  tasks:
    - {name: Breaks, ansible.builtin.command: "false"}
    - {name: Never, ansible.builtin.copy: {content: x, dest: /srv/never, mode: "0644"}}
YAML
bundle x key third
put pull-1 third /srv/third
FROM=/srv/third
pull
check 'a failed task: status 2' ended 2
check 'a failed task: the report names it' report "(r['outcome'], r['failed'], r['tasks'][-1]['task'])" "('failed', 1, 'Breaks')"
check 'a failed task: nothing after it ran' not holds pull-1 'test -e /srv/never'
