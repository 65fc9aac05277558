#!/usr/bin/env bash
# probe.sh ready   the member is in the quorum and serves clients
# probe.sh alive   the server answers at all
# Each asks one four-letter word. The admin server is no help: it says 200 when the member does not serve.
set -euo pipefail

case $1 in
  ready) word=srvr answer='^Mode: (leader|follower|standalone)$' ;;
  alive) word=ruok answer='^imok$' ;;
  *) echo "usage: probe.sh ready|alive" >&2 && exit 2 ;;
esac

exec 3<>/dev/tcp/localhost/2181
printf %s "$word" >&3
grep -Eq "$answer" <&3
