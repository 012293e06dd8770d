# The main job: fresh hosts become a registry and two nodes of the centre; again; drift; mended.
. Tests/Real/expect.sh
"$LAB" reset real-1 real-2 real-3
"$LAB" inventory >"$WORK/hosts.yml"
mkdir -p "$WORK/50"
cp -R Inventory/group_vars "$WORK/50/"
address() { sed -n "/^    $1:/,/ansible_host/s/.*ansible_host: //p" "$WORK/hosts.yml" | head -n 1; }
{
    echo 'all:'
    echo '  children:'
    echo "    registry: {hosts: {real-1: {ansible_host: $(address real-1)}}}"
    echo "    hxn_cloud: {hosts: {real-2: {ansible_host: $(address real-2)}, real-3: {ansible_host: $(address real-3)}}}"
    echo '  vars:'
    echo '    ansible_user: root'
    echo "    ansible_ssh_private_key_file: $GANTRY_LAB/id_ed25519"
    echo "    ansible_ssh_common_args: -o UserKnownHostsFile=$GANTRY_LAB/known_hosts"
    echo '    mesos_agent_repository: "deb [trusted=yes] file:/srv/mesos-standin ./"'
} >"$WORK/50/hosts.yml"
Tests/Real/fixtures/mesos-repo.sh "$WORK/50/mesos" >/dev/null
apply() { gantry apply -i "$WORK/50/hosts.yml" --vault-password-file Inventory/demo.vault-pass "$@"; }
status 0 apply Playbooks/site.yml --check -e "mesos_standin=$WORK/50/mesos"
status 0 apply Playbooks/demo-mesos-standin.yml Playbooks/site.yml Playbooks/demo-image.yml Playbooks/demo-run.yml \
    -e "mesos_standin=$WORK/50/mesos"
status 0 apply Playbooks/site.yml
unchanged
"$LAB" exec real-2 "sed -i 's/json-file/local/' /etc/docker/daemon.json; systemctl stop docker.socket docker"
status 3 apply Playbooks/site.yml --check --diff --detailed-exitcode
says '+  "log-driver": "json-file"'
status 0 apply Playbooks/site.yml
same "$("$LAB" exec real-2 'systemctl is-active docker')" active
status 0 apply Playbooks/site.yml
unchanged
