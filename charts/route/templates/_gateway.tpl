{{- /* Takes root and targets. The action of a rule: its targets and how requests are sent to them. */ -}}
{{- define "sidelane.route.gateway.action" -}}
{{- with include "sidelane.route.mirror" .root | fromJson -}}
filters:
  - type: RequestMirror
    requestMirror:
      backendRef:
        {{- include "sidelane.route.gateway.backend" (dict "root" $.root "target" .) | nindent 8 }}
      percent: {{ include "sidelane.scalar" $.root.Values.mirror.percent }}
{{ end -}}
{{- with .root.Values.timeout -}}
timeouts:
  request: {{ . | quote }}
{{ end -}}
backendRefs:
  {{- range .targets }}
  - {{ include "sidelane.route.gateway.backend" (dict "root" $.root "target" .) | nindent 4 | trim }}
    weight: {{ include "sidelane.scalar" .weight }}
  {{- end }}
{{- end -}}

{{- /* Takes root and target. */ -}}
{{- define "sidelane.route.gateway.backend" -}}
group: ""
kind: Service
name: {{ include "sidelane.route.target.name" . }}
port: {{ include "sidelane.scalar" .root.Values.port }}
{{- end -}}

{{- /*
Takes a match. Its conditions, with the defaults that the API server sets, so that the live object can be compared with
it.
*/ -}}
{{- define "sidelane.route.gateway.match" -}}
{{- $path := .path | default dict -}}
{{- $conditions := dict "path" (dict "type" "PathPrefix" "value" ($path.prefix | default "/")) -}}
{{- with $path.exact -}}
  {{- $conditions = dict "path" (dict "type" "Exact" "value" .) -}}
{{- end -}}
{{- with .method -}}
  {{- $conditions = set $conditions "method" . -}}
{{- end -}}
{{- $headers := list -}}
{{- range .headers -}}
  {{- $how := dict "type" "Exact" "value" .value -}}
  {{- if hasKey . "regex" -}}
    {{- $how = dict "type" "RegularExpression" "value" .regex -}}
  {{- end -}}
  {{- $headers = append $headers (set $how "name" (lower .name)) -}}
{{- end -}}
{{- with .cookie -}}
  {{- $headers = append $headers
    (dict "name" "cookie" "type" "RegularExpression" "value" (include "sidelane.route.cookie" .)) -}}
{{- end -}}
{{- with $headers -}}
  {{- $conditions = set $conditions "headers" . -}}
{{- end -}}
{{- toYaml (list $conditions) -}}
{{- end -}}
