# shellcheck shell=bash
# modules and filters in Python: of collections, of the project, of the old kinds; on hosts with Python and without
# The collections of PyPI's package `ansible` and an ansible-core are fetched by pip into a cache, once; GANTRY_COLLECTIONS
# (a folder with `ansible_collections`) and ANSIBLE_VENV name others. ansible-playbook is the oracle.
cache=${GANTRY_CACHE:-/var/cache/gantry-tests}
site=${GANTRY_COLLECTIONS:-$cache/ansible-12.3.0}
core=${ANSIBLE_VENV:-$cache/venv}
[[ -d $site/ansible_collections/community/general ]] || {
    mkdir -p "$site"
    python3 -m pip install -q --no-deps --target "$site" ansible==12.3.0
}
[[ -x $core/bin/ansible-playbook ]] || { python3 -m venv "$core" && "$core/bin/pip" install -q ansible-core==2.19.14; }
: >ansible.cfg
export ANSIBLE_CONFIG=$PWD/ansible.cfg ANSIBLE_COLLECTIONS_PATH=$site GANTRY_ANSIBLE_CORE=$core ANSIBLE_NOCOLOR=1
LIMIT=150

hosts py 1 --python
mkdir -p library filter_plugins
cat >library/shout.py <<'END'
#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec=dict(text=dict(required=True), password=dict(no_log=True)), supports_check_mode=True)
    module.exit_json(changed=True, said=module.params['text'].upper(), password=module.params['password'])


main()
END
cat >filter_plugins/words.py <<'END'
class FilterModule:
    def filters(self):
        return {'doubled': lambda value, times=2: value * times}
END
playbook site <<'YAML'
- hosts: py-1
  gather_facts: false
  tasks:
    - community.general.ini_file: {path: /etc/app.ini, section: web, option: port, value: "80", mode: "0644"}
    - ini_file: {path: /etc/app.ini, section: web, option: port, value: "80", mode: "0644"}
    - community.general.pam_limits: {domain: joe, limit_type: soft, limit_item: nofile, value: "64000"}
    - community.general.archive: {path: /etc/app.ini, dest: /root/app.tgz}
    - community.docker.docker_image_info: {name: none}
      ignore_errors: true
    - shout: {text: hello, password: geheim-1234}
      register: shout
    - debug: {var: shout}
    - assert: {that: "shout.said | doubled == 'HELLOHELLO' and 'ab' | doubled(times=1) == 'ab'"}
    - assert: {that: "[3, 1] | community.general.lists_union([1, 5]) == [3, 1, 5]"}
    - community.general.ini_file: {path: /etc/other.ini, option: a, value: b, mode: "0600"}
      become: true
      become_user: nobody
      ignore_errors: true
YAML
# The outcomes of both, without what only one of them prints.
outcomes() { grep -E '^(changed|ok|fatal|skipping|failed|py-1)' | sed 's/: FAILED! =>.*//; s/ *$//'; }
for mode in --check ''; do
    fresh py-1
    # shellcheck disable=SC2086 # nothing is no argument
    apply $mode site.yml
    check "${mode:-run}: no secret is shown" silent geheim-1234
    ours=$(outcomes <<<"$OUT")
    fresh py-1
    # shellcheck disable=SC2086
    theirs=$("$core/bin/ansible-playbook" -i "$HOSTS" $mode site.yml 2>&1 | outcomes)
    check "${mode:-run}: the outcomes are ansible-playbook's" same "$ours" "$theirs"
done

fresh py-1
apply site.yml
check 'the project'"'"'s module has run' says '"said": "HELLO"'
check 'what was sent is gone' not holds py-1 'ls -d /tmp/gantry* /var/tmp/gantry*'
apply site.yml
check 'a second run changes only what cannot know' counts py-1 changed=1

hosts bare 1
gantry run bare-1 -i "$HOSTS" -m community.general.ini_file -a 'path=/etc/app.ini option=a value=b'
check 'a host without Python: status 2' ended 2
check 'and what would help' says 'there is none on this host' ansible_python_interpreter
