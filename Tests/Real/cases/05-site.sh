# shellcheck shell=bash
# the shipped roles on three fresh hosts: a registry and two cloud nodes; twice, checked, with a drift
CENTRE=inventory
LIMIT=300
hosts site 3
"$REAL/fixtures/mesos-repo.sh" "$PWD/mesos-standin" >mesos.log 2>&1
check 'the stand-in packages are made' test -s mesos-standin/Packages
mkdir $CENTRE
ln -s "$TOP/Inventory/group_vars" $CENTRE/group_vars
cp "$HOSTS" $CENTRE/10-hosts.yml
cat >$CENTRE/20-centre.yml <<YAML
all:
  vars:
    mesos_agent_repository: "deb [trusted=yes] file:/srv/mesos-standin ./"
    mesos_standin: $PWD/mesos-standin
  children:
    registry:
      hosts:
        site-1:
    hxn_cloud:
      hosts:
        site-2:
        site-3:
YAML
centre() {
    gantry apply -i $CENTRE --vault-password-file "$TOP/Inventory/demo.vault-pass" "$@"
    printf '%s\n' "$OUT" >>outputs
}
books() { local name; for name in "$@"; do echo "$TOP/Playbooks/$name.yml"; done; }
mapfile -t provision < <(books demo-mesos-standin site)
mapfile -t image < <(books demo-image demo-run)
three() { local host; for host in site-1 site-2 site-3; do "$1" $host || return; done; }

adhoc 'site-*' -m ping
for host in site-1 site-2 site-3; do snapshot $host >$host.before; done
centre --check --diff "${provision[@]}"
check 'check of fresh hosts: status 0' ended 0
check 'check of fresh hosts: tells of changes' three changed
for host in site-1 site-2 site-3; do
    snapshot $host >$host.after
    check "check of fresh hosts: changes nothing on $host" diff $host.before $host.after
done

centre "${provision[@]}"
check 'converge: status 0' ended 0
check 'converge: changes all' three changed
check 'the registry answers by TLS' holds site-2 \
    'timeout 10 bash -c "docker manifest inspect myregistrydomain.com/hxn/smoke:1" || docker pull -q myregistrydomain.com/hxn/smoke:1'
for host in site-2 site-3; do
    check "the Mesos agent runs on $host" holds $host 'systemctl is-active mesos-slave'
done
centre "${image[@]}"
check 'image: status 0' ended 0
check 'image: built, pushed, and run by both nodes' says 'changed: [site-1]' 'site-2: {' 'site-3: {'
centre "${provision[@]}" "${image[@]}"
check 'second run: status 0' ended 0
check 'second run: changes nothing' three unchanged
centre --check --detailed-exitcode "${provision[@]}" "${image[@]}"
check 'check after it: finds nothing' ended 0

mapfile -t site < <(books site)
on site-2 'sed -i "s/\"live-restore\": *true/\"live-restore\": false/" /etc/docker/daemon.json; systemctl stop docker.socket docker.service' 2>/dev/null
centre --check --diff --detailed-exitcode "${site[@]}"
check 'drift: is found' ended 3
check 'drift: its file is shown' says '-' 'live-restore'
check 'drift: nothing on the others' unchanged site-3
check 'drift: a check does not mend it' not holds site-2 'systemctl is-active docker'
centre "${site[@]}"
check 'drift: is mended' changed site-2
check 'drift: Docker runs' holds site-2 'systemctl is-active docker'
check 'drift: the file is as it was' holds site-2 'grep -q "live-restore\": *true" /etc/docker/daemon.json'
centre "${site[@]}"
check 'drift: nothing is left of it' three unchanged

# The cloud nodes by themselves, some at a time.
mapfile -t cloud < <(books provision-cloud)
centre "${cloud[@]}"
check 'provision-cloud: status 0' ended 0
check 'provision-cloud: batches' same "$(grep -c '^PLAY \[Turn' <<<"$OUT")" 2
check 'provision-cloud: changes nothing here' unchanged site-2
centre --syntax-check "${provision[@]}" "${image[@]}" "$TOP"/Playbooks/*.yml
check 'every playbook can be read' ended 0

# Whatever is in the vault is in none of all these outputs, and on no node but in the files that are made of it.
gantry vault view --vault-password-file "$TOP/Inventory/demo.vault-pass" "$TOP/Inventory/group_vars/all/vault.yml"
grep -oE '(password|secret): *"?[^",}]+' <<<"$OUT" | sed -E 's/^[a-z]+: *"?//; s/ *$//' | sort -u >secrets
check 'the vault has secrets' test "$(wc -l <secrets)" -ge 3
check 'none of them is in the outputs of these runs' not grep -qF -f secrets outputs
for host in site-1 site-2 site-3; do
    found=$(on $host 'cat >/dev/shm/p; grep -rlF -f /dev/shm/p /var/log /var/lib/gantry /tmp /root /home 2>/dev/null; rm /dev/shm/p' <secrets)
    check "$host: no log, journal or leftover holds one" same "$(grep -v '^/root/.docker/' <<<"$found")" ''
done
