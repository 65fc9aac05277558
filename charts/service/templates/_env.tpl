{{- /*
Takes root, component, serviceVersion and env (the container's variables). The lane's neighbours, the lane, then env, so
that `$(SIDELANE_LANE)` in its values stands for the lane.
*/ -}}
{{- define "sidelane.service.env" -}}
{{- $neighbours := include "sidelane.service.neighbours" .root | fromYamlArray -}}
{{- $taken := list -}}
{{- /* The names that are secret: the same rule as python/sidelane/support/secrets.py. */ -}}
{{- $secret := "(?i)(pass(word|wd|phrase)s?|pw|secret|token|credentials?|(private|access|api)[-_]?keys?)(hash)?$" -}}
{{- range concat $neighbours (.env | default list) -}}
  {{- if has .name $taken -}}
    {{- fail (printf "the environment variable '%s' is set twice; remove one of them" .name) -}}
  {{- end -}}
  {{- $taken = append $taken .name -}}
  {{- if and .value (regexMatch $secret .name) -}}
    {{- fail (printf
      (print "the environment variable '%s' has the name of a secret, and everyone who can read the release can read "
        "its value; put it into a Secret, and name that in valueFrom.secretKeyRef")
      .name) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $neighbours }}
{{ include "sidelane.env" . }}
{{- end -}}

{{- /*
Takes the root. The addresses of the lane's other parts, by the naming contract or from the values: a list as YAML.
*/ -}}
{{- define "sidelane.service.neighbours" -}}
{{- $lane := include "sidelane.lane" . -}}
{{- $neighbours := .Values.neighbours -}}
- name: SIDELANE_ZOOKEEPER
  value: {{ $neighbours.zookeeper | default (printf "zk-cs-%s:2181" $lane) | quote }}
- name: SIDELANE_ZOOKEEPER_ROOT
  value: {{ $neighbours.zookeeperRoot | default (printf "/storm/%s" $lane) | quote }}
- name: SIDELANE_NIMBUS
  value: {{ $neighbours.nimbus | default (printf "nimbus-cs-%s:6627" $lane) | quote }}
- name: SIDELANE_UI
  value: {{ $neighbours.ui | default (printf "http://ui-%s:8080" $lane) | quote }}
- name: SIDELANE_DRPC
  value: {{ $neighbours.drpc | default (printf "drpc-%s:3772" $lane) | quote }}
{{- range $name, $it := $neighbours.services }}
- name: {{ printf "%s_URL" ($name | upper | replace "-" "_") }}
  value: {{ include "sidelane.service.neighbour" (dict "root" $ "name" $name "it" ($it | default dict)) | quote }}
{{- end }}
{{- end -}}

{{- /* Takes root, name and it (the neighbour's values). The neighbour's URL. */ -}}
{{- define "sidelane.service.neighbour" -}}
{{- $named := dict "root" .root "component" .name "kind" "Service" -}}
{{- if .it.serviceVersion -}}
  {{- $_ := set $named "serviceVersion" .it.serviceVersion -}}
{{- end -}}
{{- $host := include "sidelane.name" $named -}}
{{- with .it.port -}}
  {{- $host = printf "%s:%d" $host (int .) -}}
{{- end -}}
{{- printf "%s://%s%s" (.it.scheme | default "http") $host (.it.path | default "") -}}
{{- end -}}
