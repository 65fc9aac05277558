{{- /*
Takes name and value. The whole header Cookie, as a regular expression, when this cookie is among the others.
*/ -}}
{{- define "sidelane.route.cookie" -}}
{{- printf "(.*; ?)?%s=%s(;.*)?" (regexQuoteMeta .name) (regexQuoteMeta .value) -}}
{{- end -}}
