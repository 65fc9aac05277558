{{- /*
Takes value. The problem with a Version, in one sentence with its remedy; nothing when the Version is valid.

A number from --set is whole, and is read as its digits. A number from a values file is refused, even a whole one: 2.0
and 0x2 have become 2 when a template sees them.
*/ -}}
{{- define "sidelane.version.problem" -}}
{{- if or (kindIs "int64" .value) (and (kindIs "string" .value) (not (typeIs "json.Number" .value))) -}}
  {{- include "sidelane.version.textProblem" (toString .value) -}}
{{- else -}}
  {{- printf
    "a Version must be text, not %s; put it in quotes; otherwise YAML turns 2.10 into 2.1 and n into false"
    (include "sidelane.kindOf" .value) -}}
{{- end -}}
{{- end -}}

{{- /* Takes text. */ -}}
{{- define "sidelane.version.textProblem" -}}
{{- $limit := 40 -}}
{{- $grammar := "^([a-z][a-z0-9]*|[0-9][a-z0-9]*(-[a-z0-9]+)*)$" -}}
{{- if gt (len .) $limit -}}
  {{- printf
    (print "the Version '%s' has %d characters, and at most %d leave room for the names that contain it; choose a "
      "shorter one; names are never cut")
    (include "sidelane.shown" .) (len .) $limit -}}
{{- else if not (regexMatch $grammar .) -}}
  {{- $rule := "must consist of lower-case letters and digits, joined by single dashes" -}}
  {{- if eq . "" -}}
    {{- $rule = "is empty" -}}
  {{- else if regexMatch "^[a-z0-9]+(-[a-z0-9]+)*$" . -}}
    {{- $rule = "begins with a letter and has a dash, so its first part would read as part of a component's name" -}}
  {{- end -}}
  {{- $plain := regexReplaceAll "[^a-z0-9]+" (lower .) "-" | trimAll "-" -}}
  {{- if not (regexMatch $grammar $plain) -}}
    {{- $plain = replace "-" "" $plain -}}
  {{- end -}}
  {{- printf "the Version '%s' %s; write it such as '%s'" . $rule ($plain | default "coco' or '2-coco") -}}
{{- end -}}
{{- end -}}
