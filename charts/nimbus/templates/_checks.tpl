{{- /*
Takes the root. Checks that a schema can't express, because they compare two values or must also hold when schemas are
skipped.
*/ -}}
{{- define "sidelane.nimbus.checks" -}}
{{- include "sidelane.storm.checks" . -}}
{{- $replicas := include "sidelane.nimbus.replicas" . | int -}}
{{- if lt $replicas 1 -}}
  {{- fail (printf
    "replicas is %d and must be 1 or more; set 1, or 2 to survive the loss of one"
    $replicas) -}}
{{- end -}}
{{- if or (lt (int .Values.minReplication) 0) (gt (int .Values.minReplication) $replicas) -}}
  {{- fail (printf
    (print "minReplication is %v, and %d Nimbus instances can't hold more than %d copies of a topology; lower it, or "
      "set 0 for the majority")
    .Values.minReplication $replicas $replicas) -}}
{{- end -}}
{{- include "sidelane.storm.jvm.checks" (dict "name" "jvm" "jvm" .Values.jvm "resources" .Values.resources) -}}
{{- if and .Values.podDisruptionBudget.enabled (gt $replicas 1)
  (ge (int .Values.podDisruptionBudget.maxUnavailable) $replicas) -}}
  {{- fail (printf
    "podDisruptionBudget.maxUnavailable is %v, so a drain could stop all %d Nimbus instances; lower it"
    .Values.podDisruptionBudget.maxUnavailable $replicas) -}}
{{- end -}}
{{- end -}}
