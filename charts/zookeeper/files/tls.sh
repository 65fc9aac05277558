#!/usr/bin/env bash
# Makes ZooKeeper's TLS files of the mounted Secret: it reads the key and its certificates from one PEM file, and takes
# no key but PKCS#8, whereas a Secret keeps the two apart, and cert-manager writes PKCS#1 unless told otherwise.
set -euo pipefail
umask 077

key() {
  if grep -q 'BEGIN PRIVATE KEY' /tls/secret/tls.key; then
    cat /tls/secret/tls.key
  else
    openssl pkcs8 -topk8 -nocrypt -in /tls/secret/tls.key
  fi
}

# put FILE: standard input becomes the file's content, at once and only when it differs, as the server watches it.
put() {
  cat >"$1.new"
  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

{ key && echo && cat /tls/secret/tls.crt; } | put /tls/run/keystore.pem
put /tls/run/truststore.pem </tls/secret/ca.crt
