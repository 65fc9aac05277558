{{- /*
Takes root and path. The handler of a probe. Behind a filter, which requires a login, it only checks whether the port is
open.
*/ -}}
{{- define "sidelane.ui.probe" -}}
{{- if get (.root.Values.config | default dict) "ui.filter" -}}
tcpSocket: {port: ui}
{{- else -}}
httpGet: {path: {{ .path }}, port: ui}
{{- end -}}
{{- end -}}
