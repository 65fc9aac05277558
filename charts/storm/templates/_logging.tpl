{{- /*
cluster.xml: daemons log to standard output. Takes root and, optionally, appenders: further appenders as text.
*/ -}}
{{- define "sidelane.storm.cluster.xml" -}}
{{- $logging := .root.Values.logging -}}
<configuration shutdownHook="disable">
  <appenders>
    <Console name="CONSOLE">
      {{- include "sidelane.storm.layout" .root | nindent 6 }}
    </Console>
    {{- with .appenders }}
    {{- . | nindent 4 }}
    {{- end }}
  </appenders>
  <loggers>
    {{- /* A line for each request would hide the other lines. */}}
    {{- range list "org.apache.storm.logging.filters.AccessLoggingFilter"
      "org.apache.storm.logging.ThriftAccessLogger" }}
    <logger name="{{ . }}" level="{{ ternary "info" "warn" $logging.requests }}"/>
    {{- end }}
    <root level="{{ lower $logging.level }}">
      <appender-ref ref="CONSOLE"/>
    </root>
  </loggers>
</configuration>
{{- end -}}

{{- /*
Takes the root. The pattern builds the JSON and escapes its fields, because Log4j's own JSON layouts need libraries that
Storm does not include.
*/ -}}
{{- define "sidelane.storm.layout" -}}
{{- if eq .Values.logging.format "json" -}}
<PatternLayout charset="UTF-8" alwaysWriteExceptions="false">
  <pattern>{"time":"%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}","level":"%p","logger":"%c","thread":"%enc{%t}{JSON}",
    {{- /* One line in the file. */ -}}
    "message":"%enc{%m}{JSON}","exception":"%enc{%xEx}{JSON}"}%n</pattern>
</PatternLayout>
{{- else -}}
<PatternLayout charset="UTF-8">
  <pattern>%d{ISO8601} %-5p [%t] %c{1.} - %m%n</pattern>
</PatternLayout>
{{- end -}}
{{- end -}}
