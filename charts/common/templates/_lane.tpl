{{- /*
The lane: one Version and one Build, from the chart's own values or from a parent chart's `global`. The grammar is the
same as in python/sidelane/naming/lane.py; tests/charts/test_naming.py compares the two.

A template named `….problem` gives the problem in one sentence, or nothing, so that tests can call it without a failure.
*/ -}}

{{- /* Takes the root. The lane as text: 2-coco-1. */ -}}
{{- define "sidelane.lane" -}}
{{- printf "%s-%s" (include "sidelane.version" .) (include "sidelane.build" .) -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.version" -}}
{{- include "sidelane.lane.part" (dict "root" . "key" "Version" "example" "coco") -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.build" -}}
{{- include "sidelane.lane.part" (dict "root" . "key" "Build" "example" "1") -}}
{{- end -}}

{{- /*
Takes root, key and example. `helm lint` continues after a fail, and lints a chart that has no lane yet: the example
then keeps all names valid, so that lint reports only the chart's own faults.
*/ -}}
{{- define "sidelane.lane.part" -}}
{{- $given := include "sidelane.lane.given" . | fromJson -}}
{{- if $given.problem -}}
  {{- fail $given.problem -}}
  {{- .example -}}
{{- else -}}
  {{- $given.text -}}
{{- end -}}
{{- end -}}

{{- /*
Takes root and key. The value of Version or Build as JSON, {"text": …} or {"problem": …}, from either of the two places.
*/ -}}
{{- define "sidelane.lane.given" -}}
{{- $texts := list -}}
{{- $problem := "" -}}
{{- $global := .root.Values.global -}}
{{- range list .root.Values (ternary $global dict (kindIs "map" $global)) -}}
  {{- $value := get . $.key -}}
  {{- /* Null and empty mean that the value is not set here: values.yaml and `--set Version=null`. */ -}}
  {{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) -}}
    {{- $problem = $problem | default (include (printf "sidelane.%s.problem" (lower $.key)) (dict "value" $value)) -}}
    {{- $texts = append $texts (include "sidelane.lane.text" (dict "value" $value)) -}}
  {{- end -}}
{{- end -}}
{{- if $problem -}}
  {{- dict "problem" $problem | toJson -}}
{{- else if not $texts -}}
  {{- $problem = printf "no %s is given, and a lane is never guessed; add --set Version=coco --set Build=1" .key -}}
  {{- dict "problem" $problem | toJson -}}
{{- else if gt (len (uniq $texts)) 1 -}}
  {{- $problem = printf "the %s is '%s' in the chart's own values and '%s' in global; set it in one place"
    .key (first $texts) (last $texts) -}}
  {{- dict "problem" $problem | toJson -}}
{{- else -}}
  {{- dict "text" (first $texts) | toJson -}}
{{- end -}}
{{- end -}}

{{- /*
Takes value. A Version or a Build as text: `--set Build=1` gives a whole number, and 10000000 in a values file is a
float, which would print as 1e+07.
*/ -}}
{{- define "sidelane.lane.text" -}}
{{- if kindIs "float64" .value -}}
  {{- printf "%.0f" .value -}}
{{- else -}}
  {{- toString .value -}}
{{- end -}}
{{- end -}}
