# shellcheck shell=bash
# many connections at the same time: 8 hosts under 40 names each
hosts many 8
{
    printf 'all:\n  vars: {ansible_user: root, ansible_ssh_private_key_file: %s}\n  hosts:\n' "$GANTRY_LAB/id_ed25519"
    for host in 1 2 3 4 5 6 7 8; do
        for name in {1..40}; do
            printf '    m%s-%s: {ansible_host: %s, ansible_ssh_common_args: "-F none -o IdentitiesOnly=yes -o UserKnownHostsFile=%s"}\n' \
                $host "$name" "$(address many-$host)" "$GANTRY_LAB/known_hosts"
        done
    done
} >many.yml
# sshd turns log-ins away when ten are under way: these are meant to come together.
for host in 1 2 3 4 5 6 7 8; do
    on many-$host 'echo "MaxStartups 200" >/etc/ssh/sshd_config.d/many.conf; systemctl reload ssh' &
done
wait
gantry run -i "$HOSTS" 'many-*' -m ping
check 'the agent is there' ended 0
gantry run -i many.yml all -f 0 -m ping
check '320 connections: status 0' ended 0
check '320 connections: each answers' same "$(grep -c 'SUCCESS' <<<"$OUT")" 320
for host in 1 2 3 4 5 6 7 8; do check "no agent is left on many-$host" waits 10 no_agent many-$host; done
