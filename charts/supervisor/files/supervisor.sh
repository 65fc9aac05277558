#!/usr/bin/env bash
# Runs the supervisor and, after it has ended, ends its workers. Storm's supervisor leaves its workers running, and they
# would be killed with the container. In the other order the supervisor would start them again.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

bash "$here/start.sh" supervisor &
supervisor=$!
trap 'kill -TERM "$supervisor"' TERM

# `wait` also returns after a signal, while the supervisor still runs.
while kill -0 "$supervisor" 2>/dev/null; do
  status=0
  wait "$supervisor" || status=$?
done
echo "the supervisor has ended: $status"

# workers: prints the process IDs of the running workers. `storm kill_workers` needs ZooKeeper, which ends first when a
# whole lane is uninstalled. A file can be older than the container, so it is compared with the process.
workers() {
  local file
  for file in "$STORM_DATA_DIR"/workers/*/pids/*; do
    if [[ $file =~ /workers/([^/]+)/pids/([0-9]+)$ ]] &&
      grep -qs -e "-Dworker.id=${BASH_REMATCH[1]}" "/proc/${BASH_REMATCH[2]}/cmdline"; then
      echo "${BASH_REMATCH[2]}"
    fi
  done
}

deadline=$((SECONDS + STORM_STOP_SECONDS))
for worker in $(workers); do
  echo "ending the worker $worker"
  kill -TERM "$worker" || true
done
while [[ $(workers) ]] && ((SECONDS < deadline)); do sleep 0.2; done
exit "$status"
