# Modules that are files: of collections, of the project, and of the old kinds; on hosts with Python and without.
# Needs the collections of PyPI's package `ansible` and an ansible-core: GANTRY_COLLECTIONS is a folder with
# `ansible_collections`; without it they are fetched by pip into a cache. ansible-playbook is the oracle.
. Tests/Real/expect.sh
cache=${GANTRY_CACHE:-/var/cache/gantry-tests}
site=${GANTRY_COLLECTIONS:-$cache/ansible-12.3.0}
if [[ ! -d $site/ansible_collections/community/general ]]; then
    mkdir -p "$site"
    python3 -m pip install -q --no-deps --target "$site" ansible==12.3.0
fi
core=${ANSIBLE_VENV:-$cache/venv}
[[ -x $core/bin/ansible-playbook ]] || { python3 -m venv "$core" && "$core/bin/pip" install -q ansible-core==2.19.14; }
: >"$WORK/ansible.cfg"
export ANSIBLE_CONFIG=$WORK/ansible.cfg ANSIBLE_COLLECTIONS_PATH=$site GANTRY_ANSIBLE_CORE=$core ANSIBLE_NOCOLOR=1

"$LAB" up 1 --prefix py --python >>"$WORK/lab.log" 2>&1
"$LAB" inventory >"$WORK/hosts.yml"
project=$WORK/python
mkdir -p "$project/library"
cat >"$project/library/shout.py" <<'END'
#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec=dict(text=dict(required=True), password=dict(no_log=True)), supports_check_mode=True)
    module.exit_json(changed=True, said=module.params['text'].upper(), password=module.params['password'])


main()
END
mkdir -p "$project/filter_plugins"
cat >"$project/filter_plugins/words.py" <<'END'
class FilterModule:
    def filters(self):
        return {'doubled': lambda value, times=2: value * times}
END
cat >"$project/site.yml" <<'END'
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
END
# The outcomes of both, without what only one of them prints.
outcomes() { grep -E '^(changed|ok|fatal|skipping|failed|py-1)' | sed 's/: FAILED! =>.*//; s/ *$//'; }
before=$("$LAB" exec py-1 'ls /tmp')
for mode in --check ""; do
    "$LAB" reset py-1 >>"$WORK/lab.log" 2>&1
    gantry apply -i "$WORK/hosts.yml" $mode "$project/site.yml" >"$WORK/ours" 2>&1 || true
    cp "$WORK/ours" "$WORK/out"
    "$LAB" reset py-1 >>"$WORK/lab.log" 2>&1
    "$core/bin/ansible-playbook" -i "$WORK/hosts.yml" $mode "$project/site.yml" >"$WORK/theirs" 2>&1 || true
    same "$(outcomes <"$WORK/ours")" "$(outcomes <"$WORK/theirs")"
done
OUT=$(cat "$WORK/out")
silent geheim-1234
says '"said": "HELLO"'

# What was sent is gone, and a second run changes nothing but what cannot know.
"$LAB" reset py-1 >>"$WORK/lab.log" 2>&1
status 0 gantry apply -i "$WORK/hosts.yml" "$project/site.yml"
same "$("$LAB" exec py-1 'ls -d /tmp/gantry* 2>/dev/null')" ''
status 0 gantry apply -i "$WORK/hosts.yml" "$project/site.yml"
says 'changed=1 '

# A host without Python is told what would help.
status 2 gantry run real-1 -i "$WORK/hosts.yml" -m community.general.ini_file -a 'path=/etc/app.ini option=a value=b'
says 'there is none on this host'
says 'ansible_python_interpreter'
