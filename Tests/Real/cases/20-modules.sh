# Modules on a real host: check mode changes nothing, apply changes, a second run changes nothing.
. Tests/Real/expect.sh
mkdir -p "$WORK/20/templates"
echo 'host={{ inventory_hostname }} release={{ ansible_facts.distribution_release }}' >"$WORK/20/templates/a.conf.j2"
cat >"$WORK/20/site.yml" <<'Y'
- hosts: real-1
  tasks:
    - group: {name: telemetry, gid: 4242}
    - user: {name: lisa, group: telemetry, shell: /bin/bash, home: /srv/lisa}
    - file: {path: /srv/data, state: directory, owner: lisa, mode: "0750"}
    - copy: {content: "one\ntwo\n", dest: /srv/data/list, owner: lisa, mode: "0640"}
    - template: {src: a.conf.j2, dest: /srv/data/a.conf}
      notify: Note it
    - lineinfile: {path: /srv/data/lines, regexp: "^2", line: "2", create: true}
    - blockinfile: {path: /srv/data/lines, block: "three\nfour"}
    - apt: {name: tree, state: present, update_cache: true, cache_valid_time: 3600}
    - copy:
        dest: /etc/systemd/system/beat.service
        content: "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    - systemd: {name: beat, state: started, enabled: true, daemon_reload: true}
    - command: {cmd: touch /srv/data/made, creates: /srv/data/made}
    - stat: {path: /srv/data/list}
      register: list
    - assert: {that: [ansible_check_mode or list.stat.mode == '0640']}
  handlers:
    - name: Note it
      lineinfile: {path: /srv/data/notes, line: changed, create: true}
Y
snapshot() {
    "$LAB" exec real-1 'cat /etc/passwd /etc/group; ls -lR --time-style=full-iso /srv /etc/systemd/system; dpkg -l tree 2>&1; true'
}
gantry run real-1 -i "$WORK/hosts.yml" -- true
before=$(snapshot)
status 3 gantry apply -i "$WORK/hosts.yml" "$WORK/20/site.yml" --check --diff --detailed-exitcode
says '+one'
same "$(snapshot)" "$before"
status 0 gantry apply -i "$WORK/hosts.yml" "$WORK/20/site.yml"
says 'RUNNING HANDLER [Note it]'
status 0 gantry apply -i "$WORK/hosts.yml" "$WORK/20/site.yml"
unchanged
same "$("$LAB" exec real-1 'cat /srv/data/a.conf')" 'host=real-1 release=bookworm'
same "$("$LAB" exec real-1 'cat /srv/data/list; head -n 1 /srv/data/lines')" $'one\ntwo\n2'
same "$("$LAB" exec real-1 'systemctl is-active beat')" active
status 0 gantry run real-1 -i "$WORK/hosts.yml" -m apt -a 'name=tree state=absent'
! "$LAB" exec real-1 'command -v tree'
