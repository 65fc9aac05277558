{{- /* Takes the root. What holds for every chart of Storm, and no schema can say. */ -}}
{{- define "storm.checks" -}}
{{- include "storm.zookeeper.checks" . -}}
{{- range .Values.extraEnv -}}
  {{- if has .name (list "STORM_CONF_DIR" "STORM_DATA_DIR" "STORM_ZOOKEEPER" "STORM_LOCAL_HOSTNAME" "STORM_SECRET_CONFIG" "STORM_STOP_SECONDS" "POD_NAME") -}}
    {{- fail (printf "the environment variable '%s' is the chart's own and can't be in extraEnv; Storm's settings belong in config" .name) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
