"""Label selectors of objects: they select pods, or for a ServiceMonitor Services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from sidelane.manifest.fields import at, mapping, walk
from sidelane.manifest.objects import Object, remembered

Target = Literal["pods", "services"]
#: ``subject``: the object acts on these; ``template``: the pods that it creates; ``peer``: allowed network peers.
Role = Literal["subject", "peer", "template"]


class Selector(NamedTuple):
    """One label selector, with the path of its field.

    All ``labels`` must match and all ``expressions`` (key, operator, values) must hold. ``elsewhere``: it also
    selects in other namespaces.
    """

    path: str
    selects: Target
    role: Role
    labels: Mapping[str, Any]
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    elsewhere: bool = False

    @property
    def is_empty(self) -> bool:
        """Return whether it selects everything."""
        return not self.labels and not self.expressions

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all labels that it looks at."""
        return frozenset((*self.labels, *(key for key, _, _ in self.expressions)))

    def demanded(self, key: str) -> str | None:
        """Return the only value of the label that this selector allows, or None if it allows several."""
        value = self.labels.get(key)
        if isinstance(value, str):
            return value
        return next(
            (v[0] for k, operator, v in self.expressions if k == key and operator == "In" and len(v) == 1), None
        )

    def matches(self, labels: Mapping[str, Any]) -> bool:
        """Return whether these labels match."""
        return all(labels.get(key) == value for key, value in self.labels.items()) and all(
            _holds(labels, *expression) for expression in self.expressions
        )


class LabelIndex:
    """Objects by namespace, label and value, so that a selector is compared only with those that could match."""

    def __init__(self, labelled: Iterable[tuple[Object, Mapping[str, Any]]]) -> None:
        """labelled: objects, each with the labels by which it is selected, such as those of its pods."""
        self._by_label: defaultdict[tuple[str, str, object], list[tuple[Object, Mapping[str, Any]]]]
        self._by_label = defaultdict(list)
        self._all: defaultdict[str, list[tuple[Object, Mapping[str, Any]]]] = defaultdict(list)
        for obj, labels in labelled:
            self._all[obj.identity.namespace].append((obj, labels))
            for key, value in labels.items():
                if isinstance(value, str):
                    self._by_label[obj.identity.namespace, key, value].append((obj, labels))

    @property
    def namespaces(self) -> Collection[str]:
        """The namespaces that have objects."""
        return self._all.keys()

    def matches(self, namespace: str, selector: Selector) -> Iterator[Object]:
        """Yield every object of the namespace that the selector matches."""
        candidates = [self._by_label.get((namespace, key, str(value)), []) for key, value in selector.labels.items()]
        fewest = min(candidates, key=len) if candidates else self._all.get(namespace, [])
        return (obj for obj, labels in fewest if selector.matches(labels))


# Kind → patterns of fields that hold a whole LabelSelector, the selected kind, and the role.
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


@remembered
def selectors(obj: Object) -> tuple[Selector, ...]:
    """Return every selector of pods or Services in an object and its pod template."""
    return (*_own(obj), *_peers(obj), *_of_pods(obj))


def _own(obj: Object) -> Iterator[Selector]:
    group_kind = (obj.identity.group, obj.kind)
    if group_kind in _PLAIN_FIELDS:
        # A Service without a selector has endpoints from another source.
        if labels := mapping(obj.body, "spec", "selector"):
            yield Selector("spec.selector", "pods", _PLAIN_FIELDS[group_kind], labels)
        return
    for pattern, selects, role in _FIELDS.get(group_kind, ()):
        for path, node in walk(obj.body, pattern):
            yield parse_selector(path, node, selects, role)


def _peers(obj: Object) -> Iterator[Selector]:
    if obj.kind != "NetworkPolicy":
        return
    for pattern in _PEERS:
        for path, peer in walk(obj.body, pattern):
            for inner, node in walk(peer, "podSelector", path):
                yield parse_selector(inner, node, "pods", "peer", elsewhere=at(peer, "namespaceSelector") is not None)


def _of_pods(obj: Object) -> Iterator[Selector]:
    template = obj.pod_template
    if template is None:
        return
    for path, node in walk(template.spec, "topologySpreadConstraints[].labelSelector", template.within("spec")):
        yield parse_selector(path, node, "pods", "subject")
    for pattern in _TERMS if "affinity" in template.spec else ():
        for path, term in walk(template.spec, pattern, template.within("spec")):
            elsewhere = at(term, "namespaceSelector") is not None or bool(at(term, "namespaces"))
            for inner, node in walk(term, "labelSelector", path):
                yield parse_selector(inner, node, "pods", "subject", elsewhere=elsewhere)


def parse_selector(path: str, node: Any, selects: Target, role: Role, *, elsewhere: bool = False) -> Selector:
    """Return the selector that a LabelSelector is."""
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
