{{- /*
Pod Security `restricted`, which Kubernetes checks on each pod: runAsNonRoot must be said, a runAsUser is not enough.
The chart's values are laid over it, for the user and group that the image wants, or that a cluster such as OpenShift
gives. What would take a pod out of the standard is refused here: the API server would take the Deployment, and refuse
its pods.
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

{{- /* Takes what, for a sentence, and over: contexts, each laid over the one before. */ -}}
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
Takes what, context, own (the keys that this kind of context has beside those that both have) and needed (those that
`restricted` wants said). Fails where the context is outside the standard.
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
    "%s can't have this %s: the pods would be outside Pod Security 'restricted' and be refused; leave it out"
    .what (join ", " (uniq $wrong))) -}}
{{- end -}}
{{- end -}}
