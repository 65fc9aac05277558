{{- /* Parts that all containers of Storm share. */ -}}

{{- /*
Takes root and, optionally, zookeeper (true for a daemon that needs it) and domain (the headless Service of a daemon
that others find by its name).
*/ -}}
{{- define "sidelane.storm.env" -}}
- {name: STORM_CONF_DIR, value: /conf}
- {name: STORM_DATA_DIR, value: /data}
{{- if .zookeeper }}
- name: STORM_ZOOKEEPER
  {{- $servers := list }}
  {{- range include "sidelane.storm.zookeeper.servers" .root | fromJsonArray }}
  {{- $servers = append $servers (printf "%s:%s" . (include "sidelane.storm.zookeeper.port" $.root)) }}
  {{- end }}
  value: {{ join " " $servers | quote }}
{{- end }}
{{- if .root.Values.configSecretName }}
- {name: STORM_SECRET_CONFIG, value: /etc/storm-secret/storm.yaml}
{{- end }}
{{- with .domain }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
# The full DNS name, which other daemons can resolve.
{{- $host := include "sidelane.serviceHost" (dict "root" $.root "component" .) }}
- {name: STORM_LOCAL_HOSTNAME, value: {{ printf "$(POD_NAME).%s" $host | quote }}}
{{- end }}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.storm.mounts" -}}
- {name: config, mountPath: /etc/storm, readOnly: true}
{{- if .Values.configSecretName }}
- {name: config-secret, mountPath: /etc/storm-secret, readOnly: true}
{{- end }}
- {name: conf, mountPath: /conf}
- {name: logs, mountPath: /logs}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{- /* Takes root and component (of the ConfigMap). */ -}}
{{- define "sidelane.storm.volumes" -}}
- name: config
  configMap:
    name: {{ include "sidelane.name" (dict "root" .root "component" .component "kind" "ConfigMap") }}
{{- with .root.Values.configSecretName }}
- name: config-secret
  secret:
    secretName: {{ . | quote }}
{{- end }}
# The complete storm.yaml, written when a container starts. In memory, so that secrets are not written to a disk.
- {name: conf, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
- {name: logs, emptyDir: {}}
- {name: tmp, emptyDir: {}}
{{- end -}}

{{- /*
Takes a daemon's jvm. A JVM out of memory exits: as the first process of its container it could not kill itself by a
signal.
*/ -}}
{{- define "sidelane.storm.childopts" -}}
{{- printf "-Xmx%dm -XX:+ExitOnOutOfMemoryError %s" (int .heapMiB) .options | trim -}}
{{- end -}}
