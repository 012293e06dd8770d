# shellcheck shell=bash
# several hosts: changes are made in Ansible's order; serial, any_errors_fatal, run_once, delegation, hostvars
stamp() { on "$1" "cat /srv/$2"; }
clear_stamps() { for host in order-1 order-2 order-3; do on $host 'rm -rf /srv/*'; done; }
hosts order 3

playbook linear <<'YAML'
- hosts: order-*
  gather_facts: false
  tasks:
    - name: One has to work
      ansible.builtin.shell: sleep 1; date +%s%N > /srv/first
      when: inventory_hostname == 'order-1'
    - name: All
      ansible.builtin.shell: date +%s%N > /srv/second
YAML
apply linear.yml
check 'linear: it works' ended 0
for host in order-2 order-3; do
    check "linear: $host waited for order-1" test "$(stamp $host second)" -gt "$(stamp order-1 first)"
done
clear_stamps
sed 's/gather_facts: false/gather_facts: false\n  strategy: free/' linear.yml >free.yml
apply free.yml
check 'free: it works' ended 0
check 'free: nobody waits' test "$(stamp order-2 second)" -lt "$(stamp order-1 first)"

# What has nothing to change does not wait: with one host busy, the other is through its checks already.
clear_stamps
playbook ahead <<'YAML'
- hosts: order-1,order-2
  gather_facts: false
  tasks:
    - ansible.builtin.file: {path: /srv/there, state: directory, mode: "0755"}
    - ansible.builtin.copy: {content: "x\n", dest: /srv/there/file, mode: "0644"}
YAML
apply ahead.yml
apply ahead.yml
check 'matching hosts: nothing is changed' unchanged order-1
# While one is at work, the other has looked at what comes after: that shows in the time of the last look.
playbook apart <<'YAML'
- hosts: order-1,order-2
  gather_facts: false
  tasks:
    - ansible.builtin.shell: touch /srv/started; sleep 4
      when: inventory_hostname == 'order-1'
    - ansible.builtin.stat: {path: /srv/looked-at}
YAML
on order-2 'echo x >/srv/looked-at'
looked() { on order-2 'stat -c %x /srv/looked-at'; }
before=$(looked)
"$GANTRY" apply -i "$HOSTS" apart.yml >apart.out 2>&1 </dev/null &
waits 20 holds order-1 'test -e /srv/started'
check 'matching hosts: nobody waits for the other' waits 2 eval '[[ $(looked) != "$before" ]]'
check 'matching hosts: while it is at work' kill -0 $!
wait $!

clear_stamps
playbook serial <<'YAML'
- hosts: order-*
  gather_facts: false
  serial: [1, 2]
  tasks:
    - ansible.builtin.shell: date +%s%N > /srv/begin; sleep 0.5; date +%s%N > /srv/end
YAML
apply serial.yml
check 'serial: two batches' same "$(grep -c '^PLAY \[' <<<"$OUT")" 2
check 'serial: the second batch began after the first' test "$(stamp order-2 begin)" -gt "$(stamp order-1 end)"
check 'serial: a batch works side by side' test "$(stamp order-3 begin)" -lt "$(stamp order-2 end)"

clear_stamps
playbook fatal <<'YAML'
- hosts: order-*
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - ansible.builtin.command: test {{ inventory_hostname }} != order-2
      changed_when: false
    - ansible.builtin.shell: touch /srv/reached
- hosts: order-*
  gather_facts: false
  tasks:
    - ansible.builtin.shell: touch /srv/reached
YAML
apply fatal.yml
check 'any_errors_fatal: status 2' ended 2
check 'any_errors_fatal: says so' says 'fatal: [order-2]'
check 'any_errors_fatal: no play after it' same "$(grep -c '^PLAY \[' <<<"$OUT")" 1
for host in order-1 order-3; do check "any_errors_fatal: $host did not go on" not holds $host 'test -e /srv/reached'; done
sed -i '/any_errors_fatal/d' fatal.yml
apply fatal.yml
check 'without it: status 2' ended 2
check 'without it: the others go on' counts order-1 ok=3 changed=2 failed=0
check 'without it: the one that failed does not' counts order-2 ok=0 failed=1

clear_stamps
playbook together <<YAML
- hosts: order-1,order-2
  gather_facts: false
  tasks:
    - name: Once, on another host
      ansible.builtin.shell: hostname | tee /srv/once
      run_once: true
      delegate_to: order-3
      register: once
    - name: Everyone knows
      ansible.builtin.assert: {that: once.stdout == 'order-3'}
    - name: Its own
      ansible.builtin.command: hostname
      register: own
    - name: Of the other
      ansible.builtin.copy:
        content: "{{ hostvars[other].own.stdout }} {{ hostvars[other].ansible_host }}\n"
        dest: /srv/other
        mode: "0644"
      vars:
        other: "{{ {'order-1': 'order-2', 'order-2': 'order-1'}[inventory_hostname] }}"
    - name: On this machine
      ansible.builtin.copy:
        content: "{{ inventory_hostname }}\n"
        dest: "$PWD/from-{{ inventory_hostname }}"
        mode: "0600"
      delegate_to: localhost
    - name: Facts of another
      ansible.builtin.setup:
      delegate_to: order-3
      delegate_facts: true
      run_once: true
    - ansible.builtin.assert: {that: "hostvars['order-3'].ansible_facts['hostname'] == 'order-3'"}
YAML
apply together.yml
check 'run_once, delegate_to, hostvars: status 0' ended 0
check 'run_once and delegate_to: on that host' same "$(on order-3 'cat /srv/once')" order-3
check 'run_once and delegate_to: nowhere else' not holds order-1 'test -e /srv/once'
check 'hostvars across hosts' same "$(on order-1 'cat /srv/other')" "order-2 $(address order-2)"
check 'delegate_to localhost' same "$(cat from-order-1 from-order-2)" $'order-1\norder-2'
check 'delegation is shown' says '[order-1 -> order-3' '[order-2 -> localhost'
