{{- /*
Takes root and container: an init container or one that runs beside the service, as the values have it. Nothing goes on that
is not named here, so nothing can take the pod out of Pod Security `restricted`.
*/ -}}
{{- define "service.container" -}}
{{- $root := .root -}}
{{- with .container -}}
name: {{ .name | quote }}
image: {{ include "service.containerImage" (dict "root" $root "container" .) | quote }}
imagePullPolicy: {{ dig "pullPolicy" "" (.image | default dict) | default $root.Values.image.pullPolicy | quote }}
securityContext:
  {{- $over := list $root.Values.containerSecurityContext .securityContext }}
  {{- include "common.containerSecurityContext.of" (dict "what" (printf "securityContext of the container '%s'" .name) "over" $over) | nindent 2 }}
{{ include "common.termination" (dict "policy" (.terminationMessagePolicy | default $root.Values.terminationMessagePolicy)) }}
{{- with pick . "command" "args" "workingDir" "restartPolicy" "envFrom" "startupProbe" "readinessProbe" "livenessProbe" "volumeMounts" }}
{{ toYaml . }}
{{- end }}
{{- with .lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  {{- include "service.env" (dict "root" $root "component" (include "service.name" $root) "serviceVersion" $root.Values.serviceVersion "env" .env) | nindent 2 }}
{{- with .ports }}
ports:
  {{- include "service.containerPorts" . | trim | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /* Takes root and container. Its image; the service's own where it names none. */ -}}
{{- define "service.containerImage" -}}
{{- if .container.image -}}
  {{- include "common.image.of" (dict "image" .container.image "global" .root.Values.global) -}}
{{- else -}}
  {{- include "common.image" .root -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. Fails for containers that are not whole, or that could not be in one pod. */ -}}
{{- define "service.containerChecks" -}}
{{- $known := list "name" "image" "command" "args" "workingDir" "env" "envFrom" "ports" "startupProbe" "readinessProbe" "livenessProbe" "lifecycle" "volumeMounts" "resources" "securityContext" "terminationMessagePolicy" -}}
{{- $taken := list (include "service.name" .) -}}
{{- range $where, $containers := dict "initContainers" .Values.initContainers "extraContainers" .Values.extraContainers -}}
  {{- range $container := $containers -}}
    {{- $what := printf "the container '%s' of %s" (.name | default "") $where -}}
    {{- include "service.onlyKeys" (dict "what" $what "given" . "known" (ternary (append $known "restartPolicy") $known (eq $where "initContainers"))) -}}
    {{- if has .name $taken -}}
      {{- fail (printf "%s has a name that is taken in its pod; choose another" $what) -}}
    {{- end -}}
    {{- $taken = append $taken .name -}}
    {{- if not (has (.restartPolicy | default "Always") (list "Always")) -}}
      {{- fail (printf "%s has the restartPolicy '%s'; write Always for one that goes on running, or leave it out" $what .restartPolicy) -}}
    {{- end -}}
    {{- if and (eq $where "initContainers") (not .restartPolicy) (pick . "startupProbe" "readinessProbe" "livenessProbe" "lifecycle") -}}
      {{- fail (printf "%s runs to its end before the service starts, so it has neither probes nor a lifecycle; leave them out, or let it go on with restartPolicy: Always" $what) -}}
    {{- end -}}
    {{- include "service.resourceChecks" (dict "what" $what "resources" .resources) -}}
    {{- include "service.portChecks" (dict "what" $what "ports" .ports) -}}
    {{- range list "startupProbe" "readinessProbe" "livenessProbe" -}}
      {{- include "service.probeChecks" (dict "what" (printf "%s of %s" . $what) "probe" (get $container .)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}
