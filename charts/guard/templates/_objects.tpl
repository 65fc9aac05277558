{{- /*
Takes root, policy (its component), selector (of objects, by labels), conditions (more match conditions, or nothing),
owner (a CEL expression of the lane or the release, for messages), scope (Cluster, or nothing for Namespaced) and
annotations, or nothing. The policy for the objects of lanes.

They are created and deleted by the pipeline alone, and never change but for the fields that their chart declares.
Helm's own `helm.sh/chart` may change: a chart's new version renders the same objects.
*/ -}}
{{- define "sidelane.guard.objects" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  {{- include "sidelane.guard.policy.metadata"
    (dict "root" .root "policy" .policy "annotations" .annotations) | nindent 2 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    # An object matches by its labels before or after the change, so nobody can drop the label first.
    objectSelector:
      {{- toYaml .selector | nindent 6 }}
    resourceRules:
      - apiGroups: ["*"]
        apiVersions: ["*"]
        resources: ["*/*"]  # with subresources
        operations: [CREATE, UPDATE, DELETE]
        scope: {{ .scope | default "Namespaced" }}
  matchConditions:
    {{- include "sidelane.guard.policy.conditions" .root | nindent 4 }}
    {{- with .conditions }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    # The policy helm-releases is for these.
    - name: not-helms-own
      expression: >-
        !(request.resource.resource in ['secrets', 'configmaps'] &&
          has(request.name) && request.name.startsWith('sh.helm.release.v1.'))
    # RBAC protects the guard's own accounts and roles.
    - name: not-the-guards-own
      expression: >-
        !(request.resource.resource in {{ if .scope }}['clusterroles', 'clusterrolebindings']{{ else -}}
          ['serviceaccounts', 'roles', 'rolebindings', 'configmaps']{{ end }} &&
          [object, oldObject].all(o, o == null || (has(o.metadata.labels) &&
            'app.kubernetes.io/name' in o.metadata.labels && o.metadata.labels['app.kubernetes.io/name'] == 'guard')))
  variables:
    {{- include "sidelane.guard.policy.variables" .root | nindent 4 }}
    {{- include "sidelane.guard.policy.variable" (dict "root" .root "role" "deployer") | nindent 4 }}
    {{- include "sidelane.guard.policy.variable" (dict "root" .root "role" "router") | nindent 4 }}
    - name: before
      expression: "request.operation == 'CREATE' ? object : oldObject"
    - name: after
      expression: "request.operation == 'DELETE' ? oldObject : object"
    - name: changes
      expression: request.operation == 'UPDATE' && !variables.breakGlass
    - name: labels
      expression: "has(variables.before.metadata.labels) ? variables.before.metadata.labels : {}"
    - name: newLabels
      expression: "has(variables.after.metadata.labels) ? variables.after.metadata.labels : {}"
    - name: annotations
      expression: "has(variables.before.metadata.annotations) ? variables.before.metadata.annotations : {}"
    - name: newAnnotations
      expression: "has(variables.after.metadata.annotations) ? variables.after.metadata.annotations : {}"
    # Part of a route, which changes in place: by its chart's label, and by its kind, because anybody can set a label.
    - name: route
      expression: >-
        request.resource.resource in
          ['services', 'virtualservices', 'destinationrules', 'httproutes', 'configmaps'] &&
        [variables.labels, variables.newLabels].all(l,
          'app.kubernetes.io/name' in l && l['app.kubernetes.io/name'] == 'route')
    - name: routing
      expression: variables.route && variables.router
    # The lane, or the release of a chart that knows no lanes.
    - name: owner
      expression: >-
        {{- .owner | nindent 8 }}
    # The fields that the object's chart declares operational: '', 'spec.replicas' or 'spec'.
    - name: operational
      expression: >-
        variables.deployer && 'sidelane.dev/operational-fields' in variables.annotations
          ? string(variables.annotations['sidelane.dev/operational-fields']) : ''
    # The top-level parts that differ. Status is not desired state.
    - name: parts
      expression: >-
        variables.before.filter(k, !(k in ['metadata', 'status', 'spec']) &&
          !(k in variables.after && variables.before[k] == variables.after[k])) +
        variables.after.filter(k, !(k in ['metadata', 'status', 'spec']) && !(k in variables.before))
    - name: spec
      expression: "has(variables.before.spec) ? variables.before.spec : {}"
    - name: newSpec
      expression: "has(variables.after.spec) ? variables.after.spec : {}"
    - name: fields
      expression: >-
        variables.spec.filter(k, !(k in variables.newSpec && variables.spec[k] == variables.newSpec[k])) +
        variables.newSpec.filter(k, !(k in variables.spec))
    # A rollout restart: nothing but this annotation of the pods differs.
    - name: restart
      expression: >-
        variables.deployer && has(variables.spec.template) && has(variables.newSpec.template) &&
        [variables.spec.template, variables.newSpec.template].all(a,
          [variables.spec.template, variables.newSpec.template].all(b,
            (has(a.spec) ? a.spec : {}) == (has(b.spec) ? b.spec : {}) &&
            (has(a.metadata.labels) ? a.metadata.labels : {}) == (has(b.metadata.labels) ? b.metadata.labels : {}) &&
            (has(a.metadata.annotations) ? a.metadata.annotations : {}).all(k,
              k == 'kubectl.kubernetes.io/restartedAt' ||
              (has(b.metadata.annotations) && k in b.metadata.annotations &&
                a.metadata.annotations[k] == b.metadata.annotations[k]))))
    - name: locked
      expression: >-
        variables.operational == 'spec' ? [] : variables.fields.filter(k,
          !(k == 'replicas' && variables.operational == 'spec.replicas') &&
          !(k == 'template' && variables.restart))
    - name: place
      expression: "' in ' + variables.owner + ', policy {{ .policy }}'"
  auditAnnotations:
    {{- include "sidelane.guard.policy.audit" .root | nindent 4 }}
  validations:
    - expression: >-
        request.operation == 'UPDATE' || variables.breakGlass || variables.deployer || variables.routing
      reason: Forbidden
      messageExpression: >-
        variables.what + variables.place + ': only the deployer creates and deletes the objects of a lane; let the ' +
        'pipeline run `sidelane install`, `sidelane uninstall` or `sidelane retire`'
    - expression: >-
        !variables.changes || variables.routing ||
        (variables.labels.all(k, k == 'helm.sh/chart' ||
          (k in variables.newLabels && variables.labels[k] == variables.newLabels[k])) &&
        variables.newLabels.all(k, k == 'helm.sh/chart' || k in variables.labels))
      reason: Forbidden
      messageExpression: >-
        variables.what + variables.place + ': metadata.labels never change; install the change as another Build'
    # A made-up owner would have the object garbage-collected.
    - expression: >-
        !variables.changes ||
        (has(variables.before.metadata.ownerReferences) ? variables.before.metadata.ownerReferences : []) ==
        (has(variables.after.metadata.ownerReferences) ? variables.after.metadata.ownerReferences : [])
      reason: Forbidden
      messageExpression: >-
        variables.what + variables.place + ': metadata.ownerReferences are set by controllers alone'
    - expression: >-
        !variables.changes ||
        (has(variables.before.metadata.finalizers) ? variables.before.metadata.finalizers : []) ==
        (has(variables.after.metadata.finalizers) ? variables.after.metadata.finalizers : [])
      reason: Forbidden
      messageExpression: >-
        variables.what + variables.place + ': metadata.finalizers are set by controllers alone; list yours in the ' +
        'value controllers.users of the chart guard'
    # Annotations of others are free. Helm's and Sidelane's own say who owns the object.
    - expression: >-
        !variables.changes || variables.routing ||
        [variables.annotations, variables.newAnnotations].all(a, [variables.annotations, variables.newAnnotations]
          .all(b, a.all(k, !(k.startsWith('meta.helm.sh/') || k.startsWith('helm.sh/') || k.startsWith('sidelane.dev/'))
            || (k in b && a[k] == b[k]))))
      reason: Forbidden
      messageExpression: >-
        variables.what + variables.place + ': the annotations of Helm and Sidelane never change; a release does not ' +
        'take over the objects of another one'
    - expression: >-
        !variables.changes || variables.routing || size(variables.parts) == 0
      reason: Forbidden
      messageExpression: >-
        variables.what + variables.place + ': ' + variables.parts.join(', ') + ' never changes; install the change ' +
        'as another Build beside it'
    - expression: >-
        !variables.changes || variables.routing || size(variables.locked) == 0
      reason: Forbidden
      messageExpression: >-
        variables.what + variables.place + ': spec.' + variables.locked.join(', spec.') + ' must not change; ' +
        (variables.route ? 'the router changes routes: `sidelane route set`'
          : 'install the change as another Build beside it; `sidelane upgrade` by the deployer changes operational ' +
            'values')
{{- if .scope }}
{{- include "sidelane.guard.policy.binding" (dict "root" .root "policy" .policy "mode" .root.Values.clusterObjects) }}
{{- else }}
{{- include "sidelane.guard.policy.bindings" (dict "root" .root "policy" .policy) }}
{{- end }}
{{- end -}}
