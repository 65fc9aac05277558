"""What an object selects by labels: pods, or Services for a ServiceMonitor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from sidelane.manifest.fields import at, mapping, walk
from sidelane.manifest.objects import Object

Target = Literal["pods", "services"]
#: ``subject``: what the object acts on; ``template``: the pods it makes; ``peer``: who may connect, or be connected to.
Role = Literal["subject", "peer", "template"]


class Selector(NamedTuple):
    """One label selector, with the path of its field.

    ``labels`` must all be there with these values, and ``expressions`` (key, operator, values) must all hold.
    ``elsewhere`` says that it looks into other namespaces.
    """

    path: str
    selects: Target
    role: Role
    labels: Mapping[str, Any]
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    elsewhere: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it selects everything."""
        return not self.labels and not self.expressions

    def demanded(self, key: str) -> str | None:
        """The one value of that label which a selected thing must have, None where more than one would do."""
        value = self.labels.get(key)
        if isinstance(value, str):
            return value
        return next(
            (v[0] for k, operator, v in self.expressions if k == key and operator == "In" and len(v) == 1), None
        )

    def matches(self, labels: Mapping[str, Any]) -> bool:
        """Whether something with these labels is selected."""
        return all(labels.get(key) == value for key, value in self.labels.items()) and all(
            _holds(labels, *expression) for expression in self.expressions
        )


# Kind → patterns of fields that hold a whole LabelSelector, and the role of what they select.
_FIELDS: Final[dict[tuple[str, str], tuple[tuple[str, Target, Role], ...]]] = {
    ("apps", "Deployment"): (("spec.selector", "pods", "template"),),
    ("apps", "StatefulSet"): (("spec.selector", "pods", "template"),),
    ("apps", "DaemonSet"): (("spec.selector", "pods", "template"),),
    ("apps", "ReplicaSet"): (("spec.selector", "pods", "template"),),
    ("batch", "Job"): (("spec.selector", "pods", "template"),),
    ("policy", "PodDisruptionBudget"): (("spec.selector", "pods", "subject"),),
    ("networking.k8s.io", "NetworkPolicy"): (("spec.podSelector", "pods", "subject"),),
    ("monitoring.coreos.com", "PodMonitor"): (("spec.selector", "pods", "subject"),),
    ("monitoring.coreos.com", "ServiceMonitor"): (("spec.selector", "services", "subject"),),
}
# These hold plain labels instead.
_PLAIN_FIELDS: Final[dict[tuple[str, str], Role]] = {
    ("", "Service"): "subject",
    ("", "ReplicationController"): "template",
}
_PEERS: Final = ("spec.ingress[].from[]", "spec.egress[].to[]")
_TERMS: Final = tuple(
    f"affinity.{kind}.{when}"
    for kind in ("podAffinity", "podAntiAffinity")
    for when in (
        "requiredDuringSchedulingIgnoredDuringExecution[]",
        "preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm",
    )
)


def selectors(obj: Object) -> list[Selector]:
    """Every label selector of an object and of its pod template that selects pods or Services."""
    return [*_own(obj), *_peers(obj), *_of_pods(obj)]


def _own(obj: Object) -> Iterator[Selector]:
    group_kind = (obj.identity.group, obj.kind)
    if group_kind in _PLAIN_FIELDS:
        # A Service without a selector has endpoints that someone else writes.
        if labels := mapping(obj.body, "spec", "selector"):
            yield Selector("spec.selector", "pods", _PLAIN_FIELDS[group_kind], labels)
        return
    for pattern, selects, role in _FIELDS.get(group_kind, ()):
        for path, node in walk(obj.body, pattern):
            yield _parse(path, node, selects, role)


def _peers(obj: Object) -> Iterator[Selector]:
    if obj.kind != "NetworkPolicy":
        return
    for pattern in _PEERS:
        for path, peer in walk(obj.body, pattern):
            for inner, node in walk(peer, "podSelector", path):
                yield _parse(inner, node, "pods", "peer", elsewhere=at(peer, "namespaceSelector") is not None)


def _of_pods(obj: Object) -> Iterator[Selector]:
    template = obj.pod_template
    if template is None:
        return
    for path, node in walk(template.spec, "topologySpreadConstraints[].labelSelector", template.within("spec")):
        yield _parse(path, node, "pods", "subject")
    for pattern in _TERMS if "affinity" in template.spec else ():
        for path, term in walk(template.spec, pattern, template.within("spec")):
            elsewhere = at(term, "namespaceSelector") is not None or bool(at(term, "namespaces"))
            for inner, node in walk(term, "labelSelector", path):
                yield _parse(inner, node, "pods", "subject", elsewhere=elsewhere)


def _parse(path: str, node: Any, selects: Target, role: Role, *, elsewhere: bool = False) -> Selector:
    expressions = tuple(
        (str(at(item, "key")), str(at(item, "operator")), tuple(str(value) for _, value in walk(item, "values[]")))
        for _, item in walk(node, "matchExpressions[]")
    )
    return Selector(path, selects, role, mapping(node, "matchLabels"), expressions, elsewhere)


def _holds(labels: Mapping[str, Any], key: str, operator: str, values: tuple[str, ...]) -> bool:
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator == "Exists":
        return key in labels
    return operator == "DoesNotExist" and key not in labels
