#!/usr/bin/env bash
# Runs the supervisor and, when it has ended, ends its workers. They are processes of their own: they would go on without it
# and be killed with the container. In the other order it would start them again.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

bash "$here/start.sh" supervisor &
supervisor=$!
trap 'kill -TERM "$supervisor"' TERM

# `wait` also returns when a signal has come, and then the supervisor still runs.
while kill -0 "$supervisor" 2>/dev/null; do
  status=0
  wait "$supervisor" || status=$?
done

echo "the supervisor has ended ($status)"
if compgen -G "$STORM_DATA_DIR/workers/*" >/dev/null; then
  timeout "$STORM_STOP_SECONDS" storm kill_workers || echo "not all workers have ended" >&2
fi
exit "$status"
