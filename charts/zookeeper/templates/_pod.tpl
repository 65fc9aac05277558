{{- /* What the members' container and the test's have in common. */ -}}
{{- define "sidelane.zookeeper.env" -}}
# Where zkServer.sh and zkCli.sh look for zoo.cfg and logback.xml.
- {name: ZOOCFGDIR, value: /conf}
# A folder that they want, though nothing is logged to a file.
- {name: ZOO_LOG_DIR, value: /tmp}
- {name: JMXDISABLE, value: "true"}
{{- end -}}

{{- /*
Takes the root. Options of a member's JVM beside its heap. A member that looks for its leader asks again after 0.2 s,
and each time after twice as long, by default up to a minute: its peers would know its new address, and it would still
wait.
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
# In memory: a key is not written to a disk.
- {name: tls-run, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
{{- end }}
{{- end -}}
