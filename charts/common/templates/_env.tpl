{{- /*
Takes root, component, optional serviceVersion, and optional env (variables as in a Kubernetes container; default: the
chart's extraEnv). The variables that tell a container its lane, then env.
*/ -}}
{{- define "sidelane.env" -}}
- name: SIDELANE_VERSION
  value: {{ include "sidelane.version" .root | quote }}
- name: SIDELANE_BUILD
  value: {{ include "sidelane.build" .root | quote }}
- name: SIDELANE_LANE
  value: {{ include "sidelane.lane" .root | quote }}
- name: SIDELANE_SERVICE
  value: {{ .component | quote }}
{{- if hasKey . "serviceVersion" }}
- name: SIDELANE_SERVICE_VERSION
  value: {{ .serviceVersion | quote }}
{{- end }}
{{- range .env | default .root.Values.extraEnv }}
{{- if hasPrefix "SIDELANE_" .name }}
{{- fail (printf
  "the environment variable '%s' can't be set: SIDELANE_* is reserved for the lane's variables; choose another name"
  .name) }}
{{- end }}
{{ list . | toYaml }}
{{- end }}
{{- end -}}
