{{- /* What the chart adds to storm.yaml. */ -}}
{{- define "supervisor.storm.yaml" -}}
{{- $workers := .Values.workers -}}
{{- $ports := list -}}
{{- range $slot := until (int $workers.slots) -}}
  {{- $ports = append $ports (add $workers.firstPort $slot) -}}
{{- end -}}
{{- $settings := dict
  "nimbus.seeds" (list (include "common.serviceHost" (dict "root" . "component" "nimbus-cs")))
  "supervisor.childopts" (include "storm.childopts" .Values.jvm)
  "supervisor.thrift.port" 6628
  "supervisor.slots.ports" $ports
  "supervisor.memory.capacity.mb" (mul $workers.slots (add $workers.heapMiB $workers.offHeapMiB))
  "worker.heap.memory.mb" (int $workers.heapMiB)
  "worker.childopts" (include "storm.childopts" $workers)
  "topology.worker.logwriter.childopts" (printf "-Xmx%dm" (int $workers.logWriterMiB))
  "logviewer.appender.name" "A1"
  "logviewer.childopts" (include "storm.childopts" .Values.logviewer.jvm) -}}
{{- with include "supervisor.cpu" . -}}
  {{- $_ := set $settings "supervisor.cpu.capacity" (float64 .) -}}
{{- end -}}
{{- include "storm.yaml" (dict "root" . "settings" $settings) -}}
{{- end -}}

{{- /* CPU as Storm counts it, 100 for a core; nothing when the container has neither a limit nor a request. */ -}}
{{- define "supervisor.cpu" -}}
{{- $resources := .Values.resources | default dict -}}
{{- with dig "limits" "cpu" "" $resources | default (dig "requests" "cpu" "" $resources) -}}
  {{- printf "%.1f" (mulf 100 (include "common.quantity" .)) -}}
{{- end -}}
{{- end -}}
