{{- /*
Takes root and replicas (the chart's own). The number of Nimbus instances: from a parent chart's `global`, else
replicas.
*/ -}}
{{- define "sidelane.storm.nimbus.replicas" -}}
{{- dig "nimbus" "replicas" 0 (.root.Values.global | default dict) | default .replicas | int -}}
{{- end -}}

{{- /*
Takes root and replicas. The name of each Nimbus, as a JSON list. It must be the name that the Nimbus has for itself
(storm.local.hostname): with another name the UI would list it twice, once as offline.
*/ -}}
{{- define "sidelane.storm.nimbus.seeds" -}}
{{- $pod := include "sidelane.name" (dict "root" .root "component" "nimbus" "kind" "StatefulSet") -}}
{{- $domain := include "sidelane.serviceHost" (dict "root" .root "component" "nimbus-hs") -}}
{{- $seeds := list -}}
{{- range $ordinal := until (include "sidelane.storm.nimbus.replicas" . | int) -}}
  {{- $seeds = append $seeds (printf "%s-%d.%s" $pod $ordinal $domain) -}}
{{- end -}}
{{- toJson $seeds -}}
{{- end -}}
