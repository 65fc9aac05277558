#!/usr/bin/env bash
# Starts one member: tells it which one it is, prepares its TLS files, and becomes the server.
set -euo pipefail

# Pods are <name>-0, <name>-1 …; members are counted from 1.
id=$((${HOSTNAME##*-} + 1))
if [[ -s /data/myid && $(</data/myid) != "$id" ]]; then
  echo "this is member $id, and its volume belongs to member $(</data/myid): it is attached to the wrong pod" >&2
  exit 1
fi
echo "$id" >/data/myid

if [[ -d /tls/secret ]]; then
  bash /conf/tls.sh
  # A renewed certificate reaches /tls/secret by itself, and the server rereads what is made of it.
  while sleep 60; do bash /conf/tls.sh || true; done &
fi

# A member is called back where its own line says. By a name it would be called at its old address after a restart, as long as the
# cluster's DNS keeps that one; so its own line has the address itself.
config=/conf/zoo.cfg
if [[ ${POD_IP:-} ]]; then
  config=/tmp/zoo.cfg
  address=$POD_IP
  if [[ $address == *:* ]]; then address="[$address]"; fi
  sed "s/^server\.$id=[^:]*:/server.$id=$address:/" /conf/zoo.cfg >"$config"
fi

exec zkServer.sh start-foreground "$config"
