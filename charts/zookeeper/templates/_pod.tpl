{{- /* What the members' pods and the test's pod have in common. */ -}}
{{- define "zookeeper.pod" -}}
{{- if .Values.serviceAccount.create -}}
serviceAccountName: {{ include "common.name" (dict "root" . "component" "zk" "kind" "ServiceAccount") }}
{{- else -}}
serviceAccountName: {{ .Values.serviceAccount.name | default "default" }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "common.podSecurityContext" . | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Where the members go. The lane's own labels keep them off one another, and nothing off another lane. */ -}}
{{- define "zookeeper.placement" -}}
{{- with .Values.priorityClassName -}}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if or .Values.spread.nodes .Values.spread.zones }}
topologySpreadConstraints:
  {{- range $key, $unsatisfiable := dict "kubernetes.io/hostname" .Values.spread.nodes "topology.kubernetes.io/zone" .Values.spread.zones }}
  {{- if $unsatisfiable }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $unsatisfiable }}
    # A node that is being drained is no place to leave free.
    nodeTaintsPolicy: Honor
    labelSelector:
      matchLabels:
        {{- include "common.selector" (dict "root" $ "component" "zk") | nindent 8 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "zookeeper.container" -}}
image: {{ include "common.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "common.containerSecurityContext" . | nindent 2 }}
{{- end -}}

{{- define "zookeeper.env" -}}
# Where zkServer.sh and zkCli.sh look for zoo.cfg and logback.xml.
- {name: ZOOCFGDIR, value: /conf}
# A folder that they want, though nothing is logged to a file.
- {name: ZOO_LOG_DIR, value: /tmp}
- {name: JMXDISABLE, value: "true"}
{{- end -}}

{{- define "zookeeper.mounts" -}}
- {name: config, mountPath: /conf, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.tls.secretName }}
- {name: tls-secret, mountPath: /tls/secret, readOnly: true}
- {name: tls-run, mountPath: /tls/run}
{{- end }}
{{- end -}}

{{- define "zookeeper.volumes" -}}
- name: config
  configMap:
    name: {{ include "common.name" (dict "root" . "component" "zk" "kind" "ConfigMap") }}
- {name: tmp, emptyDir: {}}
{{- with .Values.tls.secretName }}
- name: tls-secret
  secret:
    secretName: {{ . }}
# In memory: a key is not written to a disk.
- {name: tls-run, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
{{- end }}
{{- end -}}

{{- /* Takes root, name and volume. */ -}}
{{- define "zookeeper.claim" -}}
- metadata:
    name: {{ .name }}
    labels:
      {{- include "common.podLabels" (dict "root" .root "component" "zk") | nindent 6 }}
    {{- with include "common.extra" (dict "values" .root.Values.persistence.annotations "what" "annotation") }}
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
        storage: {{ include "common.scalar" .volume.size | quote }}
{{- end -}}
