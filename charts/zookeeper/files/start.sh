#!/usr/bin/env bash
# Starts one member: writes its ID, prepares its TLS files, and executes the server.
set -euo pipefail

# Pods are <name>-0, <name>-1 …; the IDs of members start at 1.
id=$((${HOSTNAME##*-} + 1))
if [[ -s /data/myid && $(</data/myid) != "$id" ]]; then
  echo "this is member $id, and its volume belongs to member $(</data/myid): it is attached to the wrong pod" >&2
  exit 1
fi
echo "$id" >/data/myid

if [[ -d /tls/secret ]]; then
  bash /conf/tls.sh
  # Kubernetes updates /tls/secret after a renewal, and the server rereads the files that tls.sh writes.
  while sleep 60; do bash /conf/tls.sh || true; done &
fi

# The other members connect to the address in a member's own line. After a restart the cluster's DNS can still have the
# old address for its name, so the member's own line has the address itself.
config=/conf/zoo.cfg
if [[ ${POD_IP:-} ]]; then
  config=/tmp/zoo.cfg
  address=$POD_IP
  if [[ $address == *:* ]]; then address="[$address]"; fi
  sed "s/^server\.$id=[^:]*:/server.$id=$address:/" /conf/zoo.cfg >"$config"
fi

exec zkServer.sh start-foreground "$config"
