{{- /* Takes the root. The pods' volumes: the chart's own and those of the values. */ -}}
{{- define "sidelane.service.volumes" -}}
{{- if .Values.tmp.enabled }}
- name: tmp
  emptyDir:
    {{- toYaml (include "sidelane.service.tmp" . | fromYaml) | nindent 4 }}
{{- end }}
{{- if .Values.config.files }}
- name: config
  configMap:
    {{- $config := include "sidelane.service.beside" (dict "root" . "suffix" "config") }}
    name: {{ include "sidelane.name" (dict "root" . "component" $config "kind" "ConfigMap") }}
{{- end }}
{{- range $index, $it := .Values.config.existing }}
- name: existing-{{ $index }}
  {{- if .secret }}
  secret: {secretName: {{ .secret | quote }}}
  {{- else }}
  configMap: {name: {{ .configMap | quote }}}
  {{- end }}
{{- end }}
{{- with .Values.volumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sidelane.service.tmp" -}}
{{- with .Values.tmp.sizeLimit }}
sizeLimit: {{ include "sidelane.scalar" . | quote }}
{{- end }}
{{- with .Values.tmp.medium }}
medium: {{ . | quote }}
{{- end }}
{{- end -}}

{{- /* Takes the root. The mounts of the service's container. */ -}}
{{- define "sidelane.service.mounts" -}}
{{- if .Values.tmp.enabled }}
- {name: tmp, mountPath: /tmp}
{{- end }}
{{- if .Values.config.files }}
- {name: config, mountPath: {{ .Values.config.mountPath | quote }}, readOnly: true}
{{- end }}
{{- range $index, $it := .Values.config.existing }}
- {name: existing-{{ $index }}, mountPath: {{ .mountPath | quote }}, readOnly: true}
{{- end }}
{{- with .Values.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /*
Takes the root. Fails for a volume that Pod Security `restricted` refuses. Lanes would share a directory of the node.
*/ -}}
{{- define "sidelane.service.volumeChecks" -}}
{{- $sources := list "configMap" "csi" "downwardAPI" "emptyDir" "ephemeral"
  "persistentVolumeClaim" "projected" "secret" -}}
{{- $taken := list "tmp" "config" -}}
{{- range .Values.volumes -}}
  {{- $name := .name | default "" -}}
  {{- include "sidelane.service.onlyKeys"
    (dict "what" (printf "the volume '%s'" $name) "given" . "known" (prepend $sources "name")) -}}
  {{- if ne (len .) 2 -}}
    {{- fail (printf "the volume '%s' must have exactly one source; set one of %s" $name (join ", " $sources)) -}}
  {{- end -}}
  {{- if or (has $name $taken) (hasPrefix "existing-" $name) -}}
    {{- fail (printf
      "the volume '%s' exists already, or its name is reserved by the chart; choose another name"
      $name) -}}
  {{- end -}}
  {{- $taken = append $taken $name -}}
{{- end -}}
{{- range .Values.config.existing -}}
  {{- if eq (empty .secret) (empty .configMap) -}}
    {{- fail (printf
      "config.existing has '%s' with %s; set either secret or configMap"
      .mountPath (ternary "neither" "both" (empty .secret))) -}}
  {{- end -}}
{{- end -}}
{{- $paths := list -}}
{{- range include "sidelane.service.mounts" . | fromYamlArray -}}
  {{- if has .mountPath $paths -}}
    {{- fail (printf
      "two volumes are mounted at %s; choose another path, or set tmp.enabled to false if it is /tmp"
      .mountPath) -}}
  {{- end -}}
  {{- $paths = append $paths .mountPath -}}
{{- end -}}
{{- end -}}
