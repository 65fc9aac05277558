{{- /*
Takes the root. The log viewer finds the directory of the daemons' logs through the name of a file appender in its own
Log4j configuration (logviewer.appender.name), and exits without one. Daemons log to standard output here, so nothing
uses this appender, and it creates no file.
*/ -}}
{{- define "sidelane.supervisor.daemonLogs" -}}
{{- if .Values.logviewer.enabled -}}
{{- $file := "${sys:storm.log.dir}/${sys:logfile.name}" -}}
<RollingFile name="A1" createOnDemand="true" fileName="{{ $file }}" filePattern="{{ $file }}.%i">
  <SizeBasedTriggeringPolicy size="1 MB"/>
</RollingFile>
{{- end -}}
{{- end -}}

{{- /*
Takes the root. worker.xml, for workers and their log writers. They log to files, which the log viewer shows. The log
viewer expects these file names.
*/ -}}
{{- define "sidelane.supervisor.worker.xml" -}}
{{- $logs := .Values.workers.logs -}}
<configuration shutdownHook="disable">
  <properties>
    <property name="file">${sys:workers.artifacts}/${sys:storm.id}/${sys:worker.port}/${sys:logfile.name}</property>
  </properties>
  <appenders>
    {{- range list (dict "name" "A1" "suffix" "" "files" $logs.files) (dict "name" "STDOUT" "suffix" ".out" "files" 1)
      (dict "name" "STDERR" "suffix" ".err" "files" 1) (dict "name" "METRICS" "suffix" ".metrics" "files" 1) }}
    <RollingFile name="{{ .name }}" fileName="${file}{{ .suffix }}" filePattern="${file}{{ .suffix }}.%i.gz">
      {{- if eq .name "A1" }}
      {{- include "sidelane.storm.layout" $ | nindent 6 }}
      {{- else }}
      <PatternLayout charset="UTF-8" pattern="{{ ternary "%d{ISO8601} %m%n" "%m%n" (eq .name "METRICS") }}"/>
      {{- end }}
      <Policies>
        <SizeBasedTriggeringPolicy size="{{ int $logs.fileMiB }} MB"/>
      </Policies>
      <DefaultRolloverStrategy max="{{ int .files }}"/>
    </RollingFile>
    {{- end }}
  </appenders>
  <loggers>
    {{- range $logger, $appender := dict "STDOUT" "STDOUT" "STDERR" "STDERR"
      "org.apache.storm.metric.LoggingMetricsConsumer" "METRICS" }}
    <logger name="{{ $logger }}" level="info" additivity="false">
      <appender-ref ref="{{ $appender }}"/>
    </logger>
    {{- end }}
    <root level="{{ lower $logs.level }}">
      <appender-ref ref="A1"/>
    </root>
  </loggers>
</configuration>
{{- end -}}
