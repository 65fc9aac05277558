{{- /*
Takes name, heapMiB and resources. Fails for a heap that fills the memory limit: the container would be killed.
*/ -}}
{{- define "sidelane.heapFits" -}}
{{- $limit := dig "limits" "memory" "" (.resources | default dict) -}}
{{- if $limit -}}
  {{- $bytes := include "sidelane.bytes" $limit | float64 -}}
  {{- if ge (mulf .heapMiB 1048576) $bytes -}}
    {{- fail (printf
      (print "%s is %v, which does not fit below resources.limits.memory (%v): Java also needs memory outside its "
        "heap; lower the heap or raise the limit")
      .name .heapMiB $limit) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes a Kubernetes quantity, such as 1Gi, 1.5G or 1073741824. The number of bytes. */ -}}
{{- define "sidelane.bytes" -}}
{{- printf "%.0f" (include "sidelane.quantity" . | float64) -}}
{{- end -}}

{{- /* Takes a Kubernetes quantity, such as 1Gi or 500m. The quantity as a number. */ -}}
{{- define "sidelane.quantity" -}}
{{- $text := include "sidelane.scalar" . -}}
{{- $units := dict "" 1.0 "m" 0.001
  "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15
  "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 -}}
{{- $number := regexFind "^[0-9]+([.][0-9]*)?([eE][0-9]+)?" $text -}}
{{- $unit := trimPrefix $number $text -}}
{{- if not (and $number (hasKey $units $unit)) -}}
  {{- fail (printf "'%s' is not a quantity; write it such as 512Mi or 1Gi" $text) -}}
{{- end -}}
{{- printf "%f" (mulf ($number | default "0") (get $units $unit | default 1.0)) -}}
{{- end -}}
