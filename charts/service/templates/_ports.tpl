{{- /* Takes the root. The ports of the Service, as a JSON list under `list`. */ -}}
{{- define "sidelane.service.answering" -}}
{{- $found := list -}}
{{- range .Values.ports -}}
  {{- if .port -}}
    {{- $found = append $found . -}}
  {{- end -}}
{{- end -}}
{{- dict "list" $found | toJson -}}
{{- end -}}

{{- /*
Takes ports of a container, as in the values. Only these keys are rendered: a hostPort would bind two lanes to one port
of a node.
*/ -}}
{{- define "sidelane.service.containerPorts" -}}
{{- range . }}
- name: {{ .name | quote }}
  containerPort: {{ int .containerPort }}
  protocol: {{ .protocol | default "TCP" | quote }}
{{- end }}
{{- end -}}

{{- /*
Takes what (the container in messages) and ports. Fails for ports that the API server would refuse, or accept without
effect.
*/ -}}
{{- define "sidelane.service.portChecks" -}}
{{- $what := .what -}}
{{- $taken := list -}}
{{- range .ports -}}
  {{- include "sidelane.service.onlyKeys" (dict
    "what" (printf "the port '%s' of %s" .name $what)
    "given" .
    "known" (list "name" "port" "containerPort" "protocol" "appProtocol")) -}}
  {{- $protocol := .protocol | default "TCP" -}}
  {{- $claims := list (printf "name '%s'" .name) (printf "containerPort %v/%s" .containerPort $protocol) -}}
  {{- if .port -}}
    {{- $claims = append $claims (printf "port %v/%s" .port $protocol) -}}
  {{- end -}}
  {{- range $claims -}}
    {{- if has . $taken -}}
      {{- fail (printf "%s has the %s twice; give each port its own" $what .) -}}
    {{- end -}}
    {{- $taken = append $taken . -}}
  {{- end -}}
{{- end -}}
{{- end -}}
