{{- /*
What pods, containers and pod templates of every chart have in common. Each takes root, component and, for one version of
a service, serviceVersion.
*/ -}}

{{- /* What a pod of the chart and the pod of its test share. */ -}}
{{- define "common.pod" -}}
serviceAccountName: {{ include "common.serviceAccountName" . | quote }}
automountServiceAccountToken: {{ .root.Values.serviceAccount.automountToken | default false }}
enableServiceLinks: false
securityContext:
  {{- include "common.podSecurityContext" .root | nindent 2 }}
{{- with concat .root.Values.imagePullSecrets (dig "imagePullSecrets" list (.root.Values.global | default dict)) | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- range $key, $value := . }}
  {{ $key | quote }}: {{ include "common.scalar" $value | quote }}
  {{- end }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "common.serviceAccountName" -}}
{{- if .root.Values.serviceAccount.create -}}
  {{- include "common.name" (merge (dict "kind" "ServiceAccount") .) -}}
{{- else -}}
  {{- .root.Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* Where the pods go. The lane's own labels keep them off one another, and nothing off another lane. */ -}}
{{- define "common.placement" -}}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $spread := .root.Values.spread }}
{{- if or $spread.nodes $spread.zones }}
topologySpreadConstraints:
  {{- range $key, $unsatisfiable := dict "kubernetes.io/hostname" $spread.nodes "topology.kubernetes.io/zone" $spread.zones }}
  {{- if $unsatisfiable }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $unsatisfiable | quote }}
    # A node that is being drained is no place to leave free.
    nodeTaintsPolicy: Honor
    labelSelector:
      matchLabels:
        {{- include "common.selector" $ | nindent 8 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* The metadata of a pod template. */ -}}
{{- define "common.podMetadata" -}}
labels:
  {{- include "common.podLabels" . | nindent 2 }}
{{- with include "common.extra" (dict "values" .root.Values.podAnnotations "what" "annotation") }}
annotations:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* The chart's own image, what a container may do, and where the message about its end comes from. */ -}}
{{- define "common.container" -}}
image: {{ include "common.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy | quote }}
securityContext:
  {{- include "common.containerSecurityContext" .root | nindent 2 }}
{{ include "common.termination" (dict "policy" .root.Values.terminationMessagePolicy) }}
{{- end -}}

{{- /*
Takes policy, if there is one. By default Kubernetes keeps the last lines of a container's log in its status when it fails and wrote no
message of its own, so that whoever reads the pod sees why.
*/ -}}
{{- define "common.termination" -}}
terminationMessagePolicy: {{ .policy | default "FallbackToLogsOnError" | quote }}
{{- end -}}

{{- /*
Takes root, component (the test's), pod (the same of the pods that it tests, as common.pod takes it) and, if wanted, seconds. A Pod of
`helm test` up to its containers, which follow it.

Helm deletes it before the next test, and not when the test has succeeded: Helm 3 reads the logs (`helm test --logs`) after that. It
ends before Helm's own five minutes are over, so that a test that hangs says so and holds nothing.
*/ -}}
{{- define "common.test" -}}
apiVersion: v1
kind: Pod
metadata:
  {{- $hook := dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation" }}
  {{- include "common.metadata" (dict "root" .root "component" .component "kind" "Pod" "hook" $hook) | nindent 2 }}
spec:
  {{- include "common.pod" .pod | nindent 2 }}
  restartPolicy: Never
  activeDeadlineSeconds: {{ .seconds | default 240 }}
{{- end -}}
