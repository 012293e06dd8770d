# shellcheck shell=bash
# becoming another user: sudo and su, with and without password, for plays and for tasks
hosts root 1
hosts rootops 1 --sudo-password
password=$(cat "$GANTRY_LAB/hosts/rootops-1/password")
# The same host without its password.
sed '/ansible_become_password/d' "$HOSTS" >bare.yml
bare() { gantry run -i bare.yml "$@"; }

adhoc rootops-1 -m command -a 'id -un'
check 'without become it is ops' says ops 'rc=0'
adhoc rootops-1 -b -m command -a 'id -un'
check 'sudo with password' says root
check 'sudo with password: status 0' ended 0

adhoc rootops-1 -b -m command -a 'id -un' -e ansible_become_password=not-the-one
check 'wrong password: says so' says 'Incorrect sudo password'
check 'wrong password: is not shown' silent not-the-one
check 'wrong password: status' not ended 0
bare rootops-1 -b -m command -a 'id -un'
check 'missing password: says so' says 'password'
check 'missing password: says the way out' says 'ansible_become_password'
check 'missing password: status' not ended 0

echo "$password" >secret
bare rootops-1 -b -m command -a 'id -un' --become-password-file secret
check 'the password from a file' says root

# Facts and files of a play are those of the user that it becomes.
playbook play <<'YAML'
- hosts: rootops-1
  become: true
  tasks:
    - ansible.builtin.assert: {that: "ansible_facts['user_id'] == 'root'"}
    - ansible.builtin.user: {name: worker}
    - ansible.builtin.command: id -un
      become_user: worker
      register: as_worker
      changed_when: false
    - ansible.builtin.copy: {content: "by worker\n", dest: /home/worker/note, mode: "0600"}
      become_user: worker
    - ansible.builtin.command: id -un
      become: false
      register: as_ops
      changed_when: false
    - ansible.builtin.stat: {path: /home/worker/note}
      register: note
    - ansible.builtin.assert:
        that:
          - as_worker.stdout == 'worker'
          - as_ops.stdout == 'ops'
          - note.stat.pw_name == 'worker' and note.stat.mode == '0600'
YAML
apply play.yml
check 'become for a play, another user for tasks, none for one' ended 0
check 'and it changes what it should' counts rootops-1 changed=2 failed=0
apply play.yml
check 'the second run changes nothing' counts rootops-1 changed=0 failed=0
check 'nothing is left in /tmp' same "$(on rootops-1 'ls -A /tmp | grep -vE "^systemd-private|-unix$"')" ''
check 'no agent is left' no_agent rootops-1

playbook task <<'YAML'
- hosts: rootops-1
  gather_facts: false
  tasks:
    - ansible.builtin.command: id -un
      register: plain
    - ansible.builtin.command: id -un
      register: raised
      become: true
    - ansible.builtin.command: id -un
      register: other
      become: true
      become_user: worker
    - ansible.builtin.assert: {that: "[plain.stdout, raised.stdout, other.stdout] == ['ops', 'root', 'worker']"}
YAML
apply task.yml
check 'become for single tasks' ended 0

# su needs the password of who it becomes.
on rootops-1 "echo '$password' | sudo -S -p '' sh -c 'echo root:the-root-password | chpasswd; echo worker:the-worker-password | chpasswd'" 2>/dev/null
bare rootops-1 -b --become-method su -m command -a 'id -un' -e ansible_become_password=the-root-password
check 'su with password' says root 'rc=0'
bare rootops-1 -b --become-method su --become-user worker -m command -a 'id -un' -e ansible_become_password=the-worker-password
check 'su to another user' says worker 'rc=0'
bare rootops-1 -b --become-method su -m command -a 'id -un' -e ansible_become_password=not-the-one
check 'su with a wrong password fails' not ended 0
check 'su with a wrong password: says so' says 'Incorrect su password'
check 'and no password was shown' silent the-root-password not-the-one

on rootops-1 "echo '$password' | sudo -S -p '' sh -c 'echo \"ops ALL=(ALL) NOPASSWD: ALL\" >/etc/sudoers.d/zz-lab; chmod 440 /etc/sudoers.d/zz-lab'" 2>/dev/null
bare rootops-1 -b -m command -a 'id -un'
check 'sudo with NOPASSWD' says root 'rc=0'
adhoc rootops-1 -b -m command -a 'id -un'
check 'a password that sudo does not ask for' says root 'rc=0'

# From root, no sudo is needed.
playbook root <<'YAML'
- hosts: root-1
  gather_facts: false
  tasks:
    - ansible.builtin.user: {name: worker, groups: [video]}
    - ansible.builtin.command: sh -c 'id -un; id -Gn; echo $HOME'
      become: true
      become_user: worker
      register: worker
    - ansible.builtin.assert: {that: "worker.stdout_lines == ['worker', 'worker video', '/home/worker']"}
    - ansible.builtin.command: id -un
      become: true
      become_method: su
      become_user: nobody
      register: nobody
    - ansible.builtin.assert: {that: "nobody.stdout == 'nobody'"}
YAML
on root-1 'mv /usr/bin/sudo /usr/bin/sudo.off'
apply root.yml
check 'root becomes others by itself' ended 0
adhoc root-1 -b --become-user nosuch -m ping
check 'a user that is not there: fails' not ended 0
check 'a user that is not there: says so' says 'nosuch'
on root-1 'mv /usr/bin/sudo.off /usr/bin/sudo'
