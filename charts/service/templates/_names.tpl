{{- /*
Takes the root. The service's name, after it and the version were checked. Every template asks for it, so that what is
missing is said at once.
`helm lint` carries on after a fail, and lints a chart that has no name yet: the example then keeps every name valid.
*/ -}}
{{- define "service.name" -}}
{{- $problem := include "common.service.problem" .Values.name -}}
{{- if eq (toString .Values.name) "" -}}
  {{- $problem = "no name is given, and a service is never guessed; add --set name=svc1" -}}
{{- end -}}
{{- with $problem | default (include "common.serviceVersion.problem" .Values.serviceVersion) -}}
  {{- fail . -}}
{{- end -}}
{{- ternary "svc1" .Values.name (ne $problem "") -}}
{{- end -}}

{{- /*
Takes root and suffix. The component that an object beside the service is named by: svc1-v1-test. The suffix comes last, so
it is never read as part of a service's name: one that ends in it would have its own version behind it.
*/ -}}
{{- define "service.beside" -}}
{{- printf "%s-%s-%s" (include "service.name" .root) .root.Values.serviceVersion .suffix -}}
{{- end -}}
