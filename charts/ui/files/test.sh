#!/usr/bin/env bash
# helm test: requests the cluster summary from the UI, which gets it from the leading Nimbus. $1 is its host, $2 its
# port.
set -euo pipefail

exec 3<>"/dev/tcp/$1/$2"
printf 'GET /api/v1/cluster/summary HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" >&3
answer=$(timeout 60 cat <&3)
echo "$answer"
[[ $answer == HTTP/1.?' 200'* && $answer == *'"stormVersion"'* ]]
