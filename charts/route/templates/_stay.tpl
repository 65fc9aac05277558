{{- /*
The rules of a route. Without `stay` these are its matches and the default. With `stay`, the responses of a rule whose
requests are split name the target that answered, in a cookie or a header, and before that rule there is one for each of
these targets, for the requests that bring its name back.

A target of weight 0 holds no sessions. So at the end of a shift, and after a return, all requests go to one target. A
name that is not of a present target, or is from before `stay.since`, fits no rule: its request is distributed as a new
one, and the response has a new name.
*/ -}}

{{- /* Takes the root. `stay` as JSON, also in a release whose values are from an older chart. */ -}}
{{- define "sidelane.route.stay" -}}
{{- toJson (.Values.stay | default dict) -}}
{{- end -}}

{{- /*
Takes the root. Its rules in their order, as JSON: [{name, at, conditions, targets, session}, …]. at: the place of its
targets in the values. session: the cookie or header that names the target; empty if no response names it. A rule for
one target's sessions has the value too, in conditions.session.
*/ -}}
{{- define "sidelane.route.rules" -}}
{{- $plain := list -}}
{{- range $index, $match := .Values.matches -}}
  {{- $plain = append $plain (dict "name" (printf "match-%d" $index) "at" (printf "matches[%d]" $index)
    "conditions" (omit $match "targets") "targets" ($match.targets | default list) "session" "") -}}
{{- end -}}
{{- $plain = append $plain (dict "name" "default" "at" "targets" "conditions" dict
  "targets" (.Values.targets | default list) "session" "") -}}
{{- $rules := list -}}
{{- range $rule := $plain -}}
  {{- $holding := list -}}
  {{- range $rule.targets -}}
    {{- if gt (int .weight) 0 -}}
      {{- $holding = append $holding . -}}
    {{- end -}}
  {{- end -}}
  {{- if and (include "sidelane.route.stay" $ | fromJson).by (gt (len $holding) 1) -}}
    {{- $named := dict "root" $ "rules" $plain "rule" $rule -}}
    {{- $rule = set $rule "session" (include "sidelane.route.session.name" $named) -}}
    {{- range $holding -}}
      {{- $named := dict "root" $ "target" . -}}
      {{- $session := dict "name" $rule.session "value" (include "sidelane.route.session.value" $named) -}}
      {{- $rules = append $rules (dict
        "name" (printf "%s-%s" $rule.name (include "sidelane.route.target.name" $named)) "at" $rule.at
        "conditions" (merge (dict "session" $session) $rule.conditions)
        "targets" (list (merge (dict "weight" 1) .)) "session" $rule.session) -}}
    {{- end -}}
  {{- end -}}
  {{- $rules = append $rules $rule -}}
{{- end -}}
{{- toJson $rules -}}
{{- end -}}

{{- /*
Takes root, rules and one of them. The cookie or header that names its target. Rules with the same targets share one, so
that a caller stays on one target whichever of them applies; with one name for all, rules with other targets would
overwrite each other's.
*/ -}}
{{- define "sidelane.route.session.name" -}}
{{- $root := .root -}}
{{- $own := include "sidelane.route.session.targets" (dict "root" $root "rule" .rule) -}}
{{- $component := include "sidelane.route.name" $root -}}
{{- $stable := include "sidelane.name" (dict "root" $root "component" $component "kind" "Service") -}}
{{- $name := (include "sidelane.route.stay" $root | fromJson).name | default (printf "sidelane-%s" $stable) -}}
{{- $first := "" -}}
{{- range prepend (initial .rules) (last .rules) -}}
  {{- if and (not $first) (eq $own (include "sidelane.route.session.targets" (dict "root" $root "rule" .))) -}}
    {{- $first = .name -}}
  {{- end -}}
{{- end -}}
{{- eq $first "default" | ternary $name (printf "%s-%s" $name $first) -}}
{{- end -}}

{{- /* Takes root and rule. The names of its targets, as text. */ -}}
{{- define "sidelane.route.session.targets" -}}
{{- $names := list -}}
{{- range .rule.targets -}}
  {{- $names = append $names (include "sidelane.route.target.name" (dict "root" $.root "target" .)) -}}
{{- end -}}
{{- sortAlpha $names | join " " -}}
{{- end -}}

{{- /*
Takes root and target. Its name in a session, such as v1.7 or 2-coco-2/v1.7: short, because proxies limit the size of a
regular expression, and the cookie or header is of this route only.
*/ -}}
{{- define "sidelane.route.session.value" -}}
{{- $since := include "sidelane.scalar" ((include "sidelane.route.stay" .root | fromJson).since | default 0) -}}
{{- $named := include "sidelane.route.target.named" . | fromJson -}}
{{- $lane := eq $named.lane (include "sidelane.lane" .root) | ternary "" $named.lane -}}
{{- list $lane (.target.serviceVersion | default "") | compact | join "/" -}}
{{- ne $since "0" | ternary (printf ".%s" $since) "" -}}
{{- end -}}

{{- /* Takes root, target and session. The response header that names the target, as JSON: {how, name, value}. */ -}}
{{- define "sidelane.route.session.header" -}}
{{- $stay := include "sidelane.route.stay" .root | fromJson -}}
{{- $value := include "sidelane.route.session.value" . -}}
{{- if eq $stay.by "cookie" -}}
  {{- $text := printf "%s=%s; Path=/; Max-Age=%s; HttpOnly; SameSite=Lax" .session $value
    (include "sidelane.scalar" ($stay.seconds | default 10800)) -}}
  {{- toJson (dict "how" "add" "name" "set-cookie" "value" $text) -}}
{{- else -}}
  {{- toJson (dict "how" "set" "name" (lower .session) "value" $value) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes root and conditions. Its conditions on headers in both APIs' order, as JSON: [{name, exact or regex}, …]. A header
has one condition at most (Istio has them by name), so two cookies become one.
*/ -}}
{{- define "sidelane.route.conditions.headers" -}}
{{- $by := (include "sidelane.route.stay" .root | fromJson).by -}}
{{- $headers := list -}}
{{- $cookies := list -}}
{{- range .conditions.headers -}}
  {{- $how := ternary (dict "regex" .regex) (dict "exact" .value) (hasKey . "regex") -}}
  {{- $headers = append $headers (set $how "name" (lower .name)) -}}
{{- end -}}
{{- with .conditions.cookie -}}
  {{- $cookies = append $cookies . -}}
{{- end -}}
{{- with .conditions.session -}}
  {{- if eq $by "cookie" -}}
    {{- $cookies = append $cookies . -}}
  {{- else -}}
    {{- $headers = append $headers (dict "name" (lower .name) "exact" .value) -}}
  {{- end -}}
{{- end -}}
{{- if $cookies -}}
  {{- $headers = append $headers (dict "name" "cookie" "regex" (include "sidelane.route.cookies" $cookies)) -}}
{{- end -}}
{{- toJson $headers -}}
{{- end -}}
