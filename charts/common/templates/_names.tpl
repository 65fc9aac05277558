{{- /*
The naming contract, as in python/sidelane/naming/contract.py:

    <component>-<Version>-<Build>                   db-2-coco-1
    <service>-<serviceVersion>-<Version>-<Build>    svc1-v1-2-coco-1
    <service>-<Version>-<Build>                     svc1-2-coco-1, the name that callers use

Two inputs never give the same name. A name is never cut: one that is too long is refused.
*/ -}}

{{- /*
Takes root, component, kind and, for one version of a service, serviceVersion. The name of an object of that kind.
*/ -}}
{{- define "sidelane.name" -}}
{{- $lane := include "sidelane.lane" .root -}}
{{- $problem := include "sidelane.name.problem" (set (omit . "root") "lane" $lane) -}}
{{- if $problem -}}
  {{- fail $problem -}}
{{- end -}}
{{- include "sidelane.name.text" (set (omit . "root") "lane" $lane) -}}
{{- end -}}

{{- /* Takes component, lane and, for one version of a service, serviceVersion. */ -}}
{{- define "sidelane.name.text" -}}
{{- if hasKey . "serviceVersion" -}}
  {{- printf "%s-%s-%s" .component .serviceVersion .lane -}}
{{- else -}}
  {{- printf "%s-%s" .component .lane -}}
{{- end -}}
{{- end -}}

{{- /* Takes component, lane, kind and, for one version of a service, serviceVersion. */ -}}
{{- define "sidelane.name.problem" -}}
{{- $problem := include "sidelane.component.problem" .component -}}
{{- if hasKey . "serviceVersion" -}}
  {{- $problem = $problem | default (include "sidelane.serviceVersion.problem" .serviceVersion) -}}
{{- end -}}
{{- if $problem -}}
  {{- $problem -}}
{{- else -}}
  {{- $name := include "sidelane.name.text" . -}}
  {{- $limit := include "sidelane.name.limit" .kind | int -}}
  {{- if gt (len $name) $limit -}}
    {{- printf
      (print "the name '%s' has %d characters, and a %s may have at most %d; choose a shorter Version or component; "
        "names are never cut")
      $name (len $name) .kind $limit -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Takes a kind. The longest name that Kubernetes neither cuts nor refuses, also in the names that it derives from it; 63,
the limit of a label's value, for all kinds but these:

    StatefulSet  its label controller-revision-hash is <name>-<up to 10 characters>
    Deployment   a pod is <name>-<10>-<5>, and Kubernetes cuts the part before the <5> at 58
    ReplicaSet, DaemonSet, Job  a pod is <name>-<5>
    CronJob      a Job is <name>-<up to 10 digits>
*/ -}}
{{- define "sidelane.name.limit" -}}
{{- $limits := dict "StatefulSet" 52 "Deployment" 46 "ReplicaSet" 57 "DaemonSet" 57 "Job" 57 "CronJob" 52 -}}
{{- get $limits . | default 63 -}}
{{- end -}}

{{- /* Takes the name of a component or a service. */ -}}
{{- define "sidelane.component.problem" -}}
{{- if not (and (kindIs "string" .) (regexMatch "^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$" (toString .))) -}}
  {{- printf
    (print "the name '%v' is invalid: it must be lower-case letters and digits in parts joined by single dashes, and "
      "each part must begin with a letter; write it such as 'orders' or 'order-api'; a part that begins with a digit "
      "reads as a Version")
    . -}}
{{- else if regexMatch "-v[0-9][a-z0-9]*$" . -}}
  {{- printf
    "the name '%s' ends in '%s', which reads as a service version; rename it, and set the service version separately"
    . (splitList "-" . | last) -}}
{{- end -}}
{{- end -}}

{{- /* Takes a service version. */ -}}
{{- define "sidelane.serviceVersion.problem" -}}
{{- if not (and (kindIs "string" .) (regexMatch "^v[0-9][a-z0-9]*$" (toString .))) -}}
  {{- printf
    (print "the service version '%v' is invalid: it must be 'v', a digit, and then lower-case letters and digits; "
      "write it such as 'v1' or 'v2beta1'")
    . -}}
{{- end -}}
{{- end -}}

{{- /*
Takes root and component. The full DNS name of that component's Service in the lane:
<component>-<lane>.<namespace>.svc.<domain>.
*/ -}}
{{- define "sidelane.serviceHost" -}}
{{- $service := include "sidelane.name" (dict "root" .root "component" .component "kind" "Service") -}}
{{- printf "%s.%s.svc.%s" $service .root.Release.Namespace (include "sidelane.clusterDomain" .root) -}}
{{- end -}}

{{- /*
Takes the root. The domain of the cluster's DNS: from a parent chart's `global`, else the chart's own.
*/ -}}
{{- define "sidelane.clusterDomain" -}}
{{- dig "clusterDomain" "" (.Values.global | default dict) | default .Values.clusterDomain -}}
{{- end -}}
