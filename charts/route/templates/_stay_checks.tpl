{{- /* Checks of `stay`, which keeps callers on their target while requests are split. */ -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.route.checks.stay" -}}
{{- $stay := include "sidelane.route.stay" . | fromJson -}}
{{- if not (has ($stay.by | default "") (list "" "cookie" "header")) -}}
  {{- fail (printf "stay.by is '%v' and must be cookie, header or empty" $stay.by) -}}
{{- end -}}
{{- if $stay.by -}}
  {{- if eq .Values.mode "service" -}}
    {{- fail (printf
      "stay.by is %s, and mode service does not support it: a Service does not read requests; use mode istio or gateway"
      $stay.by) -}}
  {{- end -}}
  {{- if and (eq $stay.by "header") (has (lower $stay.name) (list "cookie" "set-cookie" "host")) -}}
    {{- fail (printf "stay.name is %s, which is a header with its own meaning; choose another name" $stay.name) -}}
  {{- end -}}
  {{- range include "sidelane.route.rules" . | fromJsonArray -}}
    {{- if .session -}}
      {{- include "sidelane.route.checks.session" (dict "root" $ "stay" $stay "rule" .) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes root, stay and rule, whose requests are split: its name must not be in use for something else. */ -}}
{{- define "sidelane.route.checks.session" -}}
{{- $session := .rule.session -}}
{{- $conditions := .rule.conditions -}}
{{- if eq .stay.by "cookie" -}}
  {{- if and (eq .root.Values.affinity.by "cookie") (eq .root.Values.affinity.cookie $session) -}}
    {{- fail (printf
      "stay and affinity would both set the cookie %s; choose another stay.name or affinity.cookie" $session) -}}
  {{- end -}}
  {{- if eq ($conditions.cookie | default dict).name $session -}}
    {{- fail (printf
      "%s has a condition on the cookie %s, which stay.by cookie sets; choose another stay.name" .rule.at $session) -}}
  {{- end -}}
{{- end -}}
{{- $taken := ternary "cookie" (lower $session) (eq .stay.by "cookie") -}}
{{- range $conditions.headers -}}
  {{- if eq (lower .name) $taken -}}
    {{- fail (printf
      (print "%s has a condition on the header %s, and stay.by %s needs one of its own, of which only one would apply; "
        "%s")
      $.rule.at $taken $.stay.by
      (ternary "write the condition as `cookie`, or use stay.by header" "choose another stay.name"
        (eq $.stay.by "cookie"))) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Takes the root. The limits and the order of an HTTPRoute's rules. Every mode uses the first rule that fits, and the
Gateway API the most specific one, so their orders must agree. A rule for sessions has one condition more than its own.
*/ -}}
{{- define "sidelane.route.checks.rules" -}}
{{- $rules := include "sidelane.route.rules" . | fromJsonArray -}}
{{- if gt (len $rules) 16 -}}
  {{- fail (printf
    (print "stay.by %s makes %d rules of the targets and matches, one for each target with a weight where requests are "
      "split, and an HTTPRoute has at most 16; use fewer matches or targets, or mode istio")
    .Values.stay.by (len $rules)) -}}
{{- end -}}
{{- $before := dict -}}
{{- range $rule := $rules -}}
  {{- $named := dict "root" $ "conditions" .conditions -}}
  {{- $headers := include "sidelane.route.conditions.headers" $named | fromJsonArray -}}
  {{- if gt (len $headers) 16 -}}
    {{- fail (printf
      "%s needs conditions on %d headers, with those of cookies and stay, and an HTTPRoute has at most 16; use fewer"
      .at (len $headers)) -}}
  {{- end -}}
  {{- if and .conditions.session (eq $.Values.stay.by "cookie") -}}
    {{- include "sidelane.route.checks.cookies" . -}}
  {{- end -}}
  {{- $rank := include "sidelane.route.gateway.rank" (dict "conditions" .conditions "headers" (len $headers)) -}}
  {{- if and $before (gt $rank $before.rank) (ne .at $before.at) -}}
    {{- $why := "is more specific than" -}}
    {{- if .conditions.session -}}
      {{- $why = "is, with its sessions' condition (stay.by), more specific than" -}}
    {{- end -}}
    {{- fail (printf
      (print "%s %s %s before it (exact paths, then longer prefixes, then a method, then more headers), so the Gateway "
        "API would use it first; %s")
      .at $why $before.at
      (ternary "give it fewer conditions than the one before, or use mode istio" "put it first"
        (hasKey .conditions "session"))) -}}
  {{- end -}}
  {{- $before = dict "rank" $rank "at" .at -}}
{{- end -}}
{{- end -}}

{{- /*
Takes a rule for sessions by cookie. The size of its regular expression, as RE2 counts it (one for a character). An
Envoy rejects all routes because of a larger one. Istio has another limit, 32768, and Gateways may have Envoy's default.
*/ -}}
{{- define "sidelane.route.checks.cookies" -}}
{{- $cookie := .conditions.cookie | default dict -}}
{{- $session := .conditions.session -}}
{{- $size := add (len $session.name) (len $session.value) 19 -}}
{{- if $cookie -}}
  {{- $length := add (len $session.name) (len $session.value) (len $cookie.name) (len $cookie.value) 2 -}}
  {{- $size = add (mul 2 $length) 42 -}}
{{- end -}}
{{- if gt (int $size) 100 -}}
  {{- fail (printf
    (print "%s needs a regular expression of size %d for the cookie %s=%s%s, and Envoy's default limit is 100, above "
      "which it rejects the route; %s")
    .at (int $size) $session.name $session.value
    (ternary (printf " together with %s" (toString $cookie.name)) "" (not (empty $cookie)))
    (ternary "use stay.by header, or mode istio" "set a shorter stay.name, or use stay.by header or mode istio"
      (not (empty $cookie)))) -}}
{{- end -}}
{{- end -}}

{{- /*
Takes conditions and headers, the number of those on headers. Their precedence in the Gateway API
(HTTPRouteRule.matches), as text that sorts.
*/ -}}
{{- define "sidelane.route.gateway.rank" -}}
{{- $path := .conditions.path | default dict -}}
{{- printf
  "%d %05d %d %03d"
  (ternary 1 0 (hasKey $path "exact")) (len ($path.exact | default $path.prefix | default "/"))
  (ternary 1 0 (not (empty .conditions.method))) (int .headers) -}}
{{- end -}}
