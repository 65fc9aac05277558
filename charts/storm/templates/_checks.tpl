{{- /* Takes the root. Checks of every chart of Storm that a schema can't express. */ -}}
{{- define "sidelane.storm.checks" -}}
{{- include "sidelane.storm.zookeeper.checks" . -}}
{{- range .Values.extraEnv -}}
  {{- if has .name (list "STORM_CONF_DIR" "STORM_DATA_DIR" "STORM_ZOOKEEPER" "STORM_LOCAL_HOSTNAME"
      "STORM_SECRET_CONFIG" "STORM_STOP_SECONDS" "POD_NAME") -}}
    {{- fail (printf
      (print "the environment variable '%s' is reserved by the chart; remove it from extraEnv, and put Storm's "
        "settings into config")
      .name) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes name (such as drpc.jvm), jvm and resources. */ -}}
{{- define "sidelane.storm.jvm.checks" -}}
{{- include "sidelane.storm.options.checks"
  (dict "name" (printf "%s.options" .name) "options" .jvm.options "instead" (printf "%s.heapMiB" .name)) -}}
{{- include "sidelane.heapFits"
  (dict "name" (printf "%s.heapMiB" .name) "heapMiB" .jvm.heapMiB "resources" .resources) -}}
{{- end -}}

{{- /*
Takes name, options and instead. A heap among the options would override the heap that is checked against the memory
limit.
*/ -}}
{{- define "sidelane.storm.options.checks" -}}
{{- if regexMatch "(^|\\s)-X(mx|X:MaxHeapSize|X:MaxRAM)" .options -}}
  {{- fail (printf
    "%s is '%s', which sets the heap; remove that, and set %s, which is checked against the memory limit"
    .name .options .instead) -}}
{{- end -}}
{{- end -}}
