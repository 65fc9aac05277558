{{- /*
Takes root and container: an init container or a sidecar from the values. Only the keys named here are rendered, so none
can violate Pod Security `restricted`.
*/ -}}
{{- define "sidelane.service.container" -}}
{{- $root := .root -}}
{{- with .container -}}
name: {{ .name | quote }}
image: {{ include "sidelane.service.containerImage" (dict "root" $root "container" .) | quote }}
imagePullPolicy: {{ dig "pullPolicy" "" (.image | default dict) | default $root.Values.image.pullPolicy | quote }}
securityContext:
  {{- $over := list $root.Values.containerSecurityContext .securityContext }}
  {{- include "sidelane.containerSecurityContext.of"
    (dict "what" (printf "securityContext of the container '%s'" .name) "over" $over) | nindent 2 }}
{{ include "sidelane.termination"
  (dict "policy" (.terminationMessagePolicy | default $root.Values.terminationMessagePolicy)) }}
{{- with pick . "command" "args" "workingDir" "restartPolicy" "envFrom"
  "startupProbe" "readinessProbe" "livenessProbe" "volumeMounts" }}
{{ toYaml . }}
{{- end }}
{{- with .lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  {{- include "sidelane.service.env" (dict
    "root" $root
    "component" (include "sidelane.service.name" $root)
    "serviceVersion" $root.Values.serviceVersion
    "env" .env) | nindent 2 }}
{{- with .ports }}
ports:
  {{- include "sidelane.service.containerPorts" . | trim | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /* Takes root and container. The container's image; default: the service's own. */ -}}
{{- define "sidelane.service.containerImage" -}}
{{- if .container.image -}}
  {{- include "sidelane.image.of" (dict "image" .container.image "global" .root.Values.global) -}}
{{- else -}}
  {{- include "sidelane.image" .root -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. Fails for containers that are incomplete, or that can't be in one pod. */ -}}
{{- define "sidelane.service.containerChecks" -}}
{{- $known := list "name" "image" "command" "args" "workingDir" "env" "envFrom" "ports"
  "startupProbe" "readinessProbe" "livenessProbe" "lifecycle"
  "volumeMounts" "resources" "securityContext" "terminationMessagePolicy" -}}
{{- $taken := list (include "sidelane.service.name" .) -}}
{{- $all := dict "initContainers" .Values.initContainers "extraContainers" .Values.extraContainers -}}
{{- range $where, $containers := $all -}}
  {{- range $container := $containers -}}
    {{- $what := printf "the container '%s' of %s" (.name | default "") $where -}}
    {{- $keys := ternary (append $known "restartPolicy") $known (eq $where "initContainers") -}}
    {{- include "sidelane.service.onlyKeys" (dict "what" $what "given" . "known" $keys) -}}
    {{- if has .name $taken -}}
      {{- fail (printf "%s has the name of another container in its pod; choose another name" $what) -}}
    {{- end -}}
    {{- $taken = append $taken .name -}}
    {{- if not (has (.restartPolicy | default "Always") (list "Always")) -}}
      {{- fail (printf
        "%s has the restartPolicy '%s'; set Always for a native sidecar, or remove it"
        $what .restartPolicy) -}}
    {{- end -}}
    {{- if and (eq $where "initContainers") (not .restartPolicy)
      (pick . "startupProbe" "readinessProbe" "livenessProbe" "lifecycle") -}}
      {{- fail (printf
        (print "%s runs to completion before the service starts, so it can't have probes or a lifecycle; remove them, "
          "or set restartPolicy: Always")
        $what) -}}
    {{- end -}}
    {{- include "sidelane.service.resourceChecks" (dict "what" $what "resources" .resources) -}}
    {{- include "sidelane.service.portChecks" (dict "what" $what "ports" .ports) -}}
    {{- range list "startupProbe" "readinessProbe" "livenessProbe" -}}
      {{- include "sidelane.service.probeChecks"
        (dict "what" (printf "%s of %s" . $what) "probe" (get $container .)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}
