{{- /*
Takes the root. Checks that concern two parts; each part checks its own values. In `helm lint` the values of the parts
are missing.
*/ -}}
{{- define "sidelane.pipeline.checks" -}}
{{- $shared := .Values.global | default dict -}}
{{- if and .Values.nimbus.enabled .Values.ui.enabled (not (dig "nimbus" "replicas" 0 $shared))
  (hasKey .Values.nimbus "replicas") (hasKey .Values.ui "nimbus") -}}
  {{- if ne (int .Values.nimbus.replicas) (int .Values.ui.nimbus.replicas) -}}
    {{- fail (printf
      (print "nimbus.replicas is %v and ui.nimbus.replicas is %v, so the UI would list missing Nimbus instances or "
        "leave some out; set one number for both with global.nimbus.replicas")
      .Values.nimbus.replicas .Values.ui.nimbus.replicas) -}}
  {{- end -}}
{{- end -}}
{{- $places := dict -}}
{{- range $part := list "nimbus" "supervisor" "ui" -}}
  {{- $values := index $.Values $part -}}
  {{- if and $values.enabled (hasKey $values "zookeeper") -}}
    {{- $place := mergeOverwrite (deepCopy $values.zookeeper) (deepCopy ($shared.zookeeper | default dict)) -}}
    {{- $_ := set $places (toJson $place) $part -}}
  {{- end -}}
{{- end -}}
{{- if gt (len $places) 1 -}}
  {{- fail (printf
    (print "%s have different values under zookeeper, and all parts of one Storm need the same ZooKeeper; set it for "
      "all with global.zookeeper")
    (values $places | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
