{{- /*
The guard: a deployed release refuses to be changed, with nothing but Helm.

A release leaves an immutable ConfigMap, its record: which chart made it, for which lane, and a digest of each value
that may not change. An upgrade is held against it, and one that fails here has changed nothing. What may change is in one place, the
annotation `sidelane.dev/operational-values` of Chart.yaml: names of values, with dots where they lie deeper.

An installation looks, too, whether the lane is another release's: with `--take-ownership` Helm would change that
release's objects one by one, and delete them with the release that took them.

`lookup` sees nothing in `helm template` and in client dry runs, and there nothing is refused. On an installation nothing
that is rendered depends on it, which tools may know (sidelane.dev/asks: on-upgrade).
*/ -}}

{{- /* Takes root, component and, for one version of a service, serviceVersion. The record, after the guard. */ -}}
{{- define "common.record" -}}
{{- $own := dict "as" (printf "%s-record" .component) "kind" "ConfigMap" -}}
{{- $facts := include "common.record.facts" .root | fromJson -}}
{{- $name := include "common.name" (merge (dict "component" $own.as "kind" "ConfigMap") .) -}}
{{- $found := lookup "v1" "ConfigMap" .root.Release.Namespace $name -}}
{{- $data := dig "data" dict ($found | default dict) -}}
{{- include "common.guard.lane" (dict "root" .root "name" $name "facts" $facts "found" $data) -}}
{{- if .root.Release.IsUpgrade -}}
  {{- include "common.guard" (dict "root" .root "name" $name "facts" $facts "found" $data) -}}
{{- end -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (merge $own .) | nindent 2 }}
immutable: true
data:
  {{- toYaml $facts | nindent 2 }}
{{ include "common.statement" .root }}
{{- end -}}

{{- /*
Takes the root. Sidelane's SDK and command line leave a record of theirs, record-<release>: where the release came from.
An upgrade with Helm alone keeps it, so that it stays as long as the release, and goes with it.
*/ -}}
{{- define "common.statement" -}}
{{- if and .Release.IsUpgrade .Chart.IsRoot -}}
{{- $found := lookup "v1" "ConfigMap" .Release.Namespace (printf "record-%s" .Release.Name) -}}
{{- if eq .Release.Name (dig "metadata" "annotations" "meta.helm.sh/release-name" "" ($found | default dict)) }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $found.metadata.name | quote }}
  labels:
    {{- omit $found.metadata.labels "app.kubernetes.io/managed-by" | toYaml | nindent 4 }}
immutable: true
data:
  {{- range $key, $value := $found.data }}
  {{ $key | quote }}: {{ toJson $value }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. What a record holds, as JSON: text by name, the same for the same chart, lane and values. */ -}}
{{- define "common.record.facts" -}}
{{- $digests := dict -}}
{{- include "common.record.digest" (dict "path" "" "value" (include "common.record.guarded" . | fromJson) "global" (toJson .Values.global) "into" $digests) -}}
{{- dict
  "release" .Release.Name
  "chart" (printf "%s-%s" .Chart.Name .Chart.Version)
  "lane" (include "common.lane" .)
  "operational-values" (include "common.record.operational" .)
  "values" (toYaml $digests)
  | toJson -}}
{{- end -}}

{{- /*
Takes path, value, into, a mapping that gets a digest of each value in it, and global as JSON: Helm copies it into the
values of every chart below, and it counts once.

Whoever reads a digest can try what it is made of. So of a value that its key says is secret, only whether it is given goes in.
*/ -}}
{{- define "common.record.digest" -}}
{{- if and (kindIs "map" .value) .value -}}
  {{- range $key, $value := .value -}}
    {{- if not (and (eq $key "global") (eq (toJson $value) $.global)) -}}
      {{- $path := list $.path $key | compact | join "." -}}
      {{- include "common.record.digest" (dict "path" $path "value" $value "global" $.global "into" $.into) -}}
    {{- end -}}
  {{- end -}}
{{- else -}}
  {{- $public := include "common.record.public" (dict "value" .value "secret" (regexMatch (include "common.record.secret" .) .path)) -}}
  {{- $_ := set .into .path ($public | sha256sum | trunc 16) -}}
{{- end -}}
{{- end -}}

{{- /* Takes value and secret, whether its key says that it is one. It as JSON, less the secrets in it. */ -}}
{{- define "common.record.public" -}}
{{- if kindIs "map" .value -}}
  {{- $named := and (kindIs "string" .value.name) (regexMatch (include "common.record.secret" .) (toString .value.name)) -}}
  {{- $items := list -}}
  {{- range $key, $value := .value -}}
    {{- $secret := or $.secret (and $named (eq $key "value")) (regexMatch (include "common.record.secret" $) $key) -}}
    {{- $items = append $items (printf "%s:%s" (toJson $key) (include "common.record.public" (dict "value" $value "secret" $secret))) -}}
  {{- end -}}
  {{- printf "{%s}" (join "," $items) -}}
{{- else if kindIs "slice" .value -}}
  {{- $items := list -}}
  {{- range .value -}}
    {{- $items = append $items (include "common.record.public" (dict "value" . "secret" $.secret)) -}}
  {{- end -}}
  {{- printf "[%s]" (join "," $items) -}}
{{- else if and .secret (not (kindIs "bool" .value)) (not (has .value (list nil ""))) -}}
  {{- "hidden" -}}
{{- else -}}
  {{- toJson .value -}}
{{- end -}}
{{- end -}}

{{- /* Which keys of values, or paths, are secret: the rule of python/sidelane/support/secrets.py. */ -}}
{{- define "common.record.secret" -}}
(?i)(pass(word|wd|phrase)s?|pw|secret|token|credentials?|(private|access|api)[-_]?keys?)(hash)?([.]|$)
{{- end -}}

{{- define "common.record.operational" -}}
{{- index .Chart.Annotations "sidelane.dev/operational-values" -}}
{{- end -}}

{{- /*
Takes the root. The values that may not change, as JSON. Not among them: the lane, which is compared as such and may come
from either of two places; and what Helm itself adds for a library chart.
*/ -}}
{{- define "common.record.guarded" -}}
{{- $values := omit (deepCopy .Values) "Version" "Build" "common" "global" -}}
{{- $_ := set $values "global" (omit (.Values.global | default dict) "Version" "Build") -}}
{{- range compact (splitList "," (include "common.record.operational" .)) -}}
  {{- $path := splitList "." . -}}
  {{- $node := $values -}}
  {{- range initial $path -}}
    {{- $node = get $node . | default dict -}}
  {{- end -}}
  {{- $_ := unset $node (last $path) -}}
{{- end -}}
{{- toJson $values -}}
{{- end -}}

{{- /*
Takes root, name, facts and found, the data of the record that is there. Fails where the lane is another release's.
*/ -}}
{{- define "common.guard.lane" -}}
{{- if and .found (ne (get .found "release") .facts.release) -}}
  {{- fail (printf "the release '%s' can't have lane %s here: it belongs to the release '%s', which is deployed and never changed (the ConfigMap %s says so); install it as another Build, beside it, or uninstall that release first" .root.Release.Name .facts.lane (get .found "release") .name) -}}
{{- end -}}
{{- end -}}

{{- /* Takes root, name, facts and found, the data of the record that is there. Fails where the two do not agree. */ -}}
{{- define "common.guard" -}}
{{- $who := printf "the release '%s' is deployed and never changed" .root.Release.Name -}}
{{- $instead := "install the change as another Build, beside it" -}}
{{- if .found -}}
  {{- if ne .found.chart .facts.chart -}}
    {{- fail (printf "%s: it was made by the chart %s, and this is %s; use that one, or %s" $who .found.chart .facts.chart $instead) -}}
  {{- end -}}
  {{- $old := fromYaml .found.values -}}
  {{- $new := fromYaml .facts.values -}}
  {{- $changed := list -}}
  {{- range concat (keys $old) (keys $new) | uniq | sortAlpha -}}
    {{- if ne (get $old .) (get $new .) -}}
      {{- $changed = append $changed . -}}
    {{- end -}}
  {{- end -}}
  {{- if $changed -}}
    {{- fail (printf "%s, but for its operational values (%s), and these values are not what they were: %s; %s" $who (get .facts "operational-values" | replace "," ", " | default "none") (join ", " $changed) $instead) -}}
  {{- end -}}
{{- else if lookup "v1" "ServiceAccount" .root.Release.Namespace "default" -}}
  {{- /* Lookups do see, and there is no record: every namespace has that account. */ -}}
  {{- fail (printf "%s, and no record of it is there: the ConfigMap %s; either the lane is not the one that it was installed in, or the record was deleted; %s" $who .name $instead) -}}
{{- end -}}
{{- end -}}
