# What changes is in Ansible's linear order; what matches waits for nobody; delegation and run_once go to the right host.
. Tests/Real/expect.sh
cat >"$WORK/40.yml" <<'Y'
- hosts: real
  gather_facts: false
  tasks:
    - shell: sleep 1; date +%s%N > /tmp/first
      when: inventory_hostname == 'real-1'
    - shell: date +%s%N > /tmp/second
    - command: hostname
      run_once: true
      register: name
    - command: hostname
      delegate_to: real-3
      register: other
    - assert: {that: [name.stdout == 'real-1', other.stdout == 'real-3']}
    - set_fact: {mine: "{{ inventory_hostname }}!"}
    - assert: {that: ["hostvars['real-2'].mine == 'real-2!'"]}
Y
status 0 gantry apply -i "$WORK/hosts.yml" "$WORK/40.yml"
first=$("$LAB" exec real-1 'cat /tmp/first')
for host in real-2 real-3; do (($("$LAB" exec $host 'cat /tmp/second') > first)); done
