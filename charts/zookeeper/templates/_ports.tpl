{{- /*
Takes the root. The ports of a Service that clients use. The prefixes tell a service mesh the protocol; the targets are
the container's ports.
*/ -}}
{{- define "sidelane.zookeeper.clientPorts" -}}
{{- $lines := list -}}
{{- range $name, $port := fromYaml (include "sidelane.zookeeper.openPorts" .) -}}
  {{- $lines = append $lines (printf "- {name: tcp-%s, port: %v, targetPort: %s}" $name $port $name) -}}
{{- end -}}
{{- join "\n" $lines -}}
{{- end -}}

{{- /* Takes the root. The open client ports, by the name of the port. */ -}}
{{- define "sidelane.zookeeper.openPorts" -}}
{{- if or .Values.tls.client.plaintext (not .Values.tls.client.enabled) }}
client: 2181
{{- end }}
{{- if .Values.tls.client.enabled }}
client-tls: 2281
{{- end }}
{{- end -}}
