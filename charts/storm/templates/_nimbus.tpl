{{- /*
Takes root and replicas, the chart's own. How many Nimbus there are: one number for all from a parent chart's `global`,
else that.
*/ -}}
{{- define "sidelane.storm.nimbus.replicas" -}}
{{- dig "nimbus" "replicas" 0 (.root.Values.global | default dict) | default .replicas | int -}}
{{- end -}}

{{- /*
Takes root and replicas. Each Nimbus by its own name, as a JSON list: the name that it has for itself
(storm.local.hostname), or the UI would list it twice, once as offline.
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
