{{- /* Takes the root. storm.yaml with the chart's own settings. */ -}}
{{- define "sidelane.nimbus.storm.yaml" -}}
{{- $majority := add1 (div (include "sidelane.nimbus.replicas" . | int) 2) -}}
{{- $settings := dict
  "nimbus.seeds" (include "sidelane.storm.nimbus.seeds" (dict "root" . "replicas" .Values.replicas) | fromJsonArray)
  "nimbus.childopts" (include "sidelane.storm.childopts" .Values.jvm)
  "topology.min.replication.count" (int .Values.minReplication | default $majority)
  "storm.metricstore.rocksdb.location" "/data/metrics" -}}
{{- $instead := dict
  "nimbus.seeds" "replicas"
  "nimbus.childopts" "jvm"
  "topology.min.replication.count" "minReplication" -}}
{{- include "sidelane.storm.yaml" (dict "root" . "settings" $settings "instead" $instead) -}}
{{- end -}}

{{- define "sidelane.nimbus.replicas" -}}
{{- include "sidelane.storm.nimbus.replicas" (dict "root" . "replicas" .Values.replicas) -}}
{{- end -}}
