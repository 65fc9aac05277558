{{- /* Takes the root. The readiness probe of the values; without a handler it connects to the first TCP port. */ -}}
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

{{- /* Takes a probe. Its handlers, joined by commas. */ -}}
{{- define "sidelane.service.probeHandlers" -}}
{{- keys (pick . "httpGet" "tcpSocket" "exec" "grpc") | sortAlpha | join ", " -}}
{{- end -}}

{{- /* Takes what (the probe in messages) and probe. Fails for a probe without a handler or with several. */ -}}
{{- define "sidelane.service.probeChecks" -}}
{{- if .probe -}}
  {{- $handlers := include "sidelane.service.probeHandlers" .probe -}}
  {{- if or (not $handlers) (contains "," $handlers) -}}
    {{- fail (printf
      "%s has %s and must have exactly one handler; set httpGet, tcpSocket, exec or grpc"
      .what ($handlers | default "no handler")) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
