{{- /*
Takes value. The problem with a Build, in one sentence with its remedy; nothing when the Build is valid.

A number from a values file is a float. A whole one is read as its digits as long as a float holds every digit: up to
2^53-1.
*/ -}}
{{- define "sidelane.build.problem" -}}
{{- if or (kindIs "int64" .value) (kindIs "string" .value) -}}
  {{- include "sidelane.build.textProblem" (toString .value) -}}
{{- else if kindIs "float64" .value -}}
  {{- if and (eq .value (floor .value)) (le .value 9007199254740991.0) -}}
    {{- include "sidelane.build.textProblem" (printf "%.0f" .value) -}}
  {{- else -}}
    {{- printf
      "the Build %v is a number whose digits YAML does not preserve; put it in quotes, such as '20261122'"
      .value -}}
  {{- end -}}
{{- else -}}
  {{- printf
    "a Build must be decimal digits, not %s; give one such as '1' or '20261122'"
    (include "sidelane.kindOf" .value) -}}
{{- end -}}
{{- end -}}

{{- /* Takes text. */ -}}
{{- define "sidelane.build.textProblem" -}}
{{- $limit := 18 -}}
{{- if gt (len .) $limit -}}
  {{- printf "the Build '%s' has more than %d digits; choose a shorter number" (include "sidelane.shown" .) $limit -}}
{{- else if regexMatch "^0[0-9]+$" . -}}
  {{- printf
    "the Build '%s' must not begin with 0, so that each number has one spelling; write it '%s'"
    . (regexReplaceAll "^0+([0-9])" . "${1}") -}}
{{- else if not (regexMatch "^(0|[1-9][0-9]*)$" .) -}}
  {{- printf "the Build '%s' must consist of decimal digits only; give one such as '1' or '20261122'" . -}}
{{- end -}}
{{- end -}}
