{{- /*
Takes root and path. What a probe asks. Behind a filter, which asks for a login, it can only see whether the port is
open.
*/ -}}
{{- define "sidelane.ui.probe" -}}
{{- if get (.root.Values.config | default dict) "ui.filter" -}}
tcpSocket: {port: ui}
{{- else -}}
httpGet: {path: {{ .path }}, port: ui}
{{- end -}}
{{- end -}}
