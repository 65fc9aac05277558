{{- /*
Objects that are the same in every chart. Each takes root, component and, for one version of a service, serviceVersion.
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
  # A pod that is not ready can always be evicted: it serves nobody, and it must not block a drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "sidelane.selector" . | nindent 6 }}
{{- end -}}

{{- /*
The Prometheus operator's object. Takes also port, the name of the pods' port (default: metrics), and path (default:
/metrics).
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
A claim among a StatefulSet's volumeClaimTemplates. Takes also name and volume, a mapping with storageClass and size.
The access modes and annotations come from .Values.persistence.
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
