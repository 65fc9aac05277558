{{- /*
Takes the root. Whose commands the notes give: `helm`, or `sidelane` where Sidelane installs. It adds a template to the
chart (releases/provenance/carried.py), which takes the place of this one.
*/ -}}
{{- define "common.installer" -}}
helm
{{- end -}}

{{- /* Takes the root and workload, such as `statefulset/zk-coco-1`. The command that returns when the release is ready. */ -}}
{{- define "common.notes.wait" -}}
{{- if eq (include "common.installer" .root) "sidelane" -}}
sidelane wait --namespace {{ .root.Release.Namespace }} {{ .root.Release.Name }}
{{- else -}}
kubectl rollout status --namespace {{ .root.Release.Namespace }} {{ .workload }}
{{- end -}}
{{- end -}}
