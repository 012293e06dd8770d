# shellcheck shell=bash
# what the shipped roles do beyond the site: Mesos agents whose resources change, drained before; Docker's own repository
LIMIT=200
hosts roles 1
playbook mesos <<'YAML'
- hosts: roles-1
  roles:
    - role: mesos_agent
      mesos_agent_repository: "deb [trusted=yes] file:/srv/mesos-standin ./"
      mesos_agent_containerizers: [mesos]
      mesos_agent_hostname: roles-1
      mesos_agent_zookeeper_url: zk://user:zkword@192.0.2.1:2181/mesos
      mesos_agent_attributes: {rack: r1}
      mesos_agent_principal: cloud
      mesos_agent_secret: agentword
      mesos_agent_master_user: drain
      mesos_agent_master_password: secret
YAML
"$REAL/fixtures/mesos-repo.sh" "$PWD/mesos-standin" >mesos.log 2>&1
python3 "$REAL/fixtures/mesos-master-stub.py" 7450 roles-1 >>master.calls 2>master.log &
SERVERS+=($!)
waits 10 bash -c "exec 3<>/dev/tcp/$GATE/7450"
adhoc roles-1 -m copy -a 'src=mesos-standin/ dest=/srv/mesos-standin/ mode=0644 directory_mode=0755'

# agent RESOURCES: runs the role with them.
agent() {
    : >master.calls
    apply mesos.yml -e "{mesos_agent_resources: $1, mesos_agent_master_url: 'http://$GATE:7450'}"
    printf '%s\n' "$OUT" >>outputs
}
calls() { grep -o '"type": "[A-Z_]*"' master.calls | cut -d'"' -f4 | uniq | tr '\n' ' '; }
known_as() { on roles-1 'readlink /var/lib/mesos/meta/slaves/latest'; }
flag() { on roles-1 "tr '\\0' '\\n' </proc/\$(systemctl show -P MainPID mesos-slave)/cmdline" | grep -e "--$1="; }

agent '{cpus: 4, mem: 1024}'
check 'Mesos: status 0' ended 0
check 'Mesos: the agent runs' holds roles-1 'systemctl is-active mesos-slave'
check 'Mesos: with its resources' same "$(flag resources)" '--resources=cpus:4;mem:1024'
check 'Mesos: with its attributes' same "$(flag attributes)" '--attributes=rack:r1'
check 'Mesos: a new agent is not drained' same "$(calls)" ''
check 'Mesos: only root reads its credential' \
    same "$(on roles-1 'stat -c %a:%U /etc/mesos/agent-credential.json')" 600:root
check 'Mesos: only root reads where the masters are' holds roles-1 \
    'grep -rl zkword /etc | while read -r file; do [ "$(stat -c %a "$file")" = 600 ] || exit 1; done'
first=$(known_as)
agent '{cpus: 4, mem: 1024}'
check 'Mesos: a second run changes nothing' unchanged roles-1
agent '{cpus: 8, mem: 1024}'
check 'more resources: status 0' ended 0
check 'more resources: drained before the restart, and taken back in' \
    same "$(calls)" 'GET_AGENTS DRAIN_AGENT GET_AGENTS REACTIVATE_AGENT '
check 'more resources: it is the same agent' same "$(known_as)" "$first"
check 'more resources: it offers them' same "$(flag resources)" '--resources=cpus:8;mem:1024'
agent '{cpus: 2, mem: 1024}'
check 'fewer resources: status 0' ended 0
check 'fewer resources: drained, and gone for good' same "$(calls)" 'GET_AGENTS DRAIN_AGENT GET_AGENTS '
check 'fewer resources: it comes back as another agent' not same "$(known_as)" "$first"
check 'fewer resources: it runs with them' same "$(flag resources)" '--resources=cpus:2;mem:1024'
agent '{cpus: 2, mem: 1024}'
check 'fewer resources: a second run changes nothing' unchanged roles-1
check 'no secret is in the outputs' not grep -qE 'zkword|agentword' outputs

# --- Docker's own repository: stand-ins for its packages, signed
on roles-1 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends gnupg' >gnupg.log 2>&1
on roles-1 'cat >/root/docker-repo.sh; sh /root/docker-repo.sh /srv/docker-standin' \
    <"$REAL/fixtures/docker-repo.sh" >repo.log 2>&1
on roles-1 'cat /srv/docker-standin/key.asc' >key.asc
on roles-1 'useradd -m worker; mkdir -p /etc/docker; cat >/etc/docker/daemon.json' <<<'{"labels": ["by=hand"], "debug": false}'
playbook docker <<'YAML'
- hosts: roles-1
  roles:
    - role: docker_engine
      docker_engine_source: docker
      docker_engine_repo_url: file:/srv/docker-standin
      docker_engine_repo_suite: ./
      docker_engine_repo_key: "{{ lookup('file', 'key.asc') }}"
      docker_engine_support_packages: []
      docker_engine_storage_driver: overlay2
      docker_engine_cgroup_driver: systemd
      docker_engine_users: [worker]
      docker_engine_proxy: {http: "http://me:proxyword@192.0.2.7:3128", no: [localhost, .lan]}
YAML
engine() { apply --diff docker.yml "$@"; printf '%s\n' "$OUT" >>outputs; }
daemon() { on roles-1 'cat /etc/docker/daemon.json' | python3 -c "import json, sys; d = json.load(sys.stdin); print(($1))"; }
process() { on roles-1 'systemctl show -P MainPID docker'; }

engine
check 'Docker: status 0' ended 0
check 'Docker: from the repository' holds roles-1 "dpkg-query -W -f '\${Version}' docker-ce | grep -q standin"
check 'Docker: which is signed' holds roles-1 'grep -q "^Signed-By: /etc/apt/keyrings/docker.asc" /etc/apt/sources.list.d/docker.sources'
check 'Docker: runs' holds roles-1 'systemctl is-active docker && systemctl is-enabled docker'
check 'Docker: what others wrote into daemon.json stays' same "$(daemon "d['labels'], d['debug']")" "(['by=hand'], False)"
check 'Docker: drivers' same "$(daemon "d['storage-driver'], d['exec-opts']")" \
    "('overlay2', ['native.cgroupdriver=systemd'])"
check 'Docker: logs are rotated' same "$(daemon "d['log-driver'], d['log-opts']['max-size']")" "('json-file', '10m')"
check 'Docker: its user' holds roles-1 'id -nG worker | grep -qw docker'
check 'Docker: the proxy is in its environment' holds roles-1 \
    'tr "\0" "\n" </proc/$(systemctl show -P MainPID docker)/environ | grep -q "^HTTP_PROXY=http://me:proxyword@"'
check 'Docker: and only root reads it' same "$(on roles-1 'stat -c %a:%U /etc/docker/proxy.env')" 600:root
before=$(process)
engine
check 'Docker: a second run changes nothing' unchanged roles-1
engine -e '{docker_engine_registry_mirrors: ["https://mirror.lan"]}'
check 'a key that Docker takes over: no restart' same "$(process)" "$before"
check 'a key that Docker takes over: is written' same "$(daemon "d['registry-mirrors']")" "['https://mirror.lan']"
engine -e '{docker_engine_storage_driver: vfs}'
check 'a key that it does not take over: a restart' not same "$(process)" "$before"
before=$(process)
engine -e '{docker_engine_storage_driver: vfs, docker_engine_proxy: {}}'
check 'no proxy any more: a restart' not same "$(process)" "$before"
check 'no proxy any more: no file of it' not holds roles-1 \
    'ls /etc/docker/proxy.env || ls /etc/systemd/system/docker.service.d/20-proxy.conf'
check 'the password of the proxy is in no output' not grep -q proxyword outputs

# --- what `make install` puts in place finds its parts without variables
make -s -C "$TOP" -o build agent-gz install RELEASE="${GANTRY%/*}" PREFIX="$PWD/prefix" >install.log 2>&1
check 'make install: the program, the agent, roles and playbooks' \
    test -x prefix/bin/gantry -a -x prefix/lib/gantry/gantry-agent -a -f prefix/share/gantry/Roles/docker_engine/tasks/main.yml
here=$PWD
OUT=$(cd / && env -u GANTRY_AGENT "$here/prefix/bin/gantry" run -i "$HOSTS" roles-1 -m ping 2>&1 </dev/null) STATUS=$?
check 'make install: it brings its agent to hosts' says 'pong'
OUT=$(cd / && "$here/prefix/bin/gantry" apply --list-tasks -i "$HOSTS" "$here/docker.yml" 2>&1 </dev/null) STATUS=$?
check 'make install: it finds its roles' says 'docker_engine : Write daemon.json'
