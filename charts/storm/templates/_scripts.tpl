{{- /*
start.sh. It has no path of its own but what the environment and its place say, so that it can run elsewhere.
*/ -}}
{{- define "sidelane.storm.start.sh" -}}
#!/usr/bin/env bash
# start.sh ARGUMENTS: completes storm.yaml, waits for ZooKeeper where the daemon needs it, and becomes `storm ARGUMENTS`.
set -euo pipefail
trap 'exit 143' TERM # as the first process of its container bash would ignore it

here=$(dirname "${BASH_SOURCE[0]}")
# By another name at first: the containers of one pod share the folder, and none may read half a file.
whole=$(mktemp "$STORM_CONF_DIR/.storm.yaml.XXXXXX")
{
  # The last of two lines for one setting counts, so the Secret can't lead the lane elsewhere.
  if [[ -n ${STORM_SECRET_CONFIG:-} ]]; then cat "$STORM_SECRET_CONFIG" && echo; fi
  cat "$here/storm.yaml" && echo
  if [[ -n ${STORM_LOCAL_HOSTNAME:-} ]]; then echo "storm.local.hostname: $STORM_LOCAL_HOSTNAME"; fi
} >"$whole"
mv "$whole" "$STORM_CONF_DIR/storm.yaml"

# zookeeper_answers: whether one of its servers takes a connection.
zookeeper_answers() {
  local server
  for server in $STORM_ZOOKEEPER; do
    if timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${server%:*}" "${server##*:}" 2>/dev/null; then return 0; fi
  done
  return 1
}

# A daemon that finds no ZooKeeper gives up after a minute, and Kubernetes then restarts it later and later.
if [[ -n ${STORM_ZOOKEEPER:-} ]]; then
  until zookeeper_answers; do
    echo "waiting for ZooKeeper: $STORM_ZOOKEEPER"
    sleep 2
  done
fi

exec storm "$@"
{{- end -}}
