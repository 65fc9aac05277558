{{- /*
storm.yaml, of three parts: what every daemon of the lane is told, what the chart adds to it, and the user's `config`.
A setting that is in one of the first two can't be in the third.
*/ -}}

{{- /* Takes root and settings, the chart's own, a mapping. storm.yaml but for what start.sh adds to it. */ -}}
{{- define "storm.yaml" -}}
{{- $own := merge (deepCopy .settings) (include "storm.settings" .root | fromJson) -}}
{{- $all := deepCopy $own -}}
{{- range $key, $value := .root.Values.config -}}
  {{- with include "storm.config.problem" (dict "key" $key "value" $value "own" $own "chart" $.root.Chart.Name) -}}
    {{- fail . -}}
  {{- end -}}
  {{- $_ := set $all $key $value -}}
{{- end -}}
{{- range $key, $value := $all }}
{{ $key }}: {{ include "storm.config.value" $value }}
{{- end }}
{{- end -}}

{{- /* Takes the root. What every daemon of the lane is told, as JSON. */ -}}
{{- define "storm.settings" -}}
{{- $root := include "storm.zookeeper.root" . -}}
{{- dict
  "storm.zookeeper.servers" (include "storm.zookeeper.servers" . | fromJsonArray)
  "storm.zookeeper.port" (include "storm.zookeeper.port" . | int)
  "storm.zookeeper.root" $root
  "transactional.zookeeper.root" (printf "%s/transactional" $root)
  "storm.local.dir" "/data"
  "storm.log.dir" "/logs"
  "storm.log4j2.conf.dir" "/etc/storm"
  "nimbus.thrift.port" 6627
  "drpc.servers" (list (include "common.serviceHost" (dict "root" . "component" "drpc")))
  "drpc.port" 3772
  "drpc.invocations.port" 3773
  "drpc.http.port" 3774
  "logviewer.port" 8000
  | toJson -}}
{{- end -}}

{{- /* Takes key, value, own, the settings that the chart writes, and chart, its name. */ -}}
{{- define "storm.config.problem" -}}
{{- $instead := dict
  "storm.zookeeper.servers" "zookeeper.servers or zookeeper.lane" "storm.zookeeper.port" "zookeeper.port"
  "storm.zookeeper.root" "zookeeper.rootPrefix" "transactional.zookeeper.root" "zookeeper.rootPrefix"
  "storm.log4j2.conf.dir" "logging"
  "nimbus.seeds" (get (dict "nimbus" "replicas" "ui" "nimbus.replicas") .chart)
  "nimbus.childopts" "jvm" "ui.childopts" "jvm" "supervisor.childopts" "jvm"
  "drpc.childopts" "drpc.jvm" "logviewer.childopts" "logviewer.jvm"
  "topology.min.replication.count" "minReplication"
  "supervisor.slots.ports" "workers.slots and workers.firstPort" "supervisor.memory.capacity.mb" "workers" "supervisor.cpu.capacity" "resources"
  "worker.heap.memory.mb" "workers.heapMiB" "worker.childopts" "workers.options" "topology.worker.logwriter.childopts" "workers.logWriterMiB" -}}
{{- $fixed := list "storm.local.hostname" "storm.cluster.mode" "storm.workers.artifacts.dir" "transactional.zookeeper.servers" "transactional.zookeeper.port"
  "nimbus.thrift.tls.port" "ui.host" "ui.https.port" "drpc.https.port" "logviewer.https.port" -}}
{{- if hasKey .own .key -}}
  {{- with get $instead .key -}}
    {{- printf "config.%s is written by the chart; set %s instead" $.key . -}}
  {{- else -}}
    {{- printf "config.%s is fixed by the chart, because other parts of the lane rely on it; leave it out" .key -}}
  {{- end -}}
{{- else if has .key $fixed -}}
  {{- printf "config.%s is fixed by the chart, because other parts of the lane rely on it; leave it out" .key -}}
{{- else if not (regexMatch "^[A-Za-z][A-Za-z0-9._-]*$" .key) -}}
  {{- printf "config.%s is not the name of a setting; write it as Storm does, such as topology.message.timeout.secs" .key -}}
{{- else if and (has (kindOf .value) (list "invalid" "string")) (regexMatch "[._](secs?|mb|ms|millis|minutes|hours|port|count|size|threads|bytes|percent|workers|executors|timeout|times|interval)$" .key) -}}
  {{- printf "config.%s is %s, and Storm reads a number there; give one, without a unit, or leave it out" .key (ternary "null" "text" (kindIs "invalid" .value)) -}}
{{- else if regexMatch "(password|payload)$" .key -}}
  {{- printf "config.%s is a secret, and a ConfigMap is none; put it into the Secret that configSecretName names" .key -}}
{{- end -}}
{{- end -}}

{{- /*
Takes any value. It as JSON, which is YAML as well. Numbers from a values file are floats, and Storm's YAML reads 1e+06
as text: whole ones are written digit by digit, others with a point.
*/ -}}
{{- define "storm.config.value" -}}
{{- if kindIs "map" . -}}
  {{- $items := list -}}
  {{- range $key, $value := . -}}
    {{- $items = append $items (printf "%s: %s" (toRawJson $key) (include "storm.config.value" $value)) -}}
  {{- end -}}
  {{- printf "{%s}" (join ", " $items) -}}
{{- else if kindIs "slice" . -}}
  {{- $items := list -}}
  {{- range . -}}
    {{- $items = append $items (include "storm.config.value" .) -}}
  {{- end -}}
  {{- printf "[%s]" (join ", " $items) -}}
{{- else if kindIs "float64" . -}}
  {{- ternary (printf "%.0f" .) (regexReplaceAll "^(-?[0-9]+)e" (toString .) "${1}.0e") (eq . (floor .)) -}}
{{- else -}}
  {{- toRawJson . -}}
{{- end -}}
{{- end -}}
