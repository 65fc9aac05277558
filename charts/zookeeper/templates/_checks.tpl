{{- /*
Takes the root. Checks that a schema can't express, because they compare two values or must also hold when schemas are
skipped.
*/ -}}
{{- define "sidelane.zookeeper.checks" -}}
{{- $replicas := int .Values.replicas -}}
{{- if not (has $replicas (list 1 3 5 7)) -}}
  {{- fail (printf
    (print "replicas is %v, and an ensemble has 1, 3, 5 or 7 members: an even number survives no more failures than "
      "the odd number below it; set 1, 3, 5 or 7")
    .Values.replicas) -}}
{{- end -}}
{{- range list "tickTime" "initLimit" "syncLimit" -}}
  {{- $given := get ($.Values.config | default dict) . -}}
  {{- if not (regexMatch "^[1-9][0-9]*$" (include "sidelane.scalar" $given)) -}}
    {{- fail (printf
      (print "config.%s is %s and must be a whole number, or the members of an ensemble don't start; set one, or "
        "remove it to use the chart's default")
      . (ternary "null" (include "sidelane.scalar" $given) (kindIs "invalid" $given))) -}}
  {{- end -}}
{{- end -}}
{{- include "sidelane.heapFits"
  (dict "name" "jvm.heapMiB" "heapMiB" .Values.jvm.heapMiB "resources" .Values.resources) -}}
{{- if and (gt (int .Values.jvm.dnsCacheSeconds) 0) (contains "-Djava.security.properties=" .Values.jvm.options) -}}
  {{- fail (printf
    (print "jvm.options is '%s', and jvm.dnsCacheSeconds uses the same option, so one of them would be lost; set "
      "jvm.dnsCacheSeconds to 0, and put networkaddress.cache.ttl into your own file")
    .Values.jvm.options) -}}
{{- end -}}
{{- if and (or .Values.tls.client.enabled .Values.tls.quorum.enabled) (not .Values.tls.secretName) -}}
  {{- fail "tls is enabled, and tls.secretName is empty; set it to a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- if not (or .Values.tls.client.enabled .Values.tls.client.plaintext) -}}
  {{- fail (print "tls.client.plaintext and tls.client.enabled are both false, so no client could connect; set one of "
    "them to true") -}}
{{- end -}}
{{- if and .Values.metrics.podMonitor.enabled (not .Values.metrics.enabled) -}}
  {{- fail (print "metrics.podMonitor.enabled is true and metrics.enabled is false, so there is nothing to scrape; "
    "set metrics.enabled to true") -}}
{{- end -}}
{{- range .Values.extraEnv -}}
  {{- if has .name (list "POD_IP" "JVMFLAGS" "ZK_SERVER_HEAP" "ZOOCFGDIR" "ZOO_LOG_DIR" "JMXDISABLE" "ZK_CLIENT_HEAP"
      "CLIENT_JVMFLAGS") -}}
    {{- fail (printf
      (print "the environment variable '%s' is reserved by the chart; remove it from extraEnv, and use jvm.heapMiB or "
        "jvm.options for the server's JVM")
      .name) -}}
  {{- end -}}
{{- end -}}
{{- $spare := max 1 (div (sub $replicas 1) 2) | int -}}
{{- if and .Values.podDisruptionBudget.enabled (gt (int .Values.podDisruptionBudget.maxUnavailable) $spare) -}}
  {{- fail (printf
    "podDisruptionBudget.maxUnavailable is %v, and %d members keep a majority with at most %d stopped; lower it"
    .Values.podDisruptionBudget.maxUnavailable $replicas $spare) -}}
{{- end -}}
{{- end -}}
