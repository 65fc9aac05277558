{{- /* Takes root and targets. Where the requests of a rule go, and how. */ -}}
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
Takes a match. Its conditions, with what the API would fill in, so that what is there can be held against this.
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
