{{- /* Takes the root. storm.yaml with the chart's own settings. */ -}}
{{- define "sidelane.supervisor.storm.yaml" -}}
{{- $workers := .Values.workers -}}
{{- $ports := list -}}
{{- range $slot := until (int $workers.slots) -}}
  {{- $ports = append $ports (add $workers.firstPort $slot) -}}
{{- end -}}
{{- $settings := dict
  "nimbus.seeds" (list (include "sidelane.serviceHost" (dict "root" . "component" "nimbus-cs")))
  "supervisor.childopts" (include "sidelane.storm.childopts" .Values.jvm)
  "supervisor.thrift.port" 6628
  "supervisor.slots.ports" $ports
  "supervisor.memory.capacity.mb" (mul $workers.slots (add $workers.heapMiB $workers.offHeapMiB))
  "worker.heap.memory.mb" (int $workers.heapMiB)
  "worker.childopts" (include "sidelane.storm.childopts" $workers)
  "topology.worker.logwriter.childopts" (printf "-Xmx%dm" (int $workers.logWriterMiB))
  "logviewer.appender.name" "A1"
  "logviewer.childopts" (include "sidelane.storm.childopts" .Values.logviewer.jvm) -}}
{{- with include "sidelane.supervisor.cpu" . -}}
  {{- $_ := set $settings "supervisor.cpu.capacity" (float64 .) -}}
{{- end -}}
{{- $instead := dict
  "supervisor.childopts" "jvm"
  "supervisor.slots.ports" "workers.slots and workers.firstPort"
  "supervisor.memory.capacity.mb" "workers"
  "supervisor.cpu.capacity" "resources"
  "worker.heap.memory.mb" "workers.heapMiB"
  "worker.childopts" "workers.options"
  "topology.worker.logwriter.childopts" "workers.logWriterMiB"
  "logviewer.childopts" "logviewer.jvm" -}}
{{- include "sidelane.storm.yaml" (dict "root" . "settings" $settings "instead" $instead) -}}
{{- end -}}

{{- /*
Takes the root. CPU in Storm's unit, 100 for a core; nothing when the container has neither a limit nor a request.
*/ -}}
{{- define "sidelane.supervisor.cpu" -}}
{{- $resources := .Values.resources | default dict -}}
{{- with dig "limits" "cpu" "" $resources | default (dig "requests" "cpu" "" $resources) -}}
  {{- printf "%.1f" (mulf 100 (include "sidelane.quantity" .)) -}}
{{- end -}}
{{- end -}}
