# shellcheck shell=bash
# TLS from the agent: the kinds of keys, groups and suites that servers have, and clients' keys (Sources/CProvider)
hosts tls 1
DIR=$PWD
PORT=7441

# A key and a certificate for the address of this machine in the lab.
certificate() {
    case $1 in
    rsa) openssl genrsa -out rsa.key 2048 ;;
    pss) openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.key ;;
    ed25519) openssl genpkey -algorithm ed25519 -out ed25519.key ;;
    *) openssl ecparam -genkey -name "$1" -noout -out "$1.key" ;;
    esac
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" \
        -extfile <(echo "subjectAltName=IP:$GATE")
}

# answers [s_server's options…] [-- the module's arguments…]: the agent gets a page from such a server.
answers() {
    local options=() server
    while (($# > 0)) && [[ $1 != -- ]]; do options+=("$1"); shift; done
    PORT=$((PORT + 1))
    openssl s_server -accept "$GATE:$PORT" -www -quiet "${options[@]}" >/dev/null 2>&1 &
    server=$!
    waits 5 bash -c "exec 3<>/dev/tcp/$GATE/$PORT"
    adhoc tls-1 -m uri -a "url=https://$GATE:$PORT/ ca_path=/root/ca.pem ${*:2}"
    kill $server
    wait $server 2>/dev/null
    ended 0
}

{
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj '/CN=authority'
    for kind in rsa pss prime256v1 secp384r1 secp521r1 ed25519; do certificate $kind; done
    openssl rsa -in rsa.key -traditional -out old.key
    openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj '/CN=other' \
        -addext "subjectAltName=IP:$GATE"
} 2>openssl.log
adhoc tls-1 -m copy -a "src=$DIR/ca.pem dest=/root/ca.pem"
check 'the authority is there' ended 0

for kind in rsa pss prime256v1 secp384r1 secp521r1 ed25519; do
    for version in tls1_2 tls1_3; do
        check "a server's key: $kind, $version" answers -cert $kind.pem -key $kind.key -$version
    done
done
for group in X25519 P-256 P-384 P-521 X448 ffdhe2048; do
    check "group $group" answers -cert rsa.pem -key rsa.key -groups $group
done
for suite in AES128-SHA AES256-SHA256 ECDHE-RSA-AES128-SHA ECDHE-RSA-AES256-SHA384 DHE-RSA-AES256-GCM-SHA384 \
    ECDHE-RSA-CHACHA20-POLY1305; do
    check "suite $suite" answers -cert rsa.pem -key rsa.key -tls1_2 -cipher $suite
done
for suite in TLS_AES_128_GCM_SHA256 TLS_CHACHA20_POLY1305_SHA256; do
    check "suite $suite" answers -cert rsa.pem -key rsa.key -ciphersuites $suite
done
for key in rsa old prime256v1 ed25519; do
    certificate=${key/old/rsa}.pem
    adhoc tls-1 -m copy -a "src=$DIR/$key.key dest=/root/$key.key mode=0600"
    adhoc tls-1 -m copy -a "src=$DIR/$certificate dest=/root/$certificate"
    check "a client's key: $key" answers -cert rsa.pem -key rsa.key -Verify 1 -verify_return_error -CAfile ca.pem \
        -- "client_cert=/root/$certificate" "client_key=/root/$key.key"
done
check 'a server that another authority has signed is refused' not answers -cert other.pem -key other.key
