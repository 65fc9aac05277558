{{- /* Takes name and value. A regular expression for a whole Cookie header that contains this cookie. */ -}}
{{- define "sidelane.route.cookie" -}}
{{- printf "(.*; ?)?%s=%s(;.*)?" (regexQuoteMeta .name) (regexQuoteMeta .value) -}}
{{- end -}}
