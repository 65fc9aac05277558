{{- /* What no schema can say, because it is about two values at once, or must hold when the schema is skipped. */ -}}
{{- define "sidelane.service.checks" -}}
{{- if not .Values.image.repository -}}
  {{- fail "no image is given; add --set image.repository=registry.example/svc1 --set image.tag=1.4.0" -}}
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
      "autoscaling.minReplicas is %v, and autoscaling.maxReplicas is %v; raise one or lower the other"
      .minReplicas .maxReplicas) -}}
  {{- end -}}
  {{- if and .enabled (not (or .cpu .memory .metrics)) -}}
    {{- fail (print "autoscaling.enabled is true, and there is nothing to scale by; set autoscaling.cpu, "
      "autoscaling.memory or autoscaling.metrics") -}}
  {{- end -}}
{{- end -}}
{{- if has (toString .Values.podDisruptionBudget.maxUnavailable) (list "0" "0%") -}}
  {{- fail (print "podDisruptionBudget.maxUnavailable is 0, and no node with a pod of this service could ever be "
    "drained; allow 1 or more") -}}
{{- end -}}
{{- $strategy := .Values.strategy -}}
{{- if and (eq $strategy.type "RollingUpdate") (has (toString $strategy.maxUnavailable) (list "0" "0%"))
  (has (toString $strategy.maxSurge) (list "0" "0%")) -}}
  {{- fail "strategy.maxUnavailable and strategy.maxSurge are both 0, and no pod could ever be replaced; raise one" -}}
{{- end -}}
{{- end -}}

{{- define "sidelane.service.lifeChecks" -}}
{{- if and .Values.drainSeconds (not (get .Values.lifecycle "preStop"))
  (ge (int .Values.drainSeconds) (int .Values.terminationGracePeriodSeconds)) -}}
  {{- fail (printf
    (print "drainSeconds is %v, and after terminationGracePeriodSeconds (%v) the pod is killed; leave it time to stop "
      "after it was drained")
    .Values.drainSeconds .Values.terminationGracePeriodSeconds) -}}
{{- end -}}
{{- end -}}

{{- /* A headless Service leads to the pods' own addresses, past all that stands before a Service's address. */ -}}
{{- define "sidelane.service.headlessChecks" -}}
{{- $service := .Values.service -}}
{{- if $service.headless -}}
  {{- if ne $service.type "ClusterIP" -}}
    {{- fail (printf
      "service.headless is true, and a Service of type %s has an address; leave one of them out"
      $service.type) -}}
  {{- end -}}
  {{- range .Values.ports -}}
    {{- if and .port (ne (int .port) (int .containerPort)) -}}
      {{- fail (printf
        (print "service.headless is true, and the port '%s' is %v where its containerPort is %v: a headless Service "
          "translates no port, so nothing would answer on %v; set its port to %v, or leave service.headless out")
        .name .port .containerPort .port .containerPort) -}}
    {{- end -}}
  {{- end -}}
  {{- if or (ne $service.sessionAffinity "None") $service.trafficDistribution -}}
    {{- fail (print "service.headless is true, and clients choose their pod themselves: service.sessionAffinity and "
      "service.trafficDistribution would do nothing; leave them out, or service.headless") -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "sidelane.service.reachChecks" -}}
{{- with .Values.service -}}
  {{- if and .externalTrafficPolicy (eq .type "ClusterIP") -}}
    {{- fail (print "service.externalTrafficPolicy is about traffic from outside, and none reaches a Service of type "
      "ClusterIP; leave it out") -}}
  {{- end -}}
  {{- if and .loadBalancerClass (ne .type "LoadBalancer") -}}
    {{- fail (printf
      "service.loadBalancerClass is for the type LoadBalancer, and service.type is %s; leave it out"
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
    (print "metrics.port is '%s', and ports has no such name; add it there, without a port where only Prometheus is "
      "to reach it")
    .Values.metrics.port) -}}
{{- end -}}
{{- if and .Values.metrics.podMonitor.enabled (not .Values.metrics.port) -}}
  {{- fail (print "metrics.podMonitor.enabled is true and metrics.port is empty, so there would be nothing to scrape; "
    "name the port") -}}
{{- end -}}
{{- end -}}

{{- /*
Takes what, for a sentence, and resources. Who asks for nothing is the first to be stopped, and who has no limit stops
the others.
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
  {{- fail (printf "%s has no %s; give it" .what (join ", " $missing)) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes what, for a sentence, given and known. Fails for a key that the chart does not hand on: a hostPath, a hostPort.
*/ -}}
{{- define "sidelane.service.onlyKeys" -}}
{{- $known := .known -}}
{{- $what := .what -}}
{{- range keys .given | sortAlpha -}}
  {{- if not (has . $known) -}}
    {{- fail (printf "%s has '%s', which a service in a lane can't have; it may have %s" $what . (join ", " $known)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
