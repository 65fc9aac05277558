{{- /*
Takes root, targets and session. The action of a rule: its targets and how requests are sent to them. session: the
cookie or header that names the target that answered; empty for none.
*/ -}}
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
    {{- if $.session }}
    {{- with include "sidelane.route.session.header" (dict "root" $.root "target" . "session" $.session) | fromJson }}
    filters:
      - type: ResponseHeaderModifier
        responseHeaderModifier:
          {{ .how }}:
            - name: {{ .name | quote }}
              value: {{ .value | quote }}
    {{- end }}
    {{- end }}
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
Takes root and conditions: those of a match. They come with the defaults that the API server sets, so that the live
object can be compared with them.
*/ -}}
{{- define "sidelane.route.gateway.match" -}}
{{- $path := .conditions.path | default dict -}}
{{- $conditions := dict "path" (dict "type" "PathPrefix" "value" ($path.prefix | default "/")) -}}
{{- with $path.exact -}}
  {{- $conditions = dict "path" (dict "type" "Exact" "value" .) -}}
{{- end -}}
{{- with .conditions.method -}}
  {{- $conditions = set $conditions "method" . -}}
{{- end -}}
{{- $headers := list -}}
{{- range include "sidelane.route.conditions.headers" . | fromJsonArray -}}
  {{- $how := dict "type" (ternary "RegularExpression" "Exact" (hasKey . "regex")) "value" (.regex | default .exact) -}}
  {{- $headers = append $headers (set $how "name" .name) -}}
{{- end -}}
{{- with $headers -}}
  {{- $conditions = set $conditions "headers" . -}}
{{- end -}}
{{- toYaml (list $conditions) -}}
{{- end -}}
