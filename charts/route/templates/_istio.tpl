{{- /*
Takes root, targets and session. The action of a rule: its targets and how requests are sent to them. session: the
cookie or header that names the target that answered; empty for none.
*/ -}}
{{- define "sidelane.route.istio.action" -}}
route:
  {{- range .targets }}
  - destination:
      {{- include "sidelane.route.istio.destination" (dict "root" $.root "target" .) | nindent 6 }}
    weight: {{ include "sidelane.scalar" .weight }}
    {{- if $.session }}
    {{- with include "sidelane.route.session.header" (dict "root" $.root "target" . "session" $.session) | fromJson }}
    headers:
      response:
        {{ .how }}:
          {{ .name | quote }}: {{ .value | quote }}
    {{- end }}
    {{- end }}
  {{- end }}
{{- with include "sidelane.route.mirror" .root | fromJson }}
mirror:
  {{- include "sidelane.route.istio.destination" (dict "root" $.root "target" .) | nindent 2 }}
mirrorPercentage:
  value: {{ include "sidelane.scalar" $.root.Values.mirror.percent }}
{{- end }}
{{- with .root.Values.timeout }}
timeout: {{ . | quote }}
{{- end }}
{{- with .root.Values.retries }}
retries:
  attempts: {{ include "sidelane.scalar" .attempts }}
  {{- with .perTryTimeout }}
  perTryTimeout: {{ . | quote }}
  {{- end }}
  {{- with .conditions }}
  retryOn: {{ join "," . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Takes root and target. */ -}}
{{- define "sidelane.route.istio.destination" -}}
host: {{ include "sidelane.route.target.host" . | quote }}
port:
  number: {{ include "sidelane.scalar" .root.Values.port }}
{{- end -}}

{{- /*
Takes root and conditions: those of a match. A prefix here consists of whole path segments, as in the Gateway API;
Istio's consists of characters. So `/api` becomes `/api` itself or a prefix `/api/`.
*/ -}}
{{- define "sidelane.route.istio.match" -}}
{{- $conditions := dict -}}
{{- $headers := dict -}}
{{- range include "sidelane.route.conditions.headers" . | fromJsonArray -}}
  {{- $headers = set $headers .name (omit . "name") -}}
{{- end -}}
{{- if $headers -}}
  {{- $conditions = set $conditions "headers" $headers -}}
{{- end -}}
{{- with .conditions.method -}}
  {{- $conditions = set $conditions "method" (dict "exact" .) -}}
{{- end -}}
{{- $path := .conditions.path | default dict -}}
{{- if $path.exact -}}
  {{- toYaml (list (set $conditions "uri" (dict "exact" $path.exact))) -}}
{{- else if and $path.prefix (ne $path.prefix "/") -}}
  {{- $itself := set (deepCopy $conditions) "uri" (dict "exact" $path.prefix) -}}
  {{- $below := set (deepCopy $conditions) "uri" (dict "prefix" (printf "%s/" $path.prefix)) -}}
  {{- toYaml (list $itself $below) -}}
{{- else if $conditions -}}
  {{- toYaml (list $conditions) -}}
{{- else -}}
  {{- toYaml (list (dict "uri" (dict "prefix" "/"))) -}}
{{- end -}}
{{- end -}}
