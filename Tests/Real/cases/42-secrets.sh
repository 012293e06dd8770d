# shellcheck shell=bash
# secrets: in no output, no process list and no file, except the one that asks for it
hosts hideops 1 --sudo-password
secret=vaulted-7391-kestrel
password=$(cat "$GANTRY_LAB/hosts/hideops-1/password")
cp "$REAL/fixtures/secret.yml" "$REAL/fixtures/vault-pass" .
playbook play <<'YAML'
- hosts: hideops-1
  become: true
  vars_files: [secret.yml]
  tasks:
    - name: The file that asks for it
      ansible.builtin.copy: {content: "token={{ api_token }}\n", dest: /root/token, mode: "0600"}
    - name: A line with it
      ansible.builtin.lineinfile: {path: /root/token, line: "again={{ api_token }}"}
    - name: In an environment, for a while
      ansible.builtin.shell: 'test -n "$TOKEN" && sleep 1.5'
      environment: {TOKEN: "{{ api_token }}"}
      changed_when: false
    - name: On standard input
      ansible.builtin.command: {argv: [grep, -c, vaulted], stdin: "{{ api_token }}"}
      changed_when: false
    - name: What a program says
      ansible.builtin.command: cat /root/token
      changed_when: false
      register: said
    - name: Shown by hand
      ansible.builtin.debug: {var: api_token}
    - name: In a message
      ansible.builtin.debug: {msg: "it is {{ api_token }}, {{ said.stdout }}"}
    - name: In a loop
      ansible.builtin.command: "true"
      changed_when: false
      loop: ["{{ api_token }}", other]
    - name: Hidden by hand
      ansible.builtin.command: echo visible-only-here-5521
      no_log: true
      changed_when: false
    - name: A failure that holds it
      ansible.builtin.assert: {that: "api_token == 'x'"}
      ignore_errors: true
    - name: A parameter that is wrong
      ansible.builtin.file: {path: /root/x, state: "{{ api_token }}"}
      ignore_errors: true
    - name: An error with it
      ansible.builtin.template: {src: secret.j2, dest: /root/x, mode: "0600"}
      ignore_errors: true
YAML
echo '{{ api_token }} {{ api_token | from_json }}' >secret.j2

# Everything that runs on the host, sampled while the play runs, with what it was started with.
# (The pattern is written so that it is not in the sampler's own arguments.)
on hideops-1 'n=0; while [ $n -lt 300 ] && [ ! -e /tmp/enough ]; do ps -eo args ww; n=$((n + 1)); sleep 0.03; done >/tmp/processes' &
sampler=$!
apply play.yml -vvvv --diff --vault-password-file vault-pass
on hideops-1 'touch /tmp/enough'
wait $sampler
check 'the play works' counts hideops-1 failed=0 unreachable=0
check 'the file that asks for it has it' same \
    "$(on hideops-1 "echo '$password' | sudo -S -p '' cat /root/token")" $'token='"$secret"$'\nagain='"$secret"
check 'the processes were sampled' test "$(on hideops-1 'grep -c . /tmp/processes')" -gt 500
check 'no process list shows the secret' same "$(on hideops-1 "grep -c '${secret:0:8}[-]' /tmp/processes")" 0
check 'no process list shows the password' same "$(on hideops-1 "grep -cF '$password' /tmp/processes")" 0
for text in "$secret" "$password" visible-only-here-5521; do
    check "no output shows it, at -vvvv and with --diff (${text:0:8})" silent "$text"
done
apply play.yml --output json -vvvv --diff --vault-password-file vault-pass
check 'nor does JSON' silent "$secret" "$password" visible-only-here-5521
check 'the secret is said to be hidden' says hidden

# Every file of the node: the journal and the leftovers of the run included.
on hideops-1 "rm -f /tmp/processes"
# What is looked for comes by standard input, so that looking leaves no trace of it.
search() {
    printf '%s\n%s\n' "$password" "$1" | on hideops-1 "sudo -S -p '' sh -c '
        cat >/dev/shm/pattern; grep -rlF -f /dev/shm/pattern /root /home /etc /var /tmp /opt /srv; rm /dev/shm/pattern' 2>/dev/null"
}
check 'no file of the node holds the secret but that one' same "$(search "$secret")" /root/token
check 'no file of the node holds the password' same "$(search "$password")" ''

# A wrong vault password tells nothing, and touches no host.
echo wrong >wrong-pass
apply play.yml --vault-password-file wrong-pass
check 'wrong vault password: fails' not ended 0
check 'wrong vault password: touches no host' silent 'TASK ['
