"""No webhook or admission policy of one release catches the other's objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch
from sidelane.manifest import Object
from sidelane.manifest.fields import at, walk
from sidelane.manifest.label_selectors import parse_selector

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
            caught = next((other for other in _caught(webhook, kinds) if not _is_shared(other, mine, theirs)), None)
            if caught is not None:
                yield Touch(obj, path, f"also acts on {caught.identity} of the other release", caught)


def _is_shared(other: Object, mine: Side, theirs: Side) -> bool:
    return theirs.identity(other) in mine.by_identity


def _by_resource(side: Side) -> dict[tuple[str, str], list[Object]]:
    """Return the objects by group and plural resource."""
    found: dict[tuple[str, str], list[Object]] = {}
    for obj in side.objects:
        if not obj.is_hook:
            found.setdefault((obj.identity.group, _plural(obj.kind)), []).append(obj)
    return found


def _plural(kind: str) -> str:
    name = kind.lower()
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def _caught(webhook: Any, kinds: dict[tuple[str, str], list[Object]]) -> Iterator[Object]:
    namespaces = parse_selector("", at(webhook, "namespaceSelector") or {}, "pods", "subject")
    labels = parse_selector("", at(webhook, "objectSelector") or {}, "pods", "subject")
    for (group, resource), objects in kinds.items():
        if _has_rule(webhook, group, resource):
            for obj in objects:
                # Of a namespace's labels only its name is known.
                if namespaces.matches({_NAMESPACE: obj.identity.namespace}) and labels.matches(obj.labels):
                    yield obj


def _has_rule(webhook: Any, group: str, resource: str) -> bool:
    for _, rule in (*walk(webhook, "rules[]"), *walk(webhook, "resourceRules[]")):
        groups, resources = at(rule, "apiGroups") or (), at(rule, "resources") or ()
        operations = {str(each) for each in at(rule, "operations") or ()}
        acts = operations & {"*", "CREATE", "UPDATE"}
        if acts and ({"*", group} & set(groups)) and ({"*", "*/*", resource} & set(resources)):
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
    ),
    right=(
        (_webhook("a", _SELECTED) + _ingress("a"), _ingress("b")),
        (_webhook("a", _IN_A), _ingress("b, namespace: b")),
        (_webhook("a", group="apps", resource="deployments"), _ingress("b")),
    ),
    find=_find,
    both_ways=True,
    origin="Kubernetes, Dynamic Admission Control: Matching requests",
)
