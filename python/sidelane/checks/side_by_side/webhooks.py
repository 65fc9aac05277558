"""No webhook or admission policy of one release catches the other's objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch
from sidelane.manifest import Object
from sidelane.manifest.fields import at, walk
from sidelane.manifest.label_selectors import parse_selector
from sidelane.manifest.objects import CLUSTER_KINDS

_KINDS: Final = {
    "ValidatingWebhookConfiguration": "webhooks[]",
    "MutatingWebhookConfiguration": "webhooks[]",
    "ValidatingAdmissionPolicy": "spec.matchConstraints",
    "MutatingAdmissionPolicy": "spec.matchConstraints",
}
_NAMESPACE: Final = "kubernetes.io/metadata.name"

_WEBHOOK: Final = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {name}}}
webhooks:
  - name: a.example.com
    {more}
    rules: [{{apiGroups: [{group}], apiVersions: ["*"], operations: ["*"], resources: [{resource}]}}]
"""
_POLICY: Final = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: a}}
spec:
  matchConstraints:
    resourceRules:
      - {{apiGroups: ["*"], apiVersions: ["*"], operations: [CREATE], resources: [ingresses], scope: {rules}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: a}}
spec: {{policyName: a, matchResources: {{{scope}}}}}
"""
_INGRESS: Final = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, labels: {{release: {name}}}}}
"""


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    kinds = _by_resource(theirs)
    for obj in mine.of_kind(*_KINDS):
        if obj.is_hook or mine.identity(obj) in theirs.by_identity:
            continue  # a configuration of both is a finding itself
        for path, webhook in walk(obj.body, _KINDS[obj.kind]):
            caught = (other for scopes in _scopes(mine, obj, webhook) for other in _caught(webhook, scopes, kinds))
            outside = next((other for other in caught if theirs.identity(other) not in mine.by_identity), None)
            if outside is not None:
                yield Touch(obj, path, f"also acts on {outside.identity} of the other release", outside)


def _scopes(side: Side, obj: Object, webhook: Any) -> Iterator[list[Any]]:
    """Yield what must let an object in: a webhook itself, and a policy together with one of its bindings."""
    if "Webhook" in obj.kind:
        yield [webhook]
        return
    for binding in side.of_kind(f"{obj.kind}Binding"):
        if at(binding.body, "spec", "policyName") == obj.name:
            yield [webhook, at(binding.body, "spec", "matchResources") or {}]


def _by_resource(side: Side) -> dict[tuple[str, str], list[Object]]:
    """Return the objects by group and plural resource."""
    resources: dict[tuple[str, str], list[Object]] = {}
    for obj in side.objects:
        if not obj.is_hook:
            resources.setdefault((obj.identity.group, _plural(obj.kind)), []).append(obj)
    return resources


def _plural(kind: str) -> str:
    name = kind.lower()
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def _caught(webhook: Any, scopes: list[Any], kinds: dict[tuple[str, str], list[Object]]) -> Iterator[Object]:
    """Yield the objects that a webhook's or policy's rules name, and that all its scopes let in."""
    namespaces = [parse_selector("", at(scope, "namespaceSelector") or {}, "pods", "subject") for scope in scopes]
    labels = [parse_selector("", at(scope, "objectSelector") or {}, "pods", "subject") for scope in scopes]
    for (group, resource), objects in kinds.items():
        other = "Namespaced" if (group, objects[0].kind) in CLUSTER_KINDS else "Cluster"
        if _has_rule(webhook, group, resource, other):
            for obj in objects:
                # Of a namespace's labels only its name is known.
                named = {_NAMESPACE: obj.identity.namespace}
                if all(each.matches(named) for each in namespaces) and all(each.matches(obj.labels) for each in labels):
                    yield obj


def _has_rule(webhook: Any, group: str, resource: str, other: str) -> bool:
    """Tell whether a rule acts on a resource. other: the scope that the resource does not have."""
    for _, rule in (*walk(webhook, "rules[]"), *walk(webhook, "resourceRules[]")):
        groups, resources = at(rule, "apiGroups") or (), at(rule, "resources") or ()
        operations = {str(each) for each in at(rule, "operations") or ()}
        acts = operations & {"*", "CREATE", "UPDATE"}
        if (
            at(rule, "scope") != other
            and acts
            and ({"*", group} & set(groups))
            and ({"*", "*/*", resource} & set(resources))
        ):
            return True
    return False


def _webhook(name: str, more: str = "", group: str = "networking.k8s.io", resource: str = "ingresses") -> str:
    return _WEBHOOK.format(name=name, more=more, group=group, resource=resource)


def _ingress(name: str) -> str:
    return _INGRESS.format(name=name)


_SELECTED: Final = "objectSelector: {matchLabels: {release: a}}"
_IN_A: Final = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: a}}"

CLASH: Final[Clash] = Clash(
    id="foreign-webhooks",
    title="No webhook acts on the other release's objects",
    explanation=(
        "A webhook configuration acts on all matching objects of the cluster. One version then checks or changes the "
        "objects of the other, and if its pods are gone, the other can't be changed at all."
    ),
    remedy="give it an objectSelector or a namespaceSelector that matches its own release only",
    severity="warning",
    wrong=(
        (_webhook("a"), _ingress("b")),
        (_ingress("a"), _webhook("b", group='"*"', resource='"*"')),
        (_POLICY.format(scope="", rules="Namespaced"), _ingress("b")),
    ),
    right=(
        (_webhook("a", _SELECTED) + _ingress("a"), _ingress("b")),
        (_webhook("a", _IN_A), _ingress("b, namespace: b")),
        (_POLICY.format(scope="namespaceSelector: {matchLabels: {guarded: yes}}", rules="'*'"), _ingress("b")),
        (_POLICY.format(scope="", rules="Cluster"), _ingress("b")),
        (_webhook("a", group="apps", resource="deployments"), _ingress("b")),
    ),
    find=_find,
    both_ways=True,
    origin="Kubernetes, Dynamic Admission Control: Matching requests",
)
