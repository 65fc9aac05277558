#!/usr/bin/env bash
# helm test: writes an ephemeral node and reads it back in one session. $1 is the address of the server.
set -euo pipefail

if [[ -d /tls/secret ]]; then bash /conf/tls.sh; fi

node=/sidelane-test-$(date +%s)-$RANDOM
printf 'create -e %s %s\nget %s\n' "$node" "$SIDELANE_LANE" "$node" |
  zkCli.sh -waitforconnection -timeout 10000 -server "$1" >/tmp/log 2>&1 || true

if grep -Eq "(^|\] )$SIDELANE_LANE\$" /tmp/log; then
  echo "wrote and read $node on $1"
else
  cat /tmp/log
  exit 1
fi
