{{- /*
Takes root, component and, for one version of a service, serviceVersion. What every container is told of where it runs,
and after it env, variables as Kubernetes has them: the chart's extraEnv where none are given.
*/ -}}
{{- define "common.env" -}}
- name: SIDELANE_VERSION
  value: {{ include "common.version" .root | quote }}
- name: SIDELANE_BUILD
  value: {{ include "common.build" .root | quote }}
- name: SIDELANE_LANE
  value: {{ include "common.lane" .root | quote }}
- name: SIDELANE_SERVICE
  value: {{ .component | quote }}
{{- if hasKey . "serviceVersion" }}
- name: SIDELANE_SERVICE_VERSION
  value: {{ .serviceVersion | quote }}
{{- end }}
{{- range .env | default .root.Values.extraEnv }}
{{- if hasPrefix "SIDELANE_" .name }}
{{- fail (printf "the environment variable '%s' can't be set: SIDELANE_* tells the container its lane; choose another name" .name) }}
{{- end }}
{{ list . | toYaml }}
{{- end }}
{{- end -}}
