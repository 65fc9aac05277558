{{- /*
Takes the root. Checks that a schema can't express, because they compare two values or must also hold when schemas are
skipped.
*/ -}}
{{- define "sidelane.ui.checks" -}}
{{- include "sidelane.storm.checks" . -}}
{{- include "sidelane.storm.jvm.checks" (dict "name" "jvm" "jvm" .Values.jvm "resources" .Values.resources) -}}
{{- include "sidelane.storm.jvm.checks"
  (dict "name" "drpc.jvm" "jvm" .Values.drpc.jvm "resources" .Values.drpc.resources) -}}
{{- if lt (int .Values.nimbus.replicas) 1 -}}
  {{- fail (printf
    "nimbus.replicas is %v and must be 1 or more; set it to the number of replicas of the chart nimbus"
    .Values.nimbus.replicas) -}}
{{- end -}}
{{- range $key := list "ingress" "httpRoute" -}}
  {{- $value := get $.Values $key -}}
  {{- if and $value.enabled (not $value.host) -}}
    {{- fail (printf
      "%s.enabled is true and %s.host is empty, so the UI would serve every host, including other lanes'; set a host"
      $key $key) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
  {{- fail "httpRoute.enabled is true and httpRoute.parentRefs is empty, so no gateway serves it; add a gateway" -}}
{{- end -}}
{{- end -}}
