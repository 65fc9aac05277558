{{- /*
Parts that are the same in the pods of every chart. Each takes root, component and, for one version of a service,
serviceVersion.
*/ -}}

{{- /* The parts that a chart's pods and the pod of its test share. */ -}}
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

{{- /* Scheduling. The spread counts only pods with this lane's labels, so lanes don't affect one another. */ -}}
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
    # Nodes that are being drained don't count.
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

{{- /* The chart's own image, the container's security context, and the source of its termination message. */ -}}
{{- define "sidelane.container" -}}
image: {{ include "sidelane.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy | quote }}
securityContext:
  {{- include "sidelane.containerSecurityContext" .root | nindent 2 }}
{{ include "sidelane.termination" (dict "policy" .root.Values.terminationMessagePolicy) }}
{{- end -}}

{{- /*
Takes policy (optional). By default Kubernetes puts the end of a container's log into the pod's status when the
container fails without a message of its own, so that readers of the pod see the reason.
*/ -}}
{{- define "sidelane.termination" -}}
terminationMessagePolicy: {{ .policy | default "FallbackToLogsOnError" | quote }}
{{- end -}}

{{- /*
Takes root, component (the test's), pod (the arguments of sidelane.pod for the pods under test) and, optionally,
seconds. A Pod of `helm test` without its containers, which the caller appends.

Helm deletes the Pod before the next test and not after a success, because Helm 3 reads the logs (`helm test --logs`)
after that. The Pod ends before Helm's own limit of five minutes, so that a test that hangs is reported and blocks
nothing.
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
