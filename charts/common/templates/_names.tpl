{{- /*
The naming contract, as in python/sidelane/naming/contract.py:

    <component>-<Version>-<Build>                   zk-2-coco-1
    <service>-<serviceVersion>-<Version>-<Build>    svc1-v1-2-coco-1
    <service>-<Version>-<Build>                     svc1-2-coco-1, the name that callers use

Two inputs never give one name, and a name is never cut: one that is too long is refused.
*/ -}}

{{- /*
Takes root, component, kind, and for one version of a service serviceVersion. The name of an object of that kind.
*/ -}}
{{- define "common.name" -}}
{{- $lane := include "common.lane" .root -}}
{{- $problem := include "common.name.problem" (set (omit . "root") "lane" $lane) -}}
{{- if $problem -}}
  {{- fail $problem -}}
{{- end -}}
{{- include "common.name.text" (set (omit . "root") "lane" $lane) -}}
{{- end -}}

{{- /* Takes component, lane and, for one version of a service, serviceVersion. */ -}}
{{- define "common.name.text" -}}
{{- if hasKey . "serviceVersion" -}}
  {{- printf "%s-%s-%s" .component .serviceVersion .lane -}}
{{- else -}}
  {{- printf "%s-%s" .component .lane -}}
{{- end -}}
{{- end -}}

{{- /* Takes component, lane, kind and, for one version of a service, serviceVersion. */ -}}
{{- define "common.name.problem" -}}
{{- $problem := include "common.component.problem" .component -}}
{{- if hasKey . "serviceVersion" -}}
  {{- $problem = $problem | default (include "common.serviceVersion.problem" .serviceVersion) -}}
{{- end -}}
{{- if $problem -}}
  {{- $problem -}}
{{- else -}}
  {{- $name := include "common.name.text" . -}}
  {{- $limit := include "common.name.limit" .kind | int -}}
  {{- if gt (len $name) $limit -}}
    {{- printf "the name '%s' has %d characters, and a %s takes at most %d; choose a shorter Version or component; nothing is ever cut" $name (len $name) .kind $limit -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Takes a kind. The longest name that nothing behind it cuts or refuses, where that is less than the 63 of a label's value:

    StatefulSet  its label controller-revision-hash is <name>-<up to 10 characters>
    Deployment   a pod is <name>-<10>-<5>, and what comes before the <5> is cut at 58
    ReplicaSet, DaemonSet, Job  a pod is <name>-<5>
    CronJob      a Job is <name>-<up to 10 digits>
*/ -}}
{{- define "common.name.limit" -}}
{{- $limits := dict "StatefulSet" 52 "Deployment" 46 "ReplicaSet" 57 "DaemonSet" 57 "Job" 57 "CronJob" 52 -}}
{{- get $limits . | default 63 -}}
{{- end -}}

{{- /* Takes the name of a component or a service. */ -}}
{{- define "common.component.problem" -}}
{{- if not (and (kindIs "string" .) (regexMatch "^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$" (toString .))) -}}
  {{- printf "the name '%v' is not lower-case letters and digits in parts joined by single dashes, each part beginning with a letter; write it such as 'zk' or 'order-api'; a part that begins with a digit would read as a Version" . -}}
{{- else if regexMatch "-v[0-9][a-z0-9]*$" . -}}
  {{- printf "the name '%s' ends in '%s', which reads as a service version; leave it out, or write it another way: the service version is given apart" . (splitList "-" . | last) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes the name of a service. Narrower than a component's: nothing of a service is called or labelled as what another
service of the lane, or its pipeline, is made of.

    svc1-v1-test-2-coco-1     is the test of svc1's v1, so no service is called svc1-v1-test
    app: zk-2-coco-1          selects ZooKeeper's members, so no service is called zk
*/ -}}
{{- define "common.service.problem" -}}
{{- $problem := include "common.component.problem" . -}}
{{- if $problem -}}
  {{- $problem -}}
{{- else if regexMatch "-v[0-9][a-z0-9]*-" . -}}
  {{- printf "the service's name '%s' has the part '%s', which reads as a service version; write it another way" . (regexFind "-v[0-9][a-z0-9]*-" . | trimAll "-") -}}
{{- else if regexMatch "^(zk|nimbus|supervisor|ui|logviewer|drpc)(-(cs|hs|test))?$" . -}}
  {{- printf "the service's name '%s' is that of a part of the lane's pipeline, which would take its pods for its own; choose another" . -}}
{{- end -}}
{{- end -}}

{{- /* Takes a service version. */ -}}
{{- define "common.serviceVersion.problem" -}}
{{- if not (and (kindIs "string" .) (regexMatch "^v[0-9][a-z0-9]*$" (toString .))) -}}
  {{- printf "the service version '%v' is not 'v', a digit, and then lower-case letters and digits; write it such as 'v1' or 'v2beta1'" . -}}
{{- end -}}
{{- end -}}

{{- /* Takes root and component. The DNS name of the lane's Service of that component, in full: zk-hs-2-coco-1.<namespace>.svc.<domain>. */ -}}
{{- define "common.serviceHost" -}}
{{- $service := include "common.name" (dict "root" .root "component" .component "kind" "Service") -}}
{{- printf "%s.%s.svc.%s" $service .root.Release.Namespace (include "common.clusterDomain" .root) -}}
{{- end -}}

{{- /* Takes the root. The domain of the cluster's DNS: one for all from a parent chart's `global`, else the chart's own. */ -}}
{{- define "common.clusterDomain" -}}
{{- dig "clusterDomain" "" (.Values.global | default dict) | default .Values.clusterDomain -}}
{{- end -}}
