{{- /*
Takes the root. Checks that a schema can't express, because they compare two values or must also hold when schemas are
skipped.
*/ -}}
{{- define "sidelane.service.checks" -}}
{{- if not .Values.image.repository -}}
  {{- fail "no image is set; add --set image.repository=registry.example/svc1 --set image.tag=1.4.0" -}}
{{- end -}}
{{- include "sidelane.service.portChecks" (dict "what" "the service" "ports" .Values.ports) -}}
{{- include "sidelane.service.volumeChecks" . -}}
{{- include "sidelane.service.resourceChecks" (dict "what" "the service's container" "resources" .Values.resources) -}}
{{- include "sidelane.service.containerChecks" . -}}
{{- include "sidelane.service.probeChecks" (dict "what" "startupProbe" "probe" .Values.startupProbe) -}}
{{- include "sidelane.service.probeChecks" (dict "what" "livenessProbe" "probe" .Values.livenessProbe) -}}
{{- $readiness := include "sidelane.service.readinessProbe" . | fromYaml -}}
{{- if or .Values.readinessProbe $readiness -}}
  {{- include "sidelane.service.probeChecks"
    (dict "what" "readinessProbe" "probe" ($readiness | default .Values.readinessProbe)) -}}
{{- end -}}
{{- include "sidelane.service.scaleChecks" . -}}
{{- include "sidelane.service.lifeChecks" . -}}
{{- include "sidelane.service.reachChecks" . -}}
{{- end -}}

{{- define "sidelane.service.scaleChecks" -}}
{{- with .Values.autoscaling -}}
  {{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
    {{- fail (printf
      "autoscaling.minReplicas is %v and greater than autoscaling.maxReplicas, %v; lower it or raise the other"
      .minReplicas .maxReplicas) -}}
  {{- end -}}
  {{- if and .enabled (not (or .cpu .memory .metrics)) -}}
    {{- fail (print "autoscaling.enabled is true and no metric is set; set autoscaling.cpu, autoscaling.memory or "
      "autoscaling.metrics") -}}
  {{- end -}}
{{- end -}}
{{- if has (toString .Values.podDisruptionBudget.maxUnavailable) (list "0" "0%") -}}
  {{- fail (print "podDisruptionBudget.maxUnavailable is 0, so no node with a pod of this service could be drained; "
    "set 1 or more") -}}
{{- end -}}
{{- $strategy := .Values.strategy -}}
{{- if and (eq $strategy.type "RollingUpdate") (has (toString $strategy.maxUnavailable) (list "0" "0%"))
  (has (toString $strategy.maxSurge) (list "0" "0%")) -}}
  {{- fail (print "strategy.maxUnavailable and strategy.maxSurge are both 0, so no pod could be replaced; raise one of "
    "them") -}}
{{- end -}}
{{- end -}}

{{- define "sidelane.service.lifeChecks" -}}
{{- if and .Values.drainSeconds (not (get .Values.lifecycle "preStop"))
  (ge (int .Values.drainSeconds) (int .Values.terminationGracePeriodSeconds)) -}}
  {{- fail (printf
    (print "drainSeconds is %v, and the pod is killed after terminationGracePeriodSeconds (%v); lower it, so that the "
      "pod has time to stop after the drain")
    .Values.drainSeconds .Values.terminationGracePeriodSeconds) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes the root. A headless Service resolves to the pods' addresses, so the features of a Service's own address don't
apply.
*/ -}}
{{- define "sidelane.service.headlessChecks" -}}
{{- $service := .Values.service -}}
{{- if $service.headless -}}
  {{- if ne $service.type "ClusterIP" -}}
    {{- fail (printf
      "service.headless is true, and a Service of type %s can't be headless; remove one of the two"
      $service.type) -}}
  {{- end -}}
  {{- range .Values.ports -}}
    {{- if and .port (ne (int .port) (int .containerPort)) -}}
      {{- fail (printf
        (print "service.headless is true, and the port '%s' is %v while its containerPort is %v: a headless Service "
          "translates no ports, so nothing would listen on %v; set the port to %v, or remove service.headless")
        .name .port .containerPort .port .containerPort) -}}
    {{- end -}}
  {{- end -}}
  {{- if or (ne $service.sessionAffinity "None") $service.trafficDistribution -}}
    {{- fail (print "service.headless is true, so service.sessionAffinity and service.trafficDistribution have no "
      "effect; remove them, or service.headless") -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "sidelane.service.reachChecks" -}}
{{- with .Values.service -}}
  {{- if and .externalTrafficPolicy (eq .type "ClusterIP") -}}
    {{- fail (print "service.externalTrafficPolicy applies to external traffic, and a Service of type ClusterIP gets "
      "none; remove it") -}}
  {{- end -}}
  {{- if and .loadBalancerClass (ne .type "LoadBalancer") -}}
    {{- fail (printf
      "service.loadBalancerClass requires the type LoadBalancer, and service.type is %s; remove it"
      .type) -}}
  {{- end -}}
{{- end -}}
{{- include "sidelane.service.headlessChecks" . -}}
{{- $names := list "" -}}
{{- range .Values.ports -}}
  {{- $names = append $names .name -}}
{{- end -}}
{{- if not (has .Values.metrics.port $names) -}}
  {{- fail (printf
    "metrics.port is '%s', which is not a name in ports; add it there, without `port` if only Prometheus uses it"
    .Values.metrics.port) -}}
{{- end -}}
{{- if and .Values.metrics.podMonitor.enabled (not .Values.metrics.port) -}}
  {{- fail (print "metrics.podMonitor.enabled is true and metrics.port is empty, so there is nothing to scrape; set "
    "metrics.port") -}}
{{- end -}}
{{- end -}}

{{- /*
Takes what (the container in messages) and resources. Fails without requests, because such a pod is evicted first, and
without a memory limit, because such a pod can starve others.
*/ -}}
{{- define "sidelane.service.resourceChecks" -}}
{{- $resources := .resources | default dict -}}
{{- $missing := list -}}
{{- range list "requests.cpu" "requests.memory" "limits.memory" -}}
  {{- $path := splitList "." . -}}
  {{- if not (get (get $resources (first $path) | default dict) (last $path)) -}}
    {{- $missing = append $missing (printf "resources.%s" .) -}}
  {{- end -}}
{{- end -}}
{{- if $missing -}}
  {{- fail (printf "%s has no %s; set it" .what (join ", " $missing)) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes what (the item in messages), given and known. Fails for a key that the chart does not support, such as a hostPath
or hostPort.
*/ -}}
{{- define "sidelane.service.onlyKeys" -}}
{{- $known := .known -}}
{{- $what := .what -}}
{{- range keys .given | sortAlpha -}}
  {{- if not (has . $known) -}}
    {{- fail (printf "%s has the unsupported key '%s'; the chart supports %s" $what . (join ", " $known)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
