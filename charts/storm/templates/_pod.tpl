{{- /* What the containers of Storm have in common. */ -}}

{{- /*
Takes root and, as the case may be, zookeeper, true for a daemon that needs it, and domain, the headless Service of a
daemon that others find by its name.
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
# The name in full: others must be able to look it up.
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

{{- /* Takes root and component, whose ConfigMap it is. */ -}}
{{- define "sidelane.storm.volumes" -}}
- name: config
  configMap:
    name: {{ include "sidelane.name" (dict "root" .root "component" .component "kind" "ConfigMap") }}
{{- with .root.Values.configSecretName }}
- name: config-secret
  secret:
    secretName: {{ . | quote }}
{{- end }}
# storm.yaml, made whole when a container starts. In memory: what is secret in it is not written to a disk.
- {name: conf, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
- {name: logs, emptyDir: {}}
- {name: tmp, emptyDir: {}}
{{- end -}}

{{- /*
Takes a daemon's jvm. As the first process of its container it can't be killed by a signal of its own, so it exits.
*/ -}}
{{- define "sidelane.storm.childopts" -}}
{{- printf "-Xmx%dm -XX:+ExitOnOutOfMemoryError %s" (int .heapMiB) .options | trim -}}
{{- end -}}
