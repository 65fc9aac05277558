{{- /* What the chart adds to storm.yaml. */ -}}
{{- define "nimbus.storm.yaml" -}}
{{- $majority := add1 (div (int .Values.replicas) 2) -}}
{{- $settings := dict
  "nimbus.seeds" (include "storm.nimbus.seeds" (dict "root" . "replicas" .Values.replicas) | fromJsonArray)
  "nimbus.childopts" (include "storm.childopts" .Values.jvm)
  "topology.min.replication.count" (int .Values.minReplication | default $majority)
  "storm.metricstore.rocksdb.location" "/data/metrics" -}}
{{- include "storm.yaml" (dict "root" . "settings" $settings) -}}
{{- end -}}
