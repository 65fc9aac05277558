{{- /* zoo.cfg, whole: nothing is added to it when a member starts. */ -}}
{{- define "sidelane.zookeeper.zoo.cfg" -}}
dataDir=/data
{{- if .Values.persistence.log.enabled }}
dataLogDir=/datalog
{{- end }}
clientPort=2181
{{- if and .Values.tls.client.enabled (not .Values.tls.client.plaintext) }}
# The probes still ask here.
clientPortAddress=localhost
{{- end }}
{{- include "sidelane.zookeeper.members" . }}
# A peer's or one's own name may not resolve yet when a member starts: go on trying.
electionPortBindRetry=0
4lw.commands.whitelist=srvr, ruok
admin.enableServer=false
{{- if .Values.metrics.enabled }}
metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
metricsProvider.httpPort=7000
{{- end }}
{{- include "sidelane.zookeeper.tls.cfg" . }}
{{- include "sidelane.zookeeper.extra.cfg" . }}
{{- end -}}

{{- /* One member alone needs no list: it is standalone. */ -}}
{{- define "sidelane.zookeeper.members" -}}
{{- if gt (int .Values.replicas) 1 }}
{{- $pod := include "sidelane.name" (dict "root" . "component" "zk" "kind" "StatefulSet") }}
{{- $domain := include "sidelane.serviceHost" (dict "root" . "component" "zk-hs") }}
{{- range $ordinal := until (int .Values.replicas) }}
server.{{ add1 $ordinal }}={{ $pod }}-{{ $ordinal }}.{{ $domain }}:2888:3888
{{- end }}
{{- end }}
{{- end -}}

{{- define "sidelane.zookeeper.tls.cfg" -}}
{{- if .Values.tls.client.enabled }}
secureClientPort=2281
serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory
ssl.clientAuth={{ .Values.tls.client.auth }}
{{- include "sidelane.zookeeper.tls.stores" "ssl" }}
client.certReload=true
{{- end }}
{{- if .Values.tls.quorum.enabled }}
sslQuorum=true
{{- include "sidelane.zookeeper.tls.stores" "ssl.quorum" }}
sslQuorumReloadCertFiles=true
{{- if not (hasKey .Values.config "fips-mode") }}
# ZooKeeper's default is true, and then members don't check whose certificate they are shown.
fips-mode=false
{{- end }}
{{- end }}
{{- end -}}

{{- /* Takes the prefix of the settings. The files are those that start.sh makes. */ -}}
{{- define "sidelane.zookeeper.tls.stores" }}
{{ . }}.keyStore.location=/tls/run/keystore.pem
{{ . }}.keyStore.type=PEM
{{ . }}.trustStore.location=/tls/run/truststore.pem
{{ . }}.trustStore.type=PEM
{{- end -}}

{{- /* The user's own lines. One that the chart writes itself is refused, with the value that leads to it. */ -}}
{{- define "sidelane.zookeeper.extra.cfg" -}}
{{- range $key, $value := .Values.config }}
{{- with include "sidelane.zookeeper.config.problem" (dict "key" $key "value" $value) }}
{{- fail . }}
{{- end }}
{{ $key }}={{ include "sidelane.scalar" $value }}
{{- end }}
{{- end -}}

{{- /* Takes key and value. */ -}}
{{- define "sidelane.zookeeper.config.problem" -}}
{{- $instead := dict
  "dataDir" "persistence" "dataLogDir" "persistence.log"
  "server." "replicas" "dynamicConfigFile" "replicas" "reconfigEnabled" "replicas"
  "clientPort" "tls.client" "secureClientPort" "tls.client" "serverCnxnFactory" "tls.client"
  "client.certReload" "tls.client" "ssl.clientAuth" "tls.client"
  "ssl.keyStore" "tls" "ssl.trustStore" "tls" "ssl.quorum.keyStore" "tls" "ssl.quorum.trustStore" "tls"
  "sslQuorum" "tls.quorum"
  "metricsProvider." "metrics" "jute.maxbuffer" "jvm.options" -}}
{{- range $prefix, $use := $instead -}}
  {{- if hasPrefix $prefix $.key -}}
    {{- printf "config.%s is written by the chart; set %s instead" $.key $use -}}
  {{- end -}}
{{- end -}}
{{- if or (hasPrefix "admin." .key) (hasPrefix "4lw." .key) -}}
  {{- printf "config.%s is fixed by the chart, which keeps what is not needed closed; leave it out" .key -}}
{{- else if not (regexMatch "^[A-Za-z][A-Za-z0-9._-]*$" .key) -}}
  {{- printf "config.%s is not the name of a setting; write it as ZooKeeper does, such as maxClientCnxns" .key -}}
{{- else if or (has (kindOf .value) (list "map" "slice" "invalid")) (contains "\n" (toString .value)) -}}
  {{- printf "config.%s is not one line of text, a number, true or false; give one" .key -}}
{{- end -}}
{{- end -}}

{{- /* logback.xml: everything goes to the standard output. */ -}}
{{- define "sidelane.zookeeper.logback.xml" -}}
<configuration>
  <appender name="CONSOLE" class="ch.qos.logback.core.ConsoleAppender">
    {{- if eq .Values.logging.format "json" }}
    <encoder class="ch.qos.logback.classic.encoder.JsonEncoder"/>
    {{- else }}
    <encoder>
      <pattern>%d{ISO8601} %-5level [%thread] %logger{1} - %msg%n</pattern>
    </encoder>
    {{- end }}
  </appender>
  <root level="{{ .Values.logging.level }}">
    <appender-ref ref="CONSOLE"/>
  </root>
</configuration>
{{- end -}}
