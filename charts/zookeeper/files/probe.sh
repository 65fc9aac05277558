#!/usr/bin/env bash
# probe.sh ready   succeeds when the member is in the quorum and serves clients
# probe.sh alive   succeeds when the server responds
# Each sends a four-letter word. The admin server can't be used: it returns 200 even when the member does not serve.
set -euo pipefail

case $1 in
  ready) word=srvr answer='^Mode: (leader|follower|standalone)$' ;;
  alive) word=ruok answer='^imok$' ;;
  *) echo "usage: probe.sh ready|alive" >&2 && exit 2 ;;
esac

exec 3<>/dev/tcp/localhost/2181
printf %s "$word" >&3
grep -Eq "$answer" <&3
