{{- /*
Takes the root. What asks a pod whether it is ready: as the values say, and else whether its first TCP port takes
connections.
*/ -}}
{{- define "sidelane.service.readinessProbe" -}}
{{- $probe := deepCopy .Values.readinessProbe -}}
{{- if not (include "sidelane.service.probeHandlers" $probe) -}}
  {{- $port := "" -}}
  {{- range .Values.ports -}}
    {{- if eq (.protocol | default "TCP") "TCP" -}}
      {{- $port = $port | default .name -}}
    {{- end -}}
  {{- end -}}
  {{- $probe = ternary (set $probe "tcpSocket" (dict "port" $port)) dict (ne $port "") -}}
{{- end -}}
{{- with $probe -}}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- /* Takes a probe. The ways in which it asks, joined by commas. */ -}}
{{- define "sidelane.service.probeHandlers" -}}
{{- keys (pick . "httpGet" "tcpSocket" "exec" "grpc") | sortAlpha | join ", " -}}
{{- end -}}

{{- /* Takes what, for a sentence, and probe. Fails for one that asks in no way or in two. */ -}}
{{- define "sidelane.service.probeChecks" -}}
{{- if .probe -}}
  {{- $handlers := include "sidelane.service.probeHandlers" .probe -}}
  {{- if or (not $handlers) (contains "," $handlers) -}}
    {{- fail (printf
      "%s asks by %s; give one of httpGet, tcpSocket, exec and grpc"
      .what ($handlers | default "nothing")) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
