{{- /*
Takes the root. Checks that a schema can't express, because they compare two values or must also hold when schemas are
skipped.
*/ -}}
{{- define "sidelane.supervisor.checks" -}}
{{- include "sidelane.storm.checks" . -}}
{{- $workers := .Values.workers -}}
{{- if lt (int $workers.slots) 1 -}}
  {{- fail (printf "workers.slots is %v, and a supervisor without slots runs nothing; set 1 or more" $workers.slots) -}}
{{- end -}}
{{- $last := sub (add $workers.firstPort $workers.slots) 1 -}}
{{- range list 6627 6628 8000 -}}
  {{- if and (ge . (int $workers.firstPort)) (le . (int $last)) -}}
    {{- fail (printf
      (print "workers.firstPort is %v, so the slots use the ports up to %d, and Storm itself uses %d; choose another, "
        "such as 6700")
      $workers.firstPort $last .) -}}
  {{- end -}}
{{- end -}}
{{- if gt (int $last) 65535 -}}
  {{- fail (printf
    "workers.firstPort is %v, so the last slot would have port %d, above the limit of 65535; lower it"
    $workers.firstPort $last) -}}
{{- end -}}
{{- include "sidelane.storm.options.checks"
  (dict "name" "workers.options" "options" $workers.options "instead" "workers.heapMiB") -}}
{{- include "sidelane.storm.jvm.checks" (dict "name" "jvm" "jvm" .Values.jvm "resources" .Values.resources) -}}
{{- include "sidelane.storm.jvm.checks"
  (dict "name" "logviewer.jvm" "jvm" .Values.logviewer.jvm "resources" .Values.logviewer.resources) -}}
{{- include "sidelane.supervisor.memory.fits" . -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) 60 -}}
  {{- fail (printf
    "terminationGracePeriodSeconds is %v, and workers need time to finish their work; set 60 or more"
    .Values.terminationGracePeriodSeconds) -}}
{{- end -}}
{{- $autoscaling := .Values.autoscaling -}}
{{- if and $autoscaling.enabled (gt (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas)) -}}
  {{- fail (printf
    "autoscaling.minReplicas is %v and greater than autoscaling.maxReplicas, %v; lower it or raise the other"
    $autoscaling.minReplicas $autoscaling.maxReplicas) -}}
{{- end -}}
{{- if and $autoscaling.enabled (not (dig "requests" "cpu" "" (.Values.resources | default dict))) -}}
  {{- fail (print "autoscaling is enabled, and its target is a percentage of resources.requests.cpu, which is not "
    "set; set it") -}}
{{- end -}}
{{- end -}}
