{{- /* What no schema can say, because it is about two values at once, or must hold when the schema is skipped. */ -}}
{{- define "sidelane.ui.checks" -}}
{{- include "sidelane.storm.checks" . -}}
{{- include "sidelane.storm.jvm.checks" (dict "name" "jvm" "jvm" .Values.jvm "resources" .Values.resources) -}}
{{- include "sidelane.storm.jvm.checks"
  (dict "name" "drpc.jvm" "jvm" .Values.drpc.jvm "resources" .Values.drpc.resources) -}}
{{- if lt (int .Values.nimbus.replicas) 1 -}}
  {{- fail (printf
    "nimbus.replicas is %v, and the UI must ask one Nimbus at least; set it to what the chart nimbus has as replicas"
    .Values.nimbus.replicas) -}}
{{- end -}}
{{- range $key := list "ingress" "httpRoute" -}}
  {{- $value := get $.Values $key -}}
  {{- if and $value.enabled (not $value.host) -}}
    {{- fail (printf
      "%s.enabled is true and %s.host is empty, so the UI would take every host, another lane's as well; name one"
      $key $key) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
  {{- fail "httpRoute.enabled is true and httpRoute.parentRefs is empty, so no gateway would serve it; name one" -}}
{{- end -}}
{{- end -}}
