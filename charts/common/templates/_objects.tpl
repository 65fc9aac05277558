{{- /*
Objects that look alike in every chart. Each takes root, component and, for one version of a service, serviceVersion.
*/ -}}

{{- define "sidelane.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "sidelane.metadata"
    (merge (dict "kind" "ServiceAccount" "annotations" .root.Values.serviceAccount.annotations) .) | nindent 2 }}
automountServiceAccountToken: {{ .root.Values.serviceAccount.automountToken | default false }}
{{- end -}}

{{- define "sidelane.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "sidelane.metadata" (merge (dict "kind" "PodDisruptionBudget") .) | nindent 2 }}
spec:
  maxUnavailable: {{ include "sidelane.intOrText" .root.Values.podDisruptionBudget.maxUnavailable }}
  # A pod that does not serve may always be moved: nobody loses by it, and it must not block a drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "sidelane.selector" . | nindent 6 }}
{{- end -}}

{{- /*
The Prometheus operator's object; the pods' port is called `metrics`, or as `port` says, and `path` is /metrics.
*/ -}}
{{- define "sidelane.podMonitor" -}}
{{- $monitor := .root.Values.metrics.podMonitor -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  {{- include "sidelane.metadata" (merge (dict "kind" "PodMonitor" "labels" $monitor.labels) (omit . "port" "path"))
    | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "sidelane.selector" . | nindent 6 }}
  podMetricsEndpoints:
    - port: {{ .port | default "metrics" | quote }}
      path: {{ .path | default "/metrics" | quote }}
      interval: {{ $monitor.interval | quote }}
{{- end -}}

{{- /*
Takes also name and volume, a mapping with storageClass and size; access modes and annotations are the ones under
.Values.persistence. One of a StatefulSet's volumeClaimTemplates.
*/ -}}
{{- define "sidelane.claim" -}}
- metadata:
    name: {{ .name }}
    labels:
      {{- include "sidelane.podLabels" . | nindent 6 }}
    {{- with include "sidelane.extra" (dict "values" .root.Values.persistence.annotations "what" "annotation") }}
    annotations:
      {{- . | nindent 6 }}
    {{- end }}
  spec:
    accessModes:
      {{- toYaml .root.Values.persistence.accessModes | nindent 6 }}
    {{- with .volume.storageClass }}
    storageClassName: {{ . | quote }}
    {{- end }}
    resources:
      requests:
        storage: {{ include "sidelane.scalar" .volume.size | quote }}
{{- end -}}
