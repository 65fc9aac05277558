{{- /*
The targets of traffic. A target is a version of a service in a lane, or a component without versions; default lane: the
route's own.
*/ -}}

{{- /*
Takes root, target and at (its place in the values). The name of the target's Service: of the pattern `targetService`,
or the naming contract's. As routes/destination.py.
*/ -}}
{{- define "sidelane.route.target.name" -}}
{{- $named := include "sidelane.route.target.named" . | fromJson -}}
{{- with include "sidelane.route.pattern" .root -}}
  {{- . | replace "{name}" $named.component | replace "{lane}" (toString $named.lane)
    | replace "{serviceVersion}" ($named.serviceVersion | default "" | toString) -}}
{{- else -}}
  {{- include "sidelane.name.text" $named -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. `targetService`, also in a release whose values are from an older chart. */ -}}
{{- define "sidelane.route.pattern" -}}
{{- .Values.targetService | default "" | toString -}}
{{- end -}}

{{- /* Takes root and target. The parts of its name, as JSON: component, lane and, if it has one, serviceVersion. */ -}}
{{- define "sidelane.route.target.named" -}}
{{- $lane := .target.lane | default (include "sidelane.lane" .root) -}}
{{- $named := dict "component" (include "sidelane.route.name" .root) "lane" $lane "kind" "Service" -}}
{{- with .target.serviceVersion -}}
  {{- $named = set $named "serviceVersion" . -}}
{{- end -}}
{{- toJson $named -}}
{{- end -}}

{{- /* Takes root and target. The full DNS name of its Service, which is valid in every namespace. */ -}}
{{- define "sidelane.route.target.host" -}}
{{- include "sidelane.route.host" (dict "root" .root "name" (include "sidelane.route.target.name" .)) -}}
{{- end -}}

{{- /* Takes root and the name of a Service. */ -}}
{{- define "sidelane.route.host" -}}
{{- printf "%s.%s.svc.%s" .name .root.Release.Namespace (include "sidelane.clusterDomain" .root) -}}
{{- end -}}

{{- /* Takes root and target. The labels of its pods. */ -}}
{{- define "sidelane.route.target.selector" -}}
{{- $own := get (.root.Values.selectors | default dict) (include "sidelane.route.target.name" .) | default dict -}}
{{- range $key, $value := $own -}}
{{ $key | quote }}: {{ include "sidelane.scalar" $value | quote }}
{{ end -}}
{{- if not $own -}}
{{- $named := include "sidelane.route.target.named" . | fromJson -}}
app: {{ include "sidelane.name.text" (omit $named "serviceVersion") | quote }}
{{- with $named.serviceVersion }}
version: {{ . | quote }}
{{- end }}
sidelane.dev/lane: {{ $named.lane | quote }}
{{- end -}}
{{- end -}}

{{- /* Takes the root. The target with the highest weight, the first of several, as JSON. */ -}}
{{- define "sidelane.route.target.main" -}}
{{- $main := dict -}}
{{- range .Values.targets -}}
  {{- if or (not $main) (gt (int .weight) (int $main.weight)) -}}
    {{- $main = . -}}
  {{- end -}}
{{- end -}}
{{- toJson $main -}}
{{- end -}}

{{- /* Takes the root. All lists of targets with their places, as JSON: [{at, targets}, …]. */ -}}
{{- define "sidelane.route.splits" -}}
{{- $splits := list (dict "at" "targets" "targets" (.Values.targets | default list)) -}}
{{- range $index, $match := .Values.matches -}}
  {{- $splits = append $splits
    (dict "at" (printf "matches[%d].targets" $index) "targets" ($match.targets | default list)) -}}
{{- end -}}
{{- toJson $splits -}}
{{- end -}}

{{- /* Takes the root. The target of the mirror, as JSON; empty without a mirror. */ -}}
{{- define "sidelane.route.mirror" -}}
{{- $mirror := .Values.mirror | default dict -}}
{{- $wanted := or $mirror.serviceVersion $mirror.lane | empty | not -}}
{{- toJson (ternary (pick $mirror "serviceVersion" "lane") dict $wanted) -}}
{{- end -}}
