{{- /* What the chart adds to storm.yaml. */ -}}
{{- define "ui.storm.yaml" -}}
{{- $settings := dict
  "nimbus.seeds" (include "storm.nimbus.seeds" (dict "root" . "replicas" .Values.nimbus.replicas) | fromJsonArray)
  "ui.port" 8080
  "ui.childopts" (include "storm.childopts" .Values.jvm)
  "drpc.childopts" (include "storm.childopts" .Values.drpc.jvm) -}}
{{- include "storm.yaml" (dict "root" . "settings" $settings) -}}
{{- end -}}
