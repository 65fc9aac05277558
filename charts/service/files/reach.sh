#!/usr/bin/env bash
# helm test: whether a service answers. $1 is its host, $2 the seconds to try, $3 a path or nothing, and then its TCP ports.
# With a path the first port is asked for it by HTTP; without one every port has to take a connection. Bash needs no other
# program for either.
set -uo pipefail
host=$1 deadline=$((SECONDS + $2)) path=$3
shift 3

connects() {
  (exec 3<>"/dev/tcp/$host/$1") 2>/dev/null
}

answers() {
  local status
  # What the server says after its first line is of no interest, so nobody waits for it.
  status=$(
    exec 3<>"/dev/tcp/$host/$1" || exit
    printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: helm-test\r\nConnection: close\r\n\r\n' "$path" "$host" >&3
    IFS=' ' read -r -t 5 _ status _ <&3 && printf '%s' "${status%$'\r'}"
  ) 2>/dev/null
  said="status ${status:-none}"
  [[ $status == [23]?? ]]
}

if [[ $path ]]; then ask=answers; set -- "$1"; else ask=connects; fi
for port in "$@"; do
  said="no connection"
  echo "$host:$port$path: asking"
  until "$ask" "$port"; do
    if ((SECONDS >= deadline)); then
      echo "$host:$port$path: $said"
      exit 1
    fi
    sleep 1
  done
  echo "$host:$port$path: ok"
done
