#!/usr/bin/env bash
# helm test: checks that a service responds. $1 is its host, $2 the timeout in seconds, $3 a path or nothing, and the
# others are its TCP ports. With a path the script sends an HTTP request to the first port; without one it connects to
# every port. Bash needs no other program for either.
set -uo pipefail
host=$1 deadline=$((SECONDS + $2)) path=$3
shift 3

connects() {
  (exec 3<>"/dev/tcp/$host/$1") 2>/dev/null
}

answers() {
  local status
  # Only the first line of the response counts.
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
