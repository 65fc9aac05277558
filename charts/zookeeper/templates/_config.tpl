{{- /* Takes the root. The complete zoo.cfg: nothing is added to it when a member starts. */ -}}
{{- define "sidelane.zookeeper.zoo.cfg" -}}
dataDir=/data
{{- if .Values.persistence.log.enabled }}
dataLogDir=/datalog
{{- end }}
clientPort=2181
{{- if and .Values.tls.client.enabled (not .Values.tls.client.plaintext) }}
# The probes still connect here.
clientPortAddress=localhost
{{- end }}
{{- include "sidelane.zookeeper.members" . }}
# When a member starts, a peer's or its own name might not resolve yet: retry forever.
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

{{- /* Takes the root. A single member needs no list: it runs standalone. */ -}}
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
# With ZooKeeper's default, true, members don't verify the host name in a certificate.
fips-mode=false
{{- end }}
{{- end }}
{{- end -}}

{{- /* Takes the prefix of the settings. start.sh creates the files. */ -}}
{{- define "sidelane.zookeeper.tls.stores" }}
{{ . }}.keyStore.location=/tls/run/keystore.pem
{{ . }}.keyStore.type=PEM
{{ . }}.trustStore.location=/tls/run/truststore.pem
{{ . }}.trustStore.type=PEM
{{- end -}}

{{- /*
Takes the root. The user's own settings. One that the chart writes itself is refused, with the value to set instead.
*/ -}}
{{- define "sidelane.zookeeper.extra.cfg" -}}
{{- range $key, $value := .Values.config }}
{{- with include "sidelane.zookeeper.config.problem" (dict "key" $key "value" $value) }}
{{- fail . }}
{{- end }}
{{ $key }}={{ include "sidelane.scalar" $value }}
{{- end }}
{{- end -}}

{{- /* Takes key and value. The problem with a setting, in one sentence; nothing when it is valid. */ -}}
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
  {{- printf "config.%s is fixed by the chart, which disables interfaces that it does not need; remove it" .key -}}
{{- else if not (regexMatch "^[A-Za-z][A-Za-z0-9._-]*$" .key) -}}
  {{- printf "config.%s is not the name of a setting; write it as ZooKeeper does, such as maxClientCnxns" .key -}}
{{- else if or (has (kindOf .value) (list "map" "slice" "invalid")) (contains "\n" (toString .value)) -}}
  {{- printf "config.%s is not one line of text, a number, true or false; set one of these" .key -}}
{{- end -}}
{{- end -}}

{{- /* logback.xml: all logs go to standard output. */ -}}
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
