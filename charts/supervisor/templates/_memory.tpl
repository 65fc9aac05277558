{{- /*
Takes the root. Fails when the memory limit is too low for everything in a supervisor's container: the supervisor with
its heap and 128 MiB more, and in each slot a worker and its log writer with their heaps and off-heap memory. Above its
limit the whole container is killed.
*/ -}}
{{- define "sidelane.supervisor.memory.fits" -}}
{{- $limit := dig "limits" "memory" "" (.Values.resources | default dict) -}}
{{- if $limit -}}
  {{- $workers := .Values.workers -}}
  {{- $slot := add $workers.heapMiB $workers.offHeapMiB $workers.logWriterMiB -}}
  {{- $needed := add .Values.jvm.heapMiB 128 (mul $workers.slots $slot) -}}
  {{- if gt (mulf $needed 1048576) (include "sidelane.bytes" $limit | float64) -}}
    {{- fail (printf
      (print "resources.limits.memory is %v and must be at least %d MiB: the supervisor's heap of %v and 128 more, "
        "and %v slots of %d (workers.heapMiB %v + workers.offHeapMiB %v + workers.logWriterMiB %v); raise it, or lower "
        "one of these")
      $limit $needed .Values.jvm.heapMiB $workers.slots $slot $workers.heapMiB $workers.offHeapMiB
      $workers.logWriterMiB) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
