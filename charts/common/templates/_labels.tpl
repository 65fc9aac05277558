{{- /*
Takes root, component and, for one version of a service, serviceVersion. The labels that select the component's pods in
this lane.
*/ -}}
{{- define "sidelane.selector" -}}
app: {{ include "sidelane.app" . | quote }}
{{- if hasKey . "serviceVersion" }}
version: {{ .serviceVersion | quote }}
{{- end }}
sidelane.dev/lane: {{ include "sidelane.lane" .root | quote }}
{{- end -}}

{{- /* Takes root and component. The label `app`: the component's name in its lane, db-2-coco-1. */ -}}
{{- define "sidelane.app" -}}
{{- include "sidelane.name" (dict "root" .root "component" .component "kind" "label") -}}
{{- end -}}

{{- /*
Takes root, component and, for one version of a service, serviceVersion. Labels for pods and claims. They don't depend
on the chart's version, because a claim outlives it and a pod must not restart for it.
*/ -}}
{{- define "sidelane.podLabels" -}}
{{- include "sidelane.selector" . }}
sidelane.dev/version: {{ include "sidelane.version" .root | quote }}
sidelane.dev/build: {{ include "sidelane.build" .root | quote }}
app.kubernetes.io/name: {{ .root.Chart.Name | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
app.kubernetes.io/part-of: {{ include "sidelane.lane" .root | quote }}
{{- with include "sidelane.extra" (dict "values" .root.Values.commonLabels "what" "label") }}
{{ . }}
{{- end }}
{{- end -}}

{{- /* Takes root, component and, for one version of a service, serviceVersion. Labels for objects. */ -}}
{{- define "sidelane.labels" -}}
{{- include "sidelane.podLabels" . }}
{{- with include "sidelane.image.version" .root }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .root.Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- /* Takes values and what (`label` or `annotation`). The user's own; keys of the naming contract are refused. */ -}}
{{- define "sidelane.extra" -}}
{{- $lines := list -}}
{{- range $key, $value := .values -}}
  {{- if regexMatch "^(app$|version$|([^/]+[.])?sidelane[.]dev/|app[.]kubernetes[.]io/|helm[.]sh/)" $key -}}
    {{- fail (printf "the %s '%s' belongs to the naming contract and can't be set; choose another key" $.what $key) -}}
  {{- end -}}
  {{- $lines = append $lines (printf "%s: %s" ($key | quote) (include "sidelane.scalar" $value | quote)) -}}
{{- end -}}
{{- join "\n" $lines -}}
{{- end -}}
