{{- /*
Security contexts that meet Pod Security `restricted`. Kubernetes checks it on each pod: runAsNonRoot must be set,
runAsUser alone is not enough. The chart's values are merged into the context, for the user and group that an image
needs or a cluster such as OpenShift assigns. Values that violate the standard are refused here, because the API server
would accept the Deployment and refuse its pods.
*/ -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.podSecurityContext" -}}
{{- $restricted := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- $context := mergeOverwrite $restricted (deepCopy (.Values.podSecurityContext | default dict)) -}}
{{- $own := list "fsGroup" "fsGroupChangePolicy" "supplementalGroups" "supplementalGroupsPolicy" -}}
{{- include "sidelane.restricted"
  (dict "what" "podSecurityContext" "context" $context "own" $own "needed" (list "runAsNonRoot" "seccompProfile")) -}}
{{- toYaml $context -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.containerSecurityContext" -}}
{{- include "sidelane.containerSecurityContext.of"
  (dict "what" "containerSecurityContext" "over" (list .Values.containerSecurityContext)) -}}
{{- end -}}

{{- /*
Takes what (the name of the value in messages) and over: contexts, of which each overrides the ones before.
*/ -}}
{{- define "sidelane.containerSecurityContext.of" -}}
{{- $context := dict
  "allowPrivilegeEscalation" false
  "readOnlyRootFilesystem" true
  "capabilities" (dict "drop" (list "ALL")) -}}
{{- range .over -}}
  {{- $context = mergeOverwrite $context (deepCopy (. | default dict)) -}}
{{- end -}}
{{- $own := list "readOnlyRootFilesystem" "allowPrivilegeEscalation" "capabilities" -}}
{{- include "sidelane.restricted"
  (dict "what" .what "context" $context "own" $own "needed" (list "allowPrivilegeEscalation" "capabilities")) -}}
{{- toYaml $context -}}
{{- end -}}

{{- /*
Takes what, context, own (the keys that only this kind of context has) and needed (the keys that `restricted` requires).
Fails for a context outside the standard.
*/ -}}
{{- define "sidelane.restricted" -}}
{{- $context := .context -}}
{{- $known := concat .own (list "runAsUser" "runAsGroup" "runAsNonRoot" "seccompProfile") -}}
{{- $wrong := list -}}
{{- range $key, $value := $context -}}
  {{- if not (has $key $known) -}}
    {{- $wrong = append $wrong $key -}}
  {{- end -}}
{{- end -}}
{{- range .needed -}}
  {{- if kindIs "invalid" (get $context .) -}}
    {{- $wrong = append $wrong . -}}
  {{- end -}}
{{- end -}}
{{- if and (not (kindIs "invalid" $context.runAsUser)) (eq (int64 $context.runAsUser) 0) -}}
  {{- $wrong = append $wrong "runAsUser" -}}
{{- end -}}
{{- if and (hasKey $context "runAsNonRoot") (ne (toString $context.runAsNonRoot) "true") -}}
  {{- $wrong = append $wrong "runAsNonRoot" -}}
{{- end -}}
{{- with get $context "seccompProfile" -}}
  {{- if not (has .type (list "RuntimeDefault" "Localhost")) -}}
    {{- $wrong = append $wrong "seccompProfile" -}}
  {{- end -}}
{{- end -}}
{{- if get $context "allowPrivilegeEscalation" -}}
  {{- $wrong = append $wrong "allowPrivilegeEscalation" -}}
{{- end -}}
{{- with get $context "capabilities" -}}
  {{- if or (not (has "ALL" (.drop | default list))) (without (.add | default list) "NET_BIND_SERVICE") -}}
    {{- $wrong = append $wrong "capabilities" -}}
  {{- end -}}
{{- end -}}
{{- if $wrong -}}
  {{- fail (printf
    "%s has an invalid %s: it violates Pod Security 'restricted', which would refuse the pods; remove it"
    .what (join ", " (uniq $wrong))) -}}
{{- end -}}
{{- end -}}
