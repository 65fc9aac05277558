#!/usr/bin/env bash
# Writes ZooKeeper's TLS files from the mounted Secret. ZooKeeper reads a key and its certificates from one PEM file and
# accepts only PKCS#8. A Secret keeps the two apart, and cert-manager writes PKCS#1 by default.
set -euo pipefail
umask 077

key() {
  if grep -q 'BEGIN PRIVATE KEY' /tls/secret/tls.key; then
    cat /tls/secret/tls.key
  else
    openssl pkcs8 -topk8 -nocrypt -in /tls/secret/tls.key
  fi
}

# put FILE: writes standard input to the file, atomically and only when it differs, because the server watches it.
put() {
  cat >"$1.new"
  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

{ key && echo && cat /tls/secret/tls.crt; } | put /tls/run/keystore.pem
put /tls/run/truststore.pem </tls/secret/ca.crt
