{{- /*
The parts that the policies share. Each policy is a ValidatingAdmissionPolicy and three bindings, one for each value of
the namespace's label sidelane.dev/guard: deny, warn, audit.

In CEL, `request.userInfo` is who asks. A field manager is a claim and not an identity, so no policy reads it.
*/ -}}

{{- /* Takes users and groups, lists of text. A CEL expression: the request comes from one of them. */ -}}
{{- define "sidelane.guard.policy.from" -}}
(request.userInfo.username in {{ toJson (.users | default list) }} ||
  (has(request.userInfo.groups) && request.userInfo.groups.exists(g, g in {{ toJson (.groups | default list) }})))
{{- end -}}

{{- /* Takes root and role. A CEL expression: the request comes from the role's accounts or its other subjects. */ -}}
{{- define "sidelane.guard.policy.role" -}}
{{- $subjects := get .root.Values (printf "%ss" .role) -}}
{{- $name := include "sidelane.name" (dict "root" .root "component" .role "kind" "ServiceAccount") -}}
{{- $users := $subjects.users -}}
{{- range .root.Values.namespaces -}}
  {{- $users = append $users (printf "system:serviceaccount:%s:%s" . $name) -}}
{{- end -}}
{{- include "sidelane.guard.policy.from" (dict "users" $users "groups" $subjects.groups) -}}
{{- end -}}

{{- /*
Takes the root. The programs of a cluster that write objects of lanes: the controllers of the kube-controller-manager
(https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles), the scheduler and the kubelets.
*/ -}}
{{- define "sidelane.guard.policy.controllers" -}}
{{- $users := list "system:kube-controller-manager" "system:kube-scheduler" "system:apiserver" -}}
{{- range list "attachdetach-controller" "clusterrole-aggregation-controller" "cronjob-controller"
  "daemon-set-controller" "deployment-controller" "disruption-controller" "endpoint-controller"
  "endpointslice-controller" "endpointslicemirroring-controller" "ephemeral-volume-controller" "expand-controller"
  "generic-garbage-collector" "horizontal-pod-autoscaler" "job-controller" "namespace-controller" "node-controller"
  "persistent-volume-binder" "pod-garbage-collector" "pv-protection-controller" "pvc-protection-controller"
  "replicaset-controller" "replication-controller" "resourcequota-controller" "root-ca-cert-publisher"
  "selinux-warning-controller" "service-account-controller" "service-controller" "statefulset-controller"
  "taint-eviction-controller" "ttl-after-finished-controller" -}}
  {{- $users = append $users (printf "system:serviceaccount:kube-system:%s" .) -}}
{{- end -}}
{{- include "sidelane.guard.policy.from"
  (dict "users" (concat $users .Values.controllers.users) "groups" .Values.controllers.groups) -}}
{{- end -}}

{{- /*
Takes root, policy (its component) and annotations, or nothing. The metadata of the policy.
*/ -}}
{{- define "sidelane.guard.policy.metadata" -}}
name: {{ include "sidelane.name" (dict "root" .root "component" .policy "kind" "ValidatingAdmissionPolicy") }}
labels:
  {{- include "sidelane.labels" (dict "root" .root "component" "guard") | nindent 2 }}
{{- if or .annotations .root.Values.commonAnnotations }}
annotations:
  {{- with .root.Values.commonAnnotations }}
  {{- include "sidelane.extra" (dict "values" . "what" "annotation") | nindent 2 }}
  {{- end }}
  {{- with .annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Takes the root. Conditions of every policy: programs of the cluster pass. */ -}}
{{- define "sidelane.guard.policy.conditions" -}}
- name: not-a-controller
  expression: >-
    !{{ include "sidelane.guard.policy.controllers" . | nindent 4 | trim }}
{{- end -}}

{{- /* An expression (RE2) of a component's name in a lane (naming/contract.py). */ -}}
{{- define "sidelane.guard.policy.named" -}}
([a-z][a-z0-9]*-)+([a-z][a-z0-9]*|[0-9][a-z0-9]*(-[a-z0-9]+)*)-(0|[1-9][0-9]{0,17})
{{- end -}}

{{- /* Takes the root. Variables of every policy. */ -}}
{{- define "sidelane.guard.policy.variables" -}}
- name: breakGlass
  expression: >-
    {{- include "sidelane.guard.policy.from" .Values.breakGlass | nindent 4 }}
# The name and the kind of what is changed, for messages.
- name: what
  expression: >-
    request.operation + ' of ' + request.resource.resource +
      (has(request.subResource) && request.subResource != '' ? '/' + request.subResource : '') +
      (has(request.name) && request.name != '' ? ' ' + request.name : '')
{{- end -}}

{{- /* Takes root and role. The variable of this name: the request comes from the role. */ -}}
{{- define "sidelane.guard.policy.variable" -}}
- name: {{ .role }}
  expression: >-
    {{- include "sidelane.guard.policy.role" . | nindent 4 }}
{{- end -}}

{{- /* Takes the root. The audit log names every use of break-glass. */ -}}
{{- define "sidelane.guard.policy.audit" -}}
- key: break-glass
  valueExpression: >-
    variables.breakGlass ? request.userInfo.username + ': ' + variables.what : ''
{{- end -}}

{{- /*
Takes root and policy, the policy's component. Its bindings, by the label of the namespace.
*/ -}}
{{- define "sidelane.guard.policy.bindings" -}}
{{- range $mode := list "audit" "deny" "warn" }}
{{- include "sidelane.guard.policy.binding" (dict "root" $.root "policy" $.policy "mode" $mode) }}
  matchResources:
    namespaceSelector:
      matchLabels:
        sidelane.dev/guard: {{ $mode }}
{{- end }}
{{- end -}}

{{- /* Takes root, policy (its component) and mode. A binding of the policy, for every namespace and for none. */ -}}
{{- define "sidelane.guard.policy.binding" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- include "sidelane.guard.policy.metadata" (dict "root" .root "policy" (printf "%s-%s" .policy .mode))
    | nindent 2 }}
spec:
  policyName: {{ include "sidelane.name"
    (dict "root" .root "component" .policy "kind" "ValidatingAdmissionPolicy") }}
  {{- $actions := dict "deny" (list "Deny" "Audit") "warn" (list "Warn" "Audit") "audit" (list "Audit") }}
  validationActions: {{ get $actions .mode | toJson }}
{{- end -}}
