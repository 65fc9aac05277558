{{- /*
start.sh. All its paths come from the environment and from its own location, so that tests can run it outside a
container.
*/ -}}
{{- define "sidelane.storm.start.sh" -}}
#!/usr/bin/env bash
# start.sh ARGUMENTS: completes storm.yaml, waits for ZooKeeper if the daemon needs it, and executes `storm ARGUMENTS`.
set -euo pipefail
trap 'exit 143' TERM # bash ignores it as the first process of a container

here=$(dirname "${BASH_SOURCE[0]}")
# Written under another name first: the containers of a pod share the directory, and must not read half a file.
whole=$(mktemp "$STORM_CONF_DIR/.storm.yaml.XXXXXX")
{
  # The last line for a setting wins, so the Secret can't override the chart's settings.
  if [[ -n ${STORM_SECRET_CONFIG:-} ]]; then cat "$STORM_SECRET_CONFIG" && echo; fi
  cat "$here/storm.yaml" && echo
  if [[ -n ${STORM_LOCAL_HOSTNAME:-} ]]; then echo "storm.local.hostname: $STORM_LOCAL_HOSTNAME"; fi
} >"$whole"
mv "$whole" "$STORM_CONF_DIR/storm.yaml"

# zookeeper_answers: succeeds when a server accepts a connection.
zookeeper_answers() {
  local server
  for server in $STORM_ZOOKEEPER; do
    if timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${server%:*}" "${server##*:}" 2>/dev/null; then return 0; fi
  done
  return 1
}

# A daemon that can't connect to ZooKeeper exits after a minute, and Kubernetes waits longer before each restart.
if [[ -n ${STORM_ZOOKEEPER:-} ]]; then
  until zookeeper_answers; do
    echo "waiting for ZooKeeper: $STORM_ZOOKEEPER"
    sleep 2
  done
fi

exec storm "$@"
{{- end -}}
