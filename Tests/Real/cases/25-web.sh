# What talks to web servers and reads the whole machine: get_url, uri, package, setup.
. Tests/Real/expect.sh
mkdir -p "$WORK/25/www"
echo 'a file' >"$WORK/25/www/file"
echo '{"state": "ready"}' >"$WORK/25/www/state.json"
address=$(ip -o -4 route get "$(sed -n '/real-2:/,/ansible_host/s/.*ansible_host: //p' "$WORK/hosts.yml" | head -n 1)" |
    sed 's/.* src \([0-9.]*\).*/\1/')
python3 -u -m http.server --bind "$address" --directory "$WORK/25/www" 0 >"$WORK/25/server.log" 2>&1 &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 50); do
    port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$WORK/25/server.log")
    [[ -n $port ]] && break
    sleep 0.1
done
sum=$(sha256sum "$WORK/25/www/file" | cut -d' ' -f1)
cat >"$WORK/25/site.yml" <<Y
- hosts: real-2
  gather_facts: false
  vars: {server: "http://$address:$port"}
  tasks:
    - setup: {gather_subset: [network]}
    - assert: {that: [ansible_default_ipv4.address == ansible_host]}
    - get_url: {url: "{{ server }}/file", dest: /srv/file, checksum: "sha256:$sum", mode: "0640"}
    - uri: {url: "{{ server }}/state.json", return_content: true}
      register: state
    - assert: {that: [state.status == 200, state.json.state == 'ready']}
    - uri: {url: "{{ server }}/nothing", status_code: 404}
    - package: {name: ca-certificates, state: present}
Y
status 0 gantry apply -i "$WORK/hosts.yml" "$WORK/25/site.yml"
same "$("$LAB" exec real-2 'cat /srv/file; stat -c %a /srv/file')" $'a file\n640'
status 0 gantry apply -i "$WORK/hosts.yml" "$WORK/25/site.yml"
unchanged
status 2 gantry run real-2 -i "$WORK/hosts.yml" -m get_url -a "url=http://$address:$port/file dest=/srv/other checksum=sha256:00"
says 'did not match'
