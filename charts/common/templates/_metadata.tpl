{{- /*
The metadata of an object. Takes root, kind, component (the label `app`), and optionally:
  as                   the component in the name where it differs: db-headless for a Service of db
  serviceVersion       when the object belongs to one version of a service
  labels, annotations  the user's for this object, in addition to commonLabels and commonAnnotations
  hook                 Helm's own annotations
*/ -}}
{{- define "sidelane.metadata" -}}
{{- $own := pick . "root" "component" "serviceVersion" -}}
name: {{ include "sidelane.name" (merge (dict "component" (.as | default .component) "kind" .kind) $own) }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "sidelane.labels" $own | nindent 2 }}
  {{- with include "sidelane.extra" (dict "what" "label" "values" .labels) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- $annotations := merge dict (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
{{- if or $annotations .hook }}
annotations:
  {{- range $key, $value := .hook }}
  {{ $key | quote }}: {{ $value | quote }}
  {{- end }}
  {{- with include "sidelane.extra" (dict "what" "annotation" "values" $annotations) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}
