{{- /*
storm.yaml has three parts: the settings that every daemon of the lane shares, the chart's own settings, and the user's
`config`. A setting of the first two can't be in the third.
*/ -}}

{{- /*
Takes root, settings (the chart's own, a mapping) and instead (by the name of such a setting, the value to set in its
place). storm.yaml without the lines that start.sh adds to it.
*/ -}}
{{- define "sidelane.storm.yaml" -}}
{{- $own := merge (deepCopy .settings) (include "sidelane.storm.settings" .root | fromJson) -}}
{{- $instead := merge (deepCopy .instead) (include "sidelane.storm.settings.instead" .root | fromJson) -}}
{{- $all := deepCopy $own -}}
{{- range $key, $value := .root.Values.config -}}
  {{- $checked := dict "key" $key "value" $value "own" $own "instead" $instead -}}
  {{- with include "sidelane.storm.config.problem" $checked -}}
    {{- fail . -}}
  {{- end -}}
  {{- $_ := set $all $key $value -}}
{{- end -}}
{{- range $key, $value := $all }}
{{ $key }}: {{ include "sidelane.storm.config.value" $value }}
{{- end }}
{{- end -}}

{{- /* Takes the root. The settings that every daemon of the lane shares, as JSON. */ -}}
{{- define "sidelane.storm.settings" -}}
{{- $root := include "sidelane.storm.zookeeper.root" . -}}
{{- dict
  "storm.zookeeper.servers" (include "sidelane.storm.zookeeper.servers" . | fromJsonArray)
  "storm.zookeeper.port" (include "sidelane.storm.zookeeper.port" . | int)
  "storm.zookeeper.root" $root
  "transactional.zookeeper.root" (printf "%s/transactional" $root)
  "storm.local.dir" "/data"
  "storm.log.dir" "/logs"
  "storm.log4j2.conf.dir" "/etc/storm"
  "nimbus.thrift.port" 6627
  "drpc.servers" (list (include "sidelane.serviceHost" (dict "root" . "component" "drpc")))
  "drpc.port" 3772
  "drpc.invocations.port" 3773
  "drpc.http.port" 3774
  "logviewer.port" 8000
  | toJson -}}
{{- end -}}

{{- /* The values to set in place of the settings that every daemon shares, as JSON. */ -}}
{{- define "sidelane.storm.settings.instead" -}}
{{- dict
  "storm.zookeeper.servers" "zookeeper.servers or zookeeper.lane"
  "storm.zookeeper.port" "zookeeper.port"
  "storm.zookeeper.root" "zookeeper.rootPrefix"
  "transactional.zookeeper.root" "zookeeper.rootPrefix"
  "storm.log4j2.conf.dir" "logging"
  | toJson -}}
{{- end -}}

{{- /*
Takes key, value, own (the settings that the chart writes) and instead (the value to set in place of such a setting).
The problem with a setting in `config`, in one sentence; nothing when it is valid.
*/ -}}
{{- define "sidelane.storm.config.problem" -}}
{{- $fixed := list
  "storm.local.hostname" "storm.cluster.mode" "storm.workers.artifacts.dir"
  "transactional.zookeeper.servers" "transactional.zookeeper.port"
  "nimbus.thrift.tls.port" "ui.host" "ui.https.port" "drpc.https.port" "logviewer.https.port" -}}
{{- $number := print "[._](secs?|mb|ms|millis|minutes|hours|port|count|size|threads|bytes|percent|workers|executors|"
  "timeout|times|interval)$" -}}
{{- if hasKey .own .key -}}
  {{- with get .instead .key -}}
    {{- printf "config.%s is written by the chart; set %s instead" $.key . -}}
  {{- else -}}
    {{- printf "config.%s is fixed by the chart, because other parts of the lane depend on it; remove it" .key -}}
  {{- end -}}
{{- else if has .key $fixed -}}
  {{- printf "config.%s is fixed by the chart, because other parts of the lane depend on it; remove it" .key -}}
{{- else if not (regexMatch "^[A-Za-z][A-Za-z0-9._-]*$" .key) -}}
  {{- printf
    "config.%s is not the name of a setting; write it as Storm does, such as topology.message.timeout.secs"
    .key -}}
{{- else if and (has (kindOf .value) (list "invalid" "string")) (regexMatch $number .key) -}}
  {{- printf
    "config.%s is %s, and Storm needs a number; set one without a unit, or remove it"
    .key (ternary "null" "text" (kindIs "invalid" .value)) -}}
{{- else if regexMatch "(password|payload)$" .key -}}
  {{- printf
    "config.%s is a secret, and everyone can read a ConfigMap; put it into the Secret that configSecretName names"
    .key -}}
{{- end -}}
{{- end -}}

{{- /*
Takes any value. The value as JSON, which is also YAML. Numbers from a values file are floats, and Storm's YAML reads
1e+06 as text. So whole numbers are written digit by digit, and others with a decimal point.
*/ -}}
{{- define "sidelane.storm.config.value" -}}
{{- if kindIs "map" . -}}
  {{- $items := list -}}
  {{- range $key, $value := . -}}
    {{- $items = append $items (printf "%s: %s" (toRawJson $key) (include "sidelane.storm.config.value" $value)) -}}
  {{- end -}}
  {{- printf "{%s}" (join ", " $items) -}}
{{- else if kindIs "slice" . -}}
  {{- $items := list -}}
  {{- range . -}}
    {{- $items = append $items (include "sidelane.storm.config.value" .) -}}
  {{- end -}}
  {{- printf "[%s]" (join ", " $items) -}}
{{- else if kindIs "float64" . -}}
  {{- ternary (printf "%.0f" .) (regexReplaceAll "^(-?[0-9]+)e" (toString .) "${1}.0e") (eq . (floor .)) -}}
{{- else -}}
  {{- toRawJson . -}}
{{- end -}}
{{- end -}}
