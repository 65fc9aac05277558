{{- /*
Takes one or two cookies with name and value. A regular expression (RE2, without look-ahead) for a whole Cookie header
that contains them, in any order.
*/ -}}
{{- define "sidelane.route.cookies" -}}
{{- $pairs := list -}}
{{- range . -}}
  {{- $pairs = append $pairs (printf "%s=%s" (regexQuoteMeta .name) (regexQuoteMeta .value)) -}}
{{- end -}}
{{- if eq (len $pairs) 1 -}}
  {{- printf "(.*; ?)?%s(;.*)?" (first $pairs) -}}
{{- else -}}
  {{- $one := first $pairs -}}
  {{- $two := last $pairs -}}
  {{- printf "(.*; ?)?(%s; ?(.*; ?)?%s|%s; ?(.*; ?)?%s)(;.*)?" $one $two $two $one -}}
{{- end -}}
{{- end -}}
