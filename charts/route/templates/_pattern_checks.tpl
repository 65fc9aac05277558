{{- /* Checks of `targetService`, the pattern of the targets' own Services. As routes/destination.py. */ -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.route.checks.pattern" -}}
{{- with include "sidelane.route.pattern" . -}}
  {{- $pattern := . -}}
  {{- range regexFindAll "\\{[^{}]*\\}" $pattern -1 -}}
    {{- if not (has . (list "{name}" "{lane}" "{serviceVersion}")) -}}
      {{- fail (printf "targetService '%s' has the unknown placeholder %s; use {name}, {lane} and {serviceVersion}"
        $pattern .) -}}
    {{- end -}}
  {{- end -}}
  {{- if not (contains "{lane}" $pattern) -}}
    {{- fail (printf
      (print "targetService '%s' has no placeholder {lane}, so the targets of all lanes would be one Service; add it, "
        "such as podinfo-{lane}-api")
      $pattern) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes root, at and target of a route with a pattern. */ -}}
{{- define "sidelane.route.checks.named" -}}
{{- $pattern := include "sidelane.route.pattern" .root -}}
{{- $name := include "sidelane.route.target.name" . -}}
{{- $stable := include "sidelane.name"
  (dict "root" .root "component" (include "sidelane.route.name" .root) "kind" "Service") -}}
{{- $version := .target.serviceVersion -}}
{{- if not (or $version .target.lane) -}}
  {{- fail (printf "%s has neither a serviceVersion nor a lane; add one, such as lane: coco-1" .at) -}}
{{- end -}}
{{- if and $version (not (contains "{serviceVersion}" $pattern)) -}}
  {{- fail (printf
    (print "%s has the serviceVersion %v, and targetService '%s' has no placeholder {serviceVersion}, so all versions "
      "would be one Service; add it, or remove the serviceVersion")
    .at $version $pattern) -}}
{{- end -}}
{{- if and (not $version) (contains "{serviceVersion}" $pattern) -}}
  {{- fail (printf "%s has no serviceVersion, which the placeholder in targetService '%s' needs; add one"
    .at $pattern) -}}
{{- end -}}
{{- with $version -}}
  {{- with include "sidelane.serviceVersion.problem" . -}}
    {{- fail (printf "%s: %s" $.at .) -}}
  {{- end -}}
{{- end -}}
{{- if or (gt (len $name) 63) (not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $name)) -}}
  {{- fail (printf
    (print "%s would be the Service '%s', by targetService '%s'; its name must be at most 63 lower-case letters, "
      "digits and dashes, begin with a letter and not end with a dash")
    .at $name $pattern) -}}
{{- end -}}
{{- if eq $name $stable -}}
  {{- fail (printf "%s would be the Service %s, the route itself, by targetService '%s'; change the pattern"
    .at $name $pattern) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes the root. The naming contract says nothing of the pods of a Service that it does not name: by its labels the
stable Service would select none.
*/ -}}
{{- define "sidelane.route.checks.pods" -}}
{{- $main := include "sidelane.route.target.main" . | fromJson -}}
{{- if and (include "sidelane.route.pattern" .) $main -}}
  {{- $name := include "sidelane.route.target.name" (dict "root" . "target" $main) -}}
  {{- if not (get (.Values.selectors | default dict) $name) -}}
    {{- fail (printf
      (print "the labels of the pods of %s are not given, and targetService names Services in their chart's own way; "
        "set selectors.%s to the selector of that Service, as `sidelane route set` does")
      $name $name) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
