# shellcheck shell=bash
# ways to log in: passwords, keyboard-interactive, encrypted keys, an agent, what ~/.ssh/config names
hosts login 1 --sudo-password
known=$GANTRY_LAB/known_hosts
ops=$(address login-1)
password=$(cat "$GANTRY_LAB/hosts/login-1/password")

cat >password.yml <<YAML
all:
  hosts:
    ops: {ansible_host: $ops, ansible_user: ops, ansible_password: "$password", ansible_ssh_common_args: "-F none -o PubkeyAuthentication=no -o UserKnownHostsFile=$known"}
YAML
login() { env -u SSH_AUTH_SOCK HOME="$PWD" "$GANTRY" run -i password.yml ops "$@" </dev/null 2>&1; }
methods() {
    on login-1 "echo '$password' | sudo -S -p '' sh -c 'printf \"PasswordAuthentication $1\nKbdInteractiveAuthentication $2\nUsePAM yes\n\" >/etc/ssh/sshd_config.d/00-lab.conf; systemctl reload ssh'" 2>/dev/null
    sleep 0.5
}
methods yes no
OUT=$(login -m ping) STATUS=$?
check 'log-in by password' ended 0
methods no yes
OUT=$(login -m ping) STATUS=$?
check 'log-in by keyboard-interactive' ended 0
OUT=$(login -m ping -e ansible_password=not-the-one) STATUS=$?
check 'wrong password: status 4' ended 4
check 'wrong password: says what was tried, not the password' says UNREACHABLE ops
check 'wrong password: not shown' silent not-the-one "$password"
methods yes no

# --- a key with a passphrase
ssh-keygen -q -t ed25519 -N 'open sesame' -C locked -f locked
on login-1 'cat >>.ssh/authorized_keys' <locked.pub
cat >locked.yml <<YAML
all:
  hosts:
    ops: {ansible_host: $ops, ansible_user: ops, ansible_ssh_private_key_file: $PWD/locked, ansible_ssh_common_args: "-F none -o IdentitiesOnly=yes -o UserKnownHostsFile=$known"}
YAML
gantry run -i locked.yml ops -m ping
check 'encrypted key, no terminal: status 4' ended 4
check 'encrypted key, no terminal: says the way out' says 'has a passphrase' 'ssh-add'
# asks ANSWER…: at a terminal.
asks() {
    local answers=() answer
    for answer in "$@"; do answers+=(--answer "$answer"); done
    OUT=$(env -u SSH_AUTH_SOCK python3 "$REAL/fixtures/terminal.py" "${answers[@]}" -- "$GANTRY" run -i locked.yml ops -m ping 2>&1)
    STATUS=$(sed -n 's/^status \([0-9-]*\) .*/\1/p' <<<"$OUT" | tail -n 1)
}
asks 'open sesame'
check 'encrypted key: asks' says 'Enter passphrase for key' SUCCESS
check 'encrypted key: shows no passphrase, and the terminal is as it was' silent 'open sesame'
check 'encrypted key: the terminal is as it was' says 'terminal restored'
asks wrong 'open sesame'
check 'wrong passphrase: asks again' says 'Bad passphrase, try again for' SUCCESS
asks wrong wrong wrong
check 'wrong passphrase, three times: status 4' ended 4
check 'wrong passphrase, three times: says so' says 'the passphrase is wrong'
asks
check 'Ctrl-C at the question: it ends' not ended 0
check 'Ctrl-C at the question: the terminal is as it was' says 'terminal restored'

# --- an agent
printf '#!/bin/sh\necho open sesame\n' >askpass
chmod 700 askpass
eval "$(ssh-agent -a "$PWD/agent")" >/dev/null
SERVERS+=("$SSH_AGENT_PID")
SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force ssh-add -q locked
gantry run -i locked.yml ops -m ping
check 'a key that the agent has' ended 0
sed 's/ansible_ssh_private_key_file: [^,]*, //; s/-o IdentitiesOnly=yes //' locked.yml >agent.yml
HOME=$PWD gantry run -i agent.yml ops -m ping
check 'any key of the agent' ended 0
unset SSH_AUTH_SOCK

# --- what ~/.ssh/config says
mkdir -m 700 .ssh
cat >.ssh/config <<TEXT
Host lisa
  HostName $ops
  User ops
  IdentityFile $GANTRY_LAB/id_ed25519
  UserKnownHostsFile $known
TEXT
# As with ssh itself, it is the user's home that counts, and not what HOME says.
made=no
[[ -d /root/.ssh ]] || { mkdir -m 700 /root/.ssh; made=yes; }
OUT=$(unshare -m sh -c 'mount --bind .ssh /root/.ssh; exec "$GANTRY" run -i lisa, lisa -m command -a "id -un"' 2>&1)
[[ $made == no ]] || rmdir /root/.ssh
check "the user's own configuration" says ops 'rc=0'
