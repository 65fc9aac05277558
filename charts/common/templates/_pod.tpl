{{- /*
What pods, containers and pod templates of every chart have in common. Each takes root, component and, for one version
of a service, serviceVersion.
*/ -}}

{{- /* What a pod of the chart and the pod of its test share. */ -}}
{{- define "sidelane.pod" -}}
serviceAccountName: {{ include "sidelane.serviceAccountName" . | quote }}
automountServiceAccountToken: {{ .root.Values.serviceAccount.automountToken | default false }}
enableServiceLinks: false
securityContext:
  {{- include "sidelane.podSecurityContext" .root | nindent 2 }}
{{- with concat .root.Values.imagePullSecrets (dig "imagePullSecrets" list (.root.Values.global | default dict))
  | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- range $key, $value := . }}
  {{ $key | quote }}: {{ include "sidelane.scalar" $value | quote }}
  {{- end }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "sidelane.serviceAccountName" -}}
{{- if .root.Values.serviceAccount.create -}}
  {{- include "sidelane.name" (merge (dict "kind" "ServiceAccount") .) -}}
{{- else -}}
  {{- .root.Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* Where the pods go. The lane's own labels keep them off one another, and nothing off another lane. */ -}}
{{- define "sidelane.placement" -}}
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
  {{- $keys := dict "kubernetes.io/hostname" $spread.nodes "topology.kubernetes.io/zone" $spread.zones }}
  {{- range $key, $unsatisfiable := $keys }}
  {{- if $unsatisfiable }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $unsatisfiable | quote }}
    # A node that is being drained is no place to leave free.
    nodeTaintsPolicy: Honor
    labelSelector:
      matchLabels:
        {{- include "sidelane.selector" $ | nindent 8 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* The metadata of a pod template. */ -}}
{{- define "sidelane.podMetadata" -}}
labels:
  {{- include "sidelane.podLabels" . | nindent 2 }}
{{- with include "sidelane.extra" (dict "values" .root.Values.podAnnotations "what" "annotation") }}
annotations:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* The chart's own image, what a container may do, and where the message about its end comes from. */ -}}
{{- define "sidelane.container" -}}
image: {{ include "sidelane.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy | quote }}
securityContext:
  {{- include "sidelane.containerSecurityContext" .root | nindent 2 }}
{{ include "sidelane.termination" (dict "policy" .root.Values.terminationMessagePolicy) }}
{{- end -}}

{{- /*
Takes policy, if there is one. By default Kubernetes keeps the last lines of a container's log in its status when it
fails and wrote no message of its own, so that whoever reads the pod sees why.
*/ -}}
{{- define "sidelane.termination" -}}
terminationMessagePolicy: {{ .policy | default "FallbackToLogsOnError" | quote }}
{{- end -}}

{{- /*
Takes root, component (the test's), pod (the same of the pods that it tests, as sidelane.pod takes it) and, if wanted,
seconds. A Pod of `helm test` up to its containers, which follow it.

Helm deletes it before the next test, and not when the test has succeeded: Helm 3 reads the logs (`helm test --logs`)
after that. It ends before Helm's own five minutes are over, so that a test that hangs says so and holds nothing.
*/ -}}
{{- define "sidelane.test" -}}
apiVersion: v1
kind: Pod
metadata:
  {{- $hook := dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation" }}
  {{- include "sidelane.metadata" (dict "root" .root "component" .component "kind" "Pod" "hook" $hook) | nindent 2 }}
spec:
  {{- include "sidelane.pod" .pod | nindent 2 }}
  restartPolicy: Never
  activeDeadlineSeconds: {{ .seconds | default 240 }}
{{- end -}}
