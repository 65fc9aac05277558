{{- /*
The guard: a deployed release refuses to be changed, with nothing but Helm.

A release leaves an immutable ConfigMap, the guard: the chart that made the release, its lane, and a digest of each
value that must not change. On an upgrade the chart compares itself with that ConfigMap, and an upgrade that fails here
has changed nothing. The annotation `sidelane.dev/operational-values` of Chart.yaml lists the values that may change:
names of values, with dots for nested ones.

On an installation the chart looks whether the lane belongs to another release: with `--take-ownership` Helm would
change that release's objects one by one, and delete them with the release that took them.

`lookup` returns nothing in `helm template` and in client-side dry runs, so nothing is refused there. On an installation
no rendered object depends on it, which tools may rely on (sidelane.dev/asks: on-upgrade).
*/ -}}

{{- /* Takes root, component and, for one version of a service, serviceVersion. The checks, then the ConfigMap. */ -}}
{{- define "sidelane.guard" -}}
{{- $own := dict "as" (printf "%s-guard" .component) "kind" "ConfigMap" -}}
{{- $facts := include "sidelane.guard.facts" .root | fromJson -}}
{{- $name := include "sidelane.name" (merge (dict "component" $own.as "kind" "ConfigMap") .) -}}
{{- $found := lookup "v1" "ConfigMap" .root.Release.Namespace $name -}}
{{- $compared := dict "root" .root "name" $name "facts" $facts "found" (dig "data" dict ($found | default dict)) -}}
{{- include "sidelane.guard.lane" $compared -}}
{{- if .root.Release.IsUpgrade -}}
  {{- include "sidelane.guard.upgrade" $compared -}}
{{- end -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "sidelane.metadata" (merge $own .) | nindent 2 }}
immutable: true
data:
  {{- toYaml $facts | nindent 2 }}
{{ include "sidelane.record" .root }}
{{- end -}}

{{- /*
Takes the root. Sidelane's SDK and CLI keep a record of where a release came from in the ConfigMap record-<release>. An
upgrade with Helm alone renders it again, so that Helm keeps it as long as the release and deletes it with the release.
*/ -}}
{{- define "sidelane.record" -}}
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

{{- /*
Takes the root. The data of the guard's ConfigMap, as JSON: text by name, the same for the same chart, lane and values.
*/ -}}
{{- define "sidelane.guard.facts" -}}
{{- $digests := dict -}}
{{- include "sidelane.guard.digest" (dict
  "path" ""
  "value" (include "sidelane.guard.values" . | fromJson)
  "global" (toJson .Values.global)
  "into" $digests) -}}
{{- dict
  "release" .Release.Name
  "chart" (printf "%s-%s" .Chart.Name .Chart.Version)
  "lane" (include "sidelane.lane" .)
  "operational-values" (include "sidelane.guard.operational" .)
  "values" (toYaml $digests)
  | toJson -}}
{{- end -}}

{{- /*
Takes path, value, into (a mapping that gets a digest of each value below the path) and global as JSON: Helm copies it
into the values of every subchart, and it counts once.

A reader of a digest can guess its value. So a value whose key marks it as secret adds only whether it is set.
*/ -}}
{{- define "sidelane.guard.digest" -}}
{{- if and (kindIs "map" .value) .value -}}
  {{- range $key, $value := .value -}}
    {{- if not (and (eq $key "global") (eq (toJson $value) $.global)) -}}
      {{- $path := list $.path $key | compact | join "." -}}
      {{- include "sidelane.guard.digest" (dict "path" $path "value" $value "global" $.global "into" $.into) -}}
    {{- end -}}
  {{- end -}}
{{- else -}}
  {{- $secret := regexMatch (include "sidelane.guard.secretKey" .) .path -}}
  {{- $public := include "sidelane.guard.public" (dict "value" .value "secret" $secret) -}}
  {{- $_ := set .into .path ($public | sha256sum | trunc 16) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes value and secret (true when its key marks it as secret). The value as JSON, without the secrets in it.
*/ -}}
{{- define "sidelane.guard.public" -}}
{{- if kindIs "map" .value -}}
  {{- $secretKey := include "sidelane.guard.secretKey" . -}}
  {{- $named := and (kindIs "string" .value.name) (regexMatch $secretKey (toString .value.name)) -}}
  {{- $items := list -}}
  {{- range $key, $value := .value -}}
    {{- $secret := or $.secret (and $named (eq $key "value")) (regexMatch $secretKey $key) -}}
    {{- $item := include "sidelane.guard.public" (dict "value" $value "secret" $secret) -}}
    {{- $items = append $items (printf "%s:%s" (toJson $key) $item) -}}
  {{- end -}}
  {{- printf "{%s}" (join "," $items) -}}
{{- else if kindIs "slice" .value -}}
  {{- $items := list -}}
  {{- range .value -}}
    {{- $items = append $items (include "sidelane.guard.public" (dict "value" . "secret" $.secret)) -}}
  {{- end -}}
  {{- printf "[%s]" (join "," $items) -}}
{{- else if and .secret (not (kindIs "bool" .value)) (not (has .value (list nil ""))) -}}
  {{- "hidden" -}}
{{- else -}}
  {{- toJson .value -}}
{{- end -}}
{{- end -}}

{{- /* The keys of values, or paths, that are secret: the same rule as python/sidelane/support/secrets.py. */ -}}
{{- define "sidelane.guard.secretKey" -}}
(?i)(pass(word|wd|phrase)s?|pw|secret|token|credentials?|(private|access|api)[-_]?keys?)(hash)?([.]|$)
{{- end -}}

{{- define "sidelane.guard.operational" -}}
{{- index .Chart.Annotations "sidelane.dev/operational-values" -}}
{{- end -}}

{{- /*
Takes the root. The values that must not change, as JSON. It leaves out the lane, which is compared by itself and may
come from either of two places, and the key that Helm adds for the library chart.
*/ -}}
{{- define "sidelane.guard.values" -}}
{{- $values := omit (deepCopy .Values) "Version" "Build" "common" "global" -}}
{{- $_ := set $values "global" (omit (.Values.global | default dict) "Version" "Build") -}}
{{- range compact (splitList "," (include "sidelane.guard.operational" .)) -}}
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
Takes root, name, facts and found (the data of the guard in the cluster). Fails when another release has the lane.
*/ -}}
{{- define "sidelane.guard.lane" -}}
{{- if and .found (ne (get .found "release") .facts.release) -}}
  {{- fail (printf
    (print "the release '%s' can't have lane %s here: it belongs to the release '%s', which is deployed and never "
      "changed (the guard, ConfigMap %s, says so); install it as another Build, beside it, or uninstall that release "
      "first")
    .root.Release.Name .facts.lane (get .found "release") .name) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes root, name, facts and found (the data of the guard in the cluster). Fails when an upgrade would change the
release.
*/ -}}
{{- define "sidelane.guard.upgrade" -}}
{{- $who := printf "the release '%s' is deployed and never changed" .root.Release.Name -}}
{{- $instead := "install the change as another Build, beside it" -}}
{{- if .found -}}
  {{- if ne .found.chart .facts.chart -}}
    {{- fail (printf "%s: the chart %s made it, and this chart is %s; use the chart that made it, or %s"
      $who .found.chart .facts.chart $instead) -}}
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
    {{- $operational := get .facts "operational-values" | replace "," ", " | default "none" -}}
    {{- fail (printf "%s, except for its operational values (%s); this upgrade would change %s; %s"
      $who $operational (join ", " $changed) $instead) -}}
  {{- end -}}
{{- else if lookup "v1" "ServiceAccount" .root.Release.Namespace "default" -}}
  {{- /* Every namespace has that account, so lookups work here and the guard is really missing. */ -}}
  {{- fail (printf
    (print "%s, and its guard is missing: the ConfigMap %s; either this lane is not the one that it was installed in, "
      "or the ConfigMap was deleted; %s")
    $who .name $instead) -}}
{{- end -}}
{{- end -}}
