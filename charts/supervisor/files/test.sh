#!/usr/bin/env bash
# helm test: asks ZooKeeper which supervisors are registered below the lane's root. $1 is how their host names begin.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

# The class by itself: `storm admin` does not take the name of this one of its commands.
classpath=$(bash "$here/start.sh" server_classpath | tail -1)
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "$classpath:$STORM_CONF_DIR" \
  org.apache.storm.command.AdminCommands print_super >/tmp/supervisors
if ! grep -F "$1" /tmp/supervisors; then
  echo "no supervisor is registered whose name begins with $1; what is there:"
  cat /tmp/supervisors
  exit 1
fi
