{{- /* Takes the root. What holds for every chart of Storm, and no schema can say. */ -}}
{{- define "sidelane.storm.checks" -}}
{{- include "sidelane.storm.zookeeper.checks" . -}}
{{- range .Values.extraEnv -}}
  {{- if has .name (list "STORM_CONF_DIR" "STORM_DATA_DIR" "STORM_ZOOKEEPER" "STORM_LOCAL_HOSTNAME"
      "STORM_SECRET_CONFIG" "STORM_STOP_SECONDS" "POD_NAME") -}}
    {{- fail (printf
      "the environment variable '%s' is the chart's own and can't be in extraEnv; Storm's settings belong in config"
      .name) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes name, such as drpc.jvm, jvm and resources. */ -}}
{{- define "sidelane.storm.jvm.checks" -}}
{{- include "sidelane.storm.options.checks"
  (dict "name" (printf "%s.options" .name) "options" .jvm.options "instead" (printf "%s.heapMiB" .name)) -}}
{{- include "sidelane.heapFits"
  (dict "name" (printf "%s.heapMiB" .name) "heapMiB" .jvm.heapMiB "resources" .resources) -}}
{{- end -}}

{{- /*
Takes name, options and instead. A heap among the options would go before the one that is held against the limit.
*/ -}}
{{- define "sidelane.storm.options.checks" -}}
{{- if regexMatch "(^|\\s)-X(mx|X:MaxHeapSize|X:MaxRAM)" .options -}}
  {{- fail (printf
    "%s is '%s', and the heap is set by %s, so that it is held against the memory limit; take it out"
    .name .options .instead) -}}
{{- end -}}
{{- end -}}
