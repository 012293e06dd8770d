# shellcheck shell=bash
# modules on a real host: check mode changes nothing, apply does, a second run changes nothing (converge/*.yml)
hosts mod 1
mkdir web files
printf 'first line\nsecond line\n' >web/file.txt
printf '{"name": "gantry", "list": [1, 2]}\n' >web/data.json
head -c 300000 /dev/zero | tr '\0' 'x' >web/big
printf '#!/bin/sh\necho "script of $1 on $(hostname)"; echo "$1" >/srv/script\n' >files/hello.sh
printf 'host {{ inventory_hostname }}\n{%% for n in [1, 2] %%}\nline {{ n }}\n{%% endfor %%}\n' >files/page.j2
mkdir -p files/tree/sub
echo one >files/tree/one
echo two >files/tree/sub/two
serve web 8471
variables=(-e "web=http://$GATE:8471" -e "files=$PWD/files" -e "sum=$(sha256sum web/file.txt | cut -d' ' -f1)")

for file in "$REAL"/converge/*.yml; do
    name=$(basename "$file" .yml)
    fresh mod-1
    adhoc mod-1 -m ping
    snapshot mod-1 >before
    apply "$file" "${variables[@]}" --check --diff
    check "$name: check mode works" ended 0
    check "$name: check mode tells of changes" changed mod-1
    expected=$(grep -oE '^mod-1 .*changed=[0-9]+' <<<"$OUT" | grep -oE '[0-9]+$')
    snapshot mod-1 >after
    check "$name: check mode changes nothing" diff before after
    apply "$file" "${variables[@]}" --diff
    check "$name: apply works" ended 0
    check "$name: apply changes as much as check mode said" counts mod-1 "changed=$expected"
    apply "$file" "${variables[@]}"
    check "$name: a second run changes nothing" unchanged mod-1
    snapshot mod-1 >before
    apply "$file" "${variables[@]}" --check --detailed-exitcode
    check "$name: a check after it finds nothing" ended 0
    snapshot mod-1 >after
    check "$name: and touches nothing" diff before after
done

# --- apt, installed and removed; nothing is started when nothing is to be done
fresh mod-1
cat >apt.yml <<'YAML'
- hosts: mod-1
  gather_facts: false
  tasks:
    - ansible.builtin.apt: {name: tree, state: "{{ wanted }}"}
YAML
apply apt.yml -e wanted=present
check 'apt: installs' counts mod-1 changed=1
check 'apt: it is there' holds mod-1 'command -v tree'
# How many processes and threads the host has started during a run; the least of a few, since the host works too.
started() {
    local least=999999 n i
    for ((i = 0; i < 5; i++)); do
        n=$(on mod-1 'cat /proc/sys/kernel/ns_last_pid')
        apply "$1" -e wanted=present
        n=$(($(on mod-1 'cat /proc/sys/kernel/ns_last_pid') - n))
        ((n >= least)) || least=$n
    done
    echo $least
}
cat >nothing.yml <<'YAML'
- hosts: mod-1
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
YAML
# A first and an empty run: what reaching the host itself takes.
base=$(started nothing.yml) with=$(started apt.yml)
check "apt: nothing to do starts no process ($base, $with)" same "$base" "$with"
apply apt.yml -e wanted=absent --check
check 'apt: a removal in check mode' counts mod-1 changed=1
check 'apt: removes nothing' holds mod-1 'command -v tree'
apply apt.yml -e wanted=absent
check 'apt: removes' counts mod-1 changed=1
check 'apt: it is gone' not holds mod-1 'command -v tree'
apply apt.yml -e wanted=absent
check 'apt: a second removal changes nothing' counts mod-1 changed=0 failed=0

# --- what does something: check mode skips it, and tells of what cannot be known
cat >actions.yml <<'YAML'
- hosts: mod-1
  gather_facts: false
  tasks:
    - ansible.builtin.command: touch /srv/command
    - ansible.builtin.shell: echo x > /srv/shell
    - ansible.builtin.script: hello.sh check
    - ansible.builtin.uri: {url: "{{ web }}/data.json", method: POST, body: {a: 1}, body_format: json, return_content: true}
      register: answer
    - ansible.builtin.wait_for: {path: /etc/passwd, search_regex: "^root:", timeout: 5}
YAML
snapshot mod-1 >before
apply actions.yml "${variables[@]}" --check
check 'actions: check mode works' ended 0
check 'actions: changes nothing' counts mod-1 changed=0
snapshot mod-1 >after
check 'actions: touches nothing' diff before after
cp files/hello.sh .
apply actions.yml "${variables[@]}"
check 'actions: apply works' ended 0
check 'actions: a script of the controller ran there' same "$(on mod-1 'cat /srv/script')" check
check 'actions: nothing is left in /tmp' same "$(on mod-1 'ls -A /tmp | grep -vE "^systemd-private|-unix$"')" ''
apply actions.yml "${variables[@]}" -e web="http://$GATE:9"
check 'uri: a server that is not there' says "$GATE" refused
check 'uri: fails' ended 2
OUT=$(timeout 60 "$GANTRY" run -i "$HOSTS" mod-1 -m wait_for -a "port=9 timeout=2" 2>&1) STATUS=$?
check 'wait_for: gives up' says 'Timeout when waiting for'
adhoc mod-1 -m raw -a 'echo raw; exit 3'
check 'raw: status and output' says 'rc=3' raw
