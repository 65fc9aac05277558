{{- /*
Takes the root. The service's name, after the name and the version are validated. All templates use it, so that a
missing value is reported at once. `helm lint` continues after a fail, and lints a chart that has no name yet: the
example then keeps all names valid.
*/ -}}
{{- define "sidelane.service.name" -}}
{{- $problem := include "sidelane.service.problem" .Values.name -}}
{{- if eq (toString .Values.name) "" -}}
  {{- $problem = "no name is given, and a service is never guessed; add --set name=svc1" -}}
{{- end -}}
{{- with $problem | default (include "sidelane.serviceVersion.problem" .Values.serviceVersion) -}}
  {{- fail . -}}
{{- end -}}
{{- ternary "svc1" .Values.name (ne $problem "") -}}
{{- end -}}

{{- /*
Takes root and suffix. The component in the name of a further object of the service, such as svc1-v1-test. The suffix
comes last, so that the name can't be that of another service: a service whose name ends in it has its own version after
it.
*/ -}}
{{- define "sidelane.service.beside" -}}
{{- printf "%s-%s-%s" (include "sidelane.service.name" .root) .root.Values.serviceVersion .suffix -}}
{{- end -}}

{{- /*
Takes the name of a service. The problem with it, in one sentence; nothing when it is valid. The rule is narrower than a
component's, so that no object or label of a service matches those of another service or of the lane's pipeline:

    svc1-v1-test-2-coco-1     is the test of svc1's v1, so no service is called svc1-v1-test
    app: zk-2-coco-1          selects ZooKeeper's members, so no service is called zk
*/ -}}
{{- define "sidelane.service.problem" -}}
{{- $problem := include "sidelane.component.problem" . -}}
{{- if $problem -}}
  {{- $problem -}}
{{- else if regexMatch "-v[0-9][a-z0-9]*-" . -}}
  {{- printf
    "the service's name '%s' has the part '%s', which reads as a service version; rename the service"
    . (regexFind "-v[0-9][a-z0-9]*-" . | trimAll "-") -}}
{{- else if regexMatch "^(zk|nimbus|supervisor|ui|logviewer|drpc)(-(cs|hs|test))?$" . -}}
  {{- printf
    (print "the service's name '%s' is the name of a part of the lane's pipeline, which would select its pods; choose "
      "another name")
    . -}}
{{- end -}}
{{- end -}}
