{{- /*
Checks that a schema can't express well, because they compare several values or must also hold when schemas are skipped.

A mode refuses what it does not support. A value that two modes support means the same in both.
*/ -}}

{{- /* Takes the root. The service's name. `helm lint` gets an example, as in sidelane.lane.part. */ -}}
{{- define "sidelane.route.name" -}}
{{- $name := .Values.name | default "" -}}
{{- $problem := include "sidelane.component.problem" $name -}}
{{- if eq (toString $name) "" -}}
  {{- fail "no name is given, and a service is never guessed; add --set name=svc1" -}}
  {{- "example" -}}
{{- else if $problem -}}
  {{- fail $problem -}}
  {{- "example" -}}
{{- else -}}
  {{- $name -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.route.checks" -}}
{{- include "sidelane.route.checks.revision" . -}}
{{- include "sidelane.route.checks.same" . -}}
{{- if not (has .Values.mode (list "service" "istio" "gateway")) -}}
  {{- fail (printf "mode is '%v' and must be service, istio or gateway" .Values.mode) -}}
{{- end -}}
{{- include "sidelane.route.checks.pattern" . -}}
{{- range (include "sidelane.route.splits" . | fromJsonArray) -}}
  {{- include "sidelane.route.checks.split" (dict "root" $ "at" .at "targets" .targets) -}}
{{- end -}}
{{- with include "sidelane.route.mirror" . | fromJson -}}
  {{- include "sidelane.route.checks.target" (dict "root" $ "at" "mirror" "target" .) -}}
{{- end -}}
{{- include "sidelane.route.checks.matches" . -}}
{{- include "sidelane.route.checks.stay" . -}}
{{- include (printf "sidelane.route.checks.%s" .Values.mode) . -}}
{{- include "sidelane.route.checks.callers" . -}}
{{- include "sidelane.route.checks.pods" . -}}
{{- end -}}

{{- /*
Takes the root. Helm numbers a release's revisions, so an unexpected number shows that another change came first.
*/ -}}
{{- define "sidelane.route.checks.revision" -}}
{{- $expected := int (.Values.expectedRevision | default 0) -}}
{{- if and .Release.IsUpgrade (gt $expected 0) (ne $expected (int .Release.Revision)) -}}
  {{- fail (printf
    (print "this change would be revision %d of the route, and expectedRevision is %d: another change came first, or "
      "the number is left from an earlier change; look at the route again, and add --set expectedRevision=0 to change "
      "it anyway")
    (int .Release.Revision) $expected) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes the root. A route is identified by its name and its lane: an upgrade with others would delete the stable name and
create another. `lookup` returns nothing in `helm template`; where it works, it finds the default account. No installed
object depends on it (sidelane.dev/asks: on-upgrade).

A stable name has one route: with `--take-ownership` Helm would redirect the requests of another release, and delete its
objects with the release that took them.
*/ -}}
{{- define "sidelane.route.checks.same" -}}
{{- $stable := include "sidelane.name"
  (dict "root" . "component" (include "sidelane.route.name" .) "kind" "Service") -}}
{{- $found := lookup "v1" "Service" .Release.Namespace $stable -}}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" ($found | default dict) -}}
{{- if and $owner (ne $owner .Release.Name) -}}
  {{- fail (printf
    "the release '%s' can't have the Service %s: it belongs to the release '%s'; change that one, or uninstall it first"
    .Release.Name $stable $owner) -}}
{{- end -}}
{{- if .Release.IsUpgrade -}}
  {{- if and (not $found) (lookup "v1" "ServiceAccount" .Release.Namespace "default") -}}
    {{- fail (printf
      (print "the release '%s' has no Service %s: its name or lane differs from the installed one, or the Service was "
        "deleted; install another route beside it, or uninstall this one first")
      .Release.Name $stable) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes root, at and targets. */ -}}
{{- define "sidelane.route.checks.split" -}}
{{- $at := .at -}}
{{- if not .targets -}}
  {{- fail (printf
    "%s is empty, and a route must have a target; set one, such as [{serviceVersion: v1, weight: 100}]"
    .at) -}}
{{- end -}}
{{- if gt (len .targets) 16 -}}
  {{- fail (printf "%s has %d targets, and the Gateway API allows at most 16" .at (len .targets)) -}}
{{- end -}}
{{- $sum := 0 -}}
{{- $names := list -}}
{{- range $index, $target := .targets -}}
  {{- $place := printf "%s[%d]" $at $index -}}
  {{- include "sidelane.route.checks.target" (dict "root" $.root "at" $place "target" $target) -}}
  {{- $weight := include "sidelane.scalar" $target.weight -}}
  {{- if not (and (regexMatch "^[0-9]{1,7}$" $weight) (le (int $weight) 1000000)) -}}
    {{- fail (printf
      "%s.weight is %s and must be a whole number from 0 to 1000000; set it for every target"
      $place (ternary "not given" $weight (kindIs "invalid" $target.weight))) -}}
  {{- end -}}
  {{- $sum = add $sum (int $weight) -}}
  {{- $names = append $names (include "sidelane.route.target.name" (dict "root" $.root "target" $target)) -}}
{{- end -}}
{{- if and .targets (eq (int $sum) 0) -}}
  {{- fail (printf "every weight of %s is 0, so its requests would have no target; give one of them a weight" .at) -}}
{{- end -}}
{{- if ne (len $names) (len (uniq $names)) -}}
  {{- fail (printf "%s has one target twice; keep it once, with one weight" .at) -}}
{{- end -}}
{{- end -}}

{{- /* Takes root, at and target. */ -}}
{{- define "sidelane.route.checks.target" -}}
{{- $named := include "sidelane.route.target.named" . | fromJson -}}
{{- $own := include "sidelane.lane" .root -}}
{{- if not (regexMatch "^([a-z][a-z0-9]*|[0-9][a-z0-9]*(-[a-z0-9]+)*)-(0|[1-9][0-9]{0,17})$" (toString $named.lane)) -}}
  {{- fail (printf "%s.lane is '%v' and must be a Version and a Build, such as 2-coco-1" .at $named.lane) -}}
{{- end -}}
{{- if include "sidelane.route.pattern" .root -}}
  {{- include "sidelane.route.checks.named" . -}}
{{- else -}}
  {{- if and (eq (toString $named.lane) $own) (not .target.serviceVersion) -}}
    {{- fail (printf
      (print "%s has no serviceVersion, so its target would be %s-%s, the route itself; add one, such as "
        "serviceVersion: v1, or another lane")
      .at (include "sidelane.route.name" .root) $own) -}}
  {{- end -}}
  {{- with include "sidelane.name.problem" $named -}}
    {{- fail (printf "%s: %s" $.at .) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.route.checks.matches" -}}
{{- range $index, $match := .Values.matches -}}
  {{- $at := printf "matches[%d]" $index -}}
  {{- if not (or $match.headers $match.cookie $match.path $match.method) -}}
    {{- fail (printf "%s has no condition; set headers, cookie, path or method" $at) -}}
  {{- end -}}
  {{- $names := list -}}
  {{- range $match.headers -}}
    {{- $names = append $names (lower .name) -}}
  {{- end -}}
  {{- if $match.cookie -}}
    {{- $names = append $names "cookie" -}}
  {{- end -}}
  {{- if ne (len $names) (len (uniq $names)) -}}
    {{- fail (printf
      (print "%s has two conditions on one header (a cookie is a condition on the header cookie), and only one would "
        "apply; combine them")
      $at) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. A Service has only a selector. */ -}}
{{- define "sidelane.route.checks.service" -}}
{{- $with := list -}}
{{- range .Values.targets -}}
  {{- if gt (int .weight) 0 -}}
    {{- $with = append $with . -}}
  {{- end -}}
{{- end -}}
{{- if gt (len $with) 1 -}}
  {{- fail (printf
    (print "mode service sends all traffic to one target, and %d have a weight; set the others to 0, or use mode "
      "istio or gateway to split")
    (len $with)) -}}
{{- end -}}
{{- $mirror := include "sidelane.route.mirror" . | fromJson -}}
{{- $others := dict "matches" .Values.matches "mirror" $mirror "timeout" .Values.timeout "retries" .Values.retries
  "ingress.gateways" .Values.ingress.gateways "ingress.hosts" .Values.ingress.hosts -}}
{{- range $what, $given := $others -}}
  {{- if $given -}}
    {{- fail (printf
      "%s is set, and mode service does not support it: a Service does not read requests; use mode istio or gateway"
      $what) -}}
  {{- end -}}
{{- end -}}
{{- if eq .Values.affinity.by "cookie" -}}
  {{- fail (print "affinity.by is cookie, and mode service does not support it: a Service does not read requests; use "
    "clientIP, or mode istio") -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.route.checks.istio" -}}
{{- with .Values.retries -}}
  {{- if and (eq (int .attempts) 0) (or .perTryTimeout .conditions) -}}
    {{- fail (print "retries.attempts is 0, so perTryTimeout and conditions have no effect; remove them"
) -}}
  {{- end -}}
{{- end -}}
{{- if .Values.affinity.by -}}
  {{- range (include "sidelane.route.splits" . | fromJsonArray) -}}
    {{- $at := .at -}}
    {{- range $index, $target := .targets -}}
      {{- if $target.lane -}}
        {{- fail (printf
          (print "affinity.by is %s, and %s[%d] is in another lane, for which this route can't set an affinity; "
            "remove the affinity, or route in that lane")
          $.Values.affinity.by $at $index) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.route.checks.gateway" -}}
{{- if .Values.retries -}}
  {{- fail (print "retries is set, and the Gateway API's standard channel has no retries yet; leave them to the mesh, "
    "or use mode istio") -}}
{{- end -}}
{{- if .Values.affinity.by -}}
  {{- fail (printf
    "affinity.by is %s, and the Gateway API's standard channel has no affinity yet; remove it, or use mode istio"
    .Values.affinity.by) -}}
{{- end -}}
{{- include "sidelane.route.checks.rules" . -}}
{{- end -}}

{{- /* Takes the root. Checks of the callers: the mesh, the gateways, or both. */ -}}
{{- define "sidelane.route.checks.callers" -}}
{{- $gateways := .Values.ingress.gateways -}}
{{- if not (or .Values.mesh $gateways (eq .Values.mode "service")) -}}
  {{- fail "mesh is false and ingress.gateways is empty, so the route would have no callers; set one of them" -}}
{{- end -}}
{{- if and $gateways (not .Values.ingress.hosts) -}}
  {{- fail (print "ingress.gateways is set and ingress.hosts is empty, so the route would get every host of the "
    "gateway; set the hosts") -}}
{{- end -}}
{{- if and .Values.ingress.hosts (not $gateways) -}}
  {{- fail "ingress.hosts is set and ingress.gateways is empty, so no gateway serves them; set the gateways" -}}
{{- end -}}
{{- end -}}
