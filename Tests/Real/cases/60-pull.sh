# A node keeps itself as its bundle says; what is garbled, wrongly signed or older is refused and changes nothing.
. Tests/Real/expect.sh
mkdir -p "$WORK/60"
cat >"$WORK/60/site.yml" <<'Y'
- hosts: real-3
  tasks:
    - copy: {content: "kept\n", dest: /etc/kept}
Y
gantry bundle --generate-key "$WORK/60/key"
gantry bundle -i "$WORK/hosts.yml" "$WORK/60/site.yml" --key "$WORK/60/key" -o "$WORK/60/old"
gantry bundle -i "$WORK/hosts.yml" "$WORK/60/site.yml" --key "$WORK/60/key" -o "$WORK/60/new"
address=$(ip -o -4 route get "$(sed -n '/real-3:/,/ansible_host/s/.*ansible_host: //p' "$WORK/hosts.yml" | head -n 1)" |
    sed 's/.* src \([0-9.]*\).*/\1/')
python3 -m http.server --bind "$address" --directory "$WORK/60" 0 >"$WORK/60/server.log" 2>&1 &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 50); do port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$WORK/60/server.log"); [[ -n $port ]] && break; sleep 0.1; done
agent=$("$LAB" exec real-3 'find /var/lib/gantry /root/.cache -name "agent-*" -type f 2>/dev/null | head -n 1')
if [[ -z $agent ]]; then
    gantry run real-3 -i "$WORK/hosts.yml" -- true
    agent=$("$LAB" exec real-3 'find /var/lib/gantry /root/.cache -name "agent-*" -type f 2>/dev/null | head -n 1')
fi
put() { gantry run real-3 -i "$WORK/hosts.yml" -m copy -a "src=$1 dest=$2"; }
put "$WORK/60/key.pub" /etc/pull.pub
pull() { "$LAB" exec real-3 "$agent pull --from http://$address:$port/$1 --key ${2:-/etc/pull.pub} --host real-3"; }
status 0 pull new
says '"changed": 1'
same "$("$LAB" exec real-3 'cat /etc/kept')" kept
status 0 pull new
says '"changed": 0'
"$LAB" exec real-3 'echo drift >/etc/kept'
status 0 pull new
says '"changed": 1'
"$LAB" exec real-3 'echo mine >/etc/kept'
status 1 pull old
says older
sed -i 's/"sequence": \([0-9]\)/"sequence": 9\1/' "$WORK/60/new/nodes/real-3"
status 1 pull new
says 'not signed'
gantry bundle --generate-key "$WORK/60/other"
put "$WORK/60/other.pub" /etc/other.pub
gantry bundle -i "$WORK/hosts.yml" "$WORK/60/site.yml" --key "$WORK/60/key" -o "$WORK/60/new"
status 1 pull new /etc/other.pub
says 'not signed'
for blob in "$WORK/60/new/blobs/sha256/"*; do printf x >>"$blob"; done
"$LAB" exec real-3 'rm -f /var/lib/gantry/pull/blobs/*'
status 1 pull new
same "$("$LAB" exec real-3 'cat /etc/kept')" mine
