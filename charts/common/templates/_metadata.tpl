{{- /*
Takes root, kind, component (the label `app`), and where wanted:
  as              the component that the name is made of, when it is not that one: zk-cs for a Service of zk
  serviceVersion  when the object belongs to one version of a service
  labels, annotations  the user's for this object, beside commonLabels and commonAnnotations
  hook            Helm's own annotations
The metadata of an object.
*/ -}}
{{- define "common.metadata" -}}
{{- $own := pick . "root" "component" "serviceVersion" -}}
name: {{ include "common.name" (merge (dict "component" (.as | default .component) "kind" .kind) $own) }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "common.labels" $own | nindent 2 }}
  {{- with include "common.extra" (dict "what" "label" "values" .labels) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- $annotations := merge dict (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
{{- if or $annotations .hook }}
annotations:
  {{- range $key, $value := .hook }}
  {{ $key | quote }}: {{ $value | quote }}
  {{- end }}
  {{- with include "common.extra" (dict "what" "annotation" "values" $annotations) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}
