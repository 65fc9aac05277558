{{- /*
The metadata of an object. Takes root, kind, component (the label `app`), and optionally:
  as                   the component in the name where it differs: db-headless for a Service of db
  serviceVersion       when the object belongs to one version of a service
  namespace            where it differs from the release's
  labels, annotations  the user's for this object, in addition to commonLabels and commonAnnotations
  hook                 Helm's own annotations
*/ -}}
{{- define "sidelane.metadata" -}}
{{- $own := pick . "root" "component" "serviceVersion" -}}
name: {{ include "sidelane.name" (merge (dict "component" (.as | default .component) "kind" .kind) $own) }}
namespace: {{ .namespace | default .root.Release.Namespace | quote }}
labels:
  {{- include "sidelane.labels" $own | nindent 2 }}
  {{- with include "sidelane.extra" (dict "what" "label" "values" .labels) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- $annotations := merge dict (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
{{- $operational := include "sidelane.operationalFields" . }}
{{- if or $annotations .hook $operational }}
annotations:
  {{- with $operational }}
  sidelane.dev/operational-fields: {{ . | quote }}
  {{- end }}
  {{- range $key, $value := .hook }}
  {{ $key | quote }}: {{ $value | quote }}
  {{- end }}
  {{- with include "sidelane.extra" (dict "what" "annotation" "values" $annotations) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /*
Takes root, kind and component. The fields of the object that the chart's operational values set: `spec.replicas`,
`spec` or nothing. Admission policies read it from the deployed object.
*/ -}}
{{- define "sidelane.operationalFields" -}}
{{- $values := splitList "," (include "sidelane.guard.operational" .root) -}}
{{- $whole := dict "NetworkPolicy" "networkPolicy" "PodDisruptionBudget" "podDisruptionBudget"
  "HorizontalPodAutoscaler" "autoscaling" -}}
{{- if hasKey $whole .kind -}}
  {{- $name := get $whole .kind -}}
  {{- range $values -}}
    {{- if or (eq . $name) (hasPrefix (printf "%s." $name) .) -}}{{- $_ := set $ "operational" "spec" -}}{{- end -}}
  {{- end -}}
  {{- .operational -}}
{{- else if has .kind (list "Deployment" "StatefulSet") -}}
  {{- $section := get .root.Values .component -}}
  {{- $own := and (kindIs "map" $section) (hasKey ($section | default dict) "replicas") -}}
  {{- if has (ternary (printf "%s.replicas" .component) "replicas" $own) $values -}}
    {{- "spec.replicas" -}}
  {{- end -}}
{{- end -}}
{{- end -}}
