{{- define "kinds.metadata" -}}
{{- $lane := printf "%s-%s" .root.Values.Version .root.Values.Build -}}
name: {{ .name }}-{{ $lane }}
labels: {{ include "kinds.labels" . | nindent 2 }}
{{- end -}}
{{- define "kinds.labels" -}}
{{- $lane := printf "%s-%s" .root.Values.Version .root.Values.Build -}}
app: {{ .app | default .name }}-{{ $lane }}
sidelane.dev/version: {{ .root.Values.Version | quote }}
sidelane.dev/build: {{ .root.Values.Build | quote }}
sidelane.dev/lane: {{ $lane }}
{{- end -}}
