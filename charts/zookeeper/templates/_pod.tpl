{{- /* Parts that the members' container and the test's share. */ -}}
{{- define "sidelane.zookeeper.env" -}}
# The directory in which zkServer.sh and zkCli.sh find zoo.cfg and logback.xml.
- {name: ZOOCFGDIR, value: /conf}
# They need this directory, although nothing is logged to a file.
- {name: ZOO_LOG_DIR, value: /tmp}
- {name: JMXDISABLE, value: "true"}
{{- end -}}

{{- /*
Takes the root. Options of a member's JVM, without its heap. A member that looks for a leader repeats its notification
after 0.2 s and doubles the interval each time, by default up to a minute. The limit here is 2 s, so that a member does
not wait after its peers have its new address.
*/ -}}
{{- define "sidelane.zookeeper.jvmFlags" -}}
{{- $security := ternary "-Djava.security.properties=/conf/java.security" ""
  (gt (int .Values.jvm.dnsCacheSeconds) 0) -}}
{{- list "-XX:+ExitOnOutOfMemoryError" "-Dzookeeper.fastleader.maxNotificationInterval=2000" $security
  .Values.jvm.options | compact | join " " -}}
{{- end -}}

{{- define "sidelane.zookeeper.mounts" -}}
- {name: config, mountPath: /conf, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.tls.secretName }}
- {name: tls-secret, mountPath: /tls/secret, readOnly: true}
- {name: tls-run, mountPath: /tls/run}
{{- end }}
{{- end -}}

{{- define "sidelane.zookeeper.volumes" -}}
- name: config
  configMap:
    name: {{ include "sidelane.name" (dict "root" . "component" "zk" "kind" "ConfigMap") }}
- {name: tmp, emptyDir: {}}
{{- with .Values.tls.secretName }}
- name: tls-secret
  secret:
    secretName: {{ . | quote }}
# In memory, so that keys are not written to a disk.
- {name: tls-run, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
{{- end }}
{{- end -}}
