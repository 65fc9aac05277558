{{- /* What no schema can say, because it is about two values at once, or must hold when the schema is skipped. */ -}}
{{- define "zookeeper.checks" -}}
{{- $replicas := int .Values.replicas -}}
{{- if not (has $replicas (list 1 3 5 7)) -}}
  {{- fail (printf "replicas is %v, and an ensemble has 1, 3, 5 or 7 members: an even one survives no more failures than the odd one below it" .Values.replicas) -}}
{{- end -}}
{{- include "common.heapFits" (dict "name" "jvm.heapMiB" "heapMiB" .Values.jvm.heapMiB "resources" .Values.resources) -}}
{{- if and (or .Values.tls.client.enabled .Values.tls.quorum.enabled) (not .Values.tls.secretName) -}}
  {{- fail "tls is enabled, and tls.secretName is empty; name a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- $spare := max 1 (div (sub $replicas 1) 2) | int -}}
{{- if and .Values.podDisruptionBudget.enabled (gt (int .Values.podDisruptionBudget.maxUnavailable) $spare) -}}
  {{- fail (printf "podDisruptionBudget.maxUnavailable is %v, and %d members keep their majority with at most %d stopped; lower it" .Values.podDisruptionBudget.maxUnavailable $replicas $spare) -}}
{{- end -}}
{{- end -}}
