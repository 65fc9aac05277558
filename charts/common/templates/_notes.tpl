{{- /*
Takes the root. The program whose commands the notes show: `helm`, or `sidelane` where Sidelane installs. Sidelane then
adds a template to the chart (releases/provenance/carried.py) that replaces this one.
*/ -}}
{{- define "sidelane.installer" -}}
helm
{{- end -}}

{{- /*
Takes the root and workload, such as `statefulset/db-coco-1`. The command that returns when the release is ready.
*/ -}}
{{- define "sidelane.notes.wait" -}}
{{- if eq (include "sidelane.installer" .root) "sidelane" -}}
sidelane wait --namespace {{ .root.Release.Namespace }} {{ .root.Release.Name }}
{{- else -}}
kubectl rollout status --namespace {{ .root.Release.Namespace }} {{ .workload }}
{{- end -}}
{{- end -}}
