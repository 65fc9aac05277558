{{- /* Takes the root. storm.yaml with the chart's own settings. */ -}}
{{- define "sidelane.ui.storm.yaml" -}}
{{- $seeds := include "sidelane.storm.nimbus.seeds" (dict "root" . "replicas" .Values.nimbus.replicas) -}}
{{- $settings := dict
  "nimbus.seeds" (fromJsonArray $seeds)
  "ui.port" 8080
  "ui.childopts" (include "sidelane.storm.childopts" .Values.jvm)
  "drpc.childopts" (include "sidelane.storm.childopts" .Values.drpc.jvm) -}}
{{- $instead := dict
  "nimbus.seeds" "nimbus.replicas"
  "ui.childopts" "jvm"
  "drpc.childopts" "drpc.jvm" -}}
{{- include "sidelane.storm.yaml" (dict "root" . "settings" $settings "instead" $instead) -}}
{{- end -}}
