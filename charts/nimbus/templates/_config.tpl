{{- /* What the chart adds to storm.yaml. */ -}}
{{- define "nimbus.storm.yaml" -}}
{{- $majority := add1 (div (include "nimbus.replicas" . | int) 2) -}}
{{- $settings := dict
  "nimbus.seeds" (include "storm.nimbus.seeds" (dict "root" . "replicas" .Values.replicas) | fromJsonArray)
  "nimbus.childopts" (include "storm.childopts" .Values.jvm)
  "topology.min.replication.count" (int .Values.minReplication | default $majority)
  "storm.metricstore.rocksdb.location" "/data/metrics" -}}
{{- include "storm.yaml" (dict "root" . "settings" $settings) -}}
{{- end -}}

{{- define "nimbus.replicas" -}}
{{- include "storm.nimbus.replicas" (dict "root" . "replicas" .Values.replicas) -}}
{{- end -}}
