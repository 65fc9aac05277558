#!/usr/bin/env bash
# helm test: checks that at least one supervisor is registered in ZooKeeper under the lane's own root.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

# Runs the class directly, because `storm admin` does not accept this command.
classpath=$(bash "$here/start.sh" server_classpath | tail -1)
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "$classpath:$STORM_CONF_DIR" \
  org.apache.storm.command.AdminCommands print_super >/tmp/supervisors
# It prints the ID of each supervisor: a UUID and the supervisor's address. All other lines are ignored.
if ! grep -E '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9a-f.:]+:$' /tmp/supervisors; then
  echo "no supervisor is registered; ZooKeeper says:"
  cat /tmp/supervisors
  exit 1
fi
