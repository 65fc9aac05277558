{{- /* What concerns two parts at once; each part checks its own values. */ -}}
{{- define "pipeline.checks" -}}
{{- /* `helm lint` gives the parts' values only where they are installed. */ -}}
{{- if and .Values.nimbus.enabled .Values.ui.enabled (hasKey .Values.nimbus "replicas") (hasKey .Values.ui "nimbus") -}}
  {{- if ne (int .Values.nimbus.replicas) (int .Values.ui.nimbus.replicas) -}}
    {{- fail (printf "nimbus.replicas is %v and ui.nimbus.replicas is %v, so the UI would show Nimbus that are not there, or miss some; give both the same number" .Values.nimbus.replicas .Values.ui.nimbus.replicas) -}}
  {{- end -}}
{{- end -}}
{{- $roots := dict -}}
{{- range $part := list "nimbus" "supervisor" "ui" -}}
  {{- $values := index $.Values $part -}}
  {{- if and $values.enabled (hasKey $values "zookeeper") -}}
    {{- $_ := set $roots (toJson $values.zookeeper) $part -}}
  {{- end -}}
{{- end -}}
{{- if gt (len $roots) 1 -}}
  {{- fail (printf "%s have different values under zookeeper, and the parts of one Storm meet in one place; give them the same" (values $roots | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
