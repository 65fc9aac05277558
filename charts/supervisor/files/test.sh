#!/usr/bin/env bash
# helm test: asks ZooKeeper which supervisors are registered below the lane's root, where no other lane's are. One must be.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

# The class by itself: `storm admin` does not take the name of this one of its commands.
classpath=$(bash "$here/start.sh" server_classpath | tail -1)
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "$classpath:$STORM_CONF_DIR" \
  org.apache.storm.command.AdminCommands print_super >/tmp/supervisors
# Of each it prints the id, and of what else it should print nothing. An id is a UUID and the supervisor's address.
if ! grep -E '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9a-f.:]+:$' /tmp/supervisors; then
  echo "no supervisor is registered; what ZooKeeper says:"
  cat /tmp/supervisors
  exit 1
fi
