{{- /* Takes any value. Its type, as a word for messages. */ -}}
{{- define "sidelane.kindOf" -}}
{{- if typeIs "json.Number" . -}}
a number
{{- else -}}
{{- $kinds := dict "bool" "a boolean" "float64" "a number" "slice" "a list" "map" "a mapping" "invalid" "null" -}}
{{- get $kinds (kindOf .) | default (kindOf .) -}}
{{- end -}}
{{- end -}}

{{- /* Takes text. The text, shortened for messages. */ -}}
{{- define "sidelane.shown" -}}
{{- ternary . (printf "%s..." (trunc 57 .)) (le (len .) 60) -}}
{{- end -}}

{{- /*
Takes a scalar. The value as plain text: numbers from a values file are floats, and 4194304 would print as 4.194304e+06.
*/ -}}
{{- define "sidelane.scalar" -}}
{{- if kindIs "float64" . -}}
  {{- ternary (printf "%.0f" .) (toString .) (eq . (floor .)) -}}
{{- else -}}
  {{- toString . -}}
{{- end -}}
{{- end -}}

{{- /*
Takes a whole number or text, such as 25%. The value as YAML, with text in quotes (IntOrString in Kubernetes).
*/ -}}
{{- define "sidelane.intOrText" -}}
{{- if kindIs "string" . -}}
  {{- quote . -}}
{{- else -}}
  {{- include "sidelane.scalar" . -}}
{{- end -}}
{{- end -}}
