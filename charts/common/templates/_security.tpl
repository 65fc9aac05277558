{{- /*
Pod Security `restricted`, which Kubernetes checks on each pod: runAsNonRoot must be said, a runAsUser is not enough.
The chart's values are laid over it, for the user and group that the image wants, or that a cluster such as OpenShift gives.
*/ -}}

{{- /* Takes the root. */ -}}
{{- define "common.podSecurityContext" -}}
{{- $restricted := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- toYaml (mergeOverwrite $restricted (deepCopy (.Values.podSecurityContext | default dict))) -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "common.containerSecurityContext" -}}
{{- $restricted := dict
  "allowPrivilegeEscalation" false
  "readOnlyRootFilesystem" true
  "capabilities" (dict "drop" (list "ALL")) -}}
{{- toYaml (mergeOverwrite $restricted (deepCopy (.Values.containerSecurityContext | default dict))) -}}
{{- end -}}
