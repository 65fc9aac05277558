"""The model of a clash: a way in which two releases touch each other, and the two sides that it compares."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sidelane.checks.findings import Finding, Place, Severity
from sidelane.manifest import Identity, Manifest, Object, PodTemplate, Selector
from sidelane.manifest.fields import at, walk
from sidelane.manifest.objects import CLUSTER_KINDS
from sidelane.naming import route
from sidelane.support.redaction import redact

HOOK: Final = "helm.sh/hook"
#: The kinds of a route's objects (charts/route). Only routes lead into other lanes on purpose.
_ROUTE_KINDS: Final = frozenset({"Service", "VirtualService", "HTTPRoute"})

_Kind = tuple[str, str]


class Touch(NamedTuple):
    """One place where a release touches the other: an object with the field's path, and the other's object.

    An empty remedy and no severity mean the clash's own.
    """

    obj: Object
    path: str
    message: str
    other: Object
    other_path: str = ""
    remedy: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class Side:
    """One of the two renderings, indexed. cluster_kinds: custom kinds without a namespace, by the definitions."""

    manifest: Manifest
    cluster_kinds: frozenset[_Kind] = frozenset()

    @functools.cached_property
    def objects(self) -> tuple[Object, ...]:
        """The objects that stay or act when the release is installed: all but the hooks of `helm test`."""
        return tuple(obj for obj in self.manifest.objects if "test" not in str(obj.annotations.get(HOOK, "")))

    @functools.cached_property
    def by_identity(self) -> Mapping[Identity, Object]:
        return {self.identity(obj): obj for obj in self.objects}

    @functools.cached_property
    def pods(self) -> tuple[tuple[Object, PodTemplate], ...]:
        """The pods that stay, with the objects that create them."""
        pods = ((obj, obj.pod_template) for obj in self.objects if not obj.is_hook)
        return tuple((obj, template) for obj, template in pods if template is not None)

    @functools.cached_property
    def labels(self) -> Mapping[str, LabelIndex]:
        """Indexes of the labels of ``pods`` and ``services``, as selectors name them."""
        services = ((obj, obj.labels) for obj in self.objects if obj.kind == "Service" and not obj.identity.group)
        return {
            "pods": LabelIndex((obj, template.labels) for obj, template in self.pods),
            "services": LabelIndex(services),
        }

    @functools.cached_property
    def ordinals(self) -> Mapping[int, tuple[str, str, int]]:
        """The object's template, kind and number there: the same for its counterpart in the other rendering."""
        counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        found = {}
        for obj in self.manifest.objects:
            found[id(obj)] = (obj.source, obj.kind, counts[obj.source, obj.kind])
            counts[obj.source, obj.kind] += 1
        return found

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        for obj in self.objects:
            if obj.kind in kinds:
                yield obj

    def identity(self, obj: Object) -> Identity:
        """Return the identity, without a namespace for kinds that have none."""
        return obj.identity._replace(namespace="") if self.is_cluster_wide(obj) else obj.identity

    def is_cluster_wide(self, obj: Object) -> bool:
        kind = (obj.identity.group, obj.kind)
        return kind in CLUSTER_KINDS or kind in self.cluster_kinds


class LabelIndex:
    """Objects by namespace, label and value, so that a selector is compared only with those that could match."""

    def __init__(self, labelled: Iterable[tuple[Object, Mapping[str, Any]]]) -> None:
        self._by_label: defaultdict[tuple[str, str, object], list[tuple[Object, Mapping[str, Any]]]]
        self._by_label = defaultdict(list)
        self._all: defaultdict[str, list[tuple[Object, Mapping[str, Any]]]] = defaultdict(list)
        for obj, labels in labelled:
            self._all[obj.identity.namespace].append((obj, labels))
            for key, value in labels.items():
                if isinstance(value, str):
                    self._by_label[obj.identity.namespace, key, value].append((obj, labels))

    @property
    def namespaces(self) -> tuple[str, ...]:
        return tuple(self._all)

    def matches(self, namespace: str, selector: Selector) -> list[Object]:
        """Return every object of the namespace that the selector matches."""
        candidates = [self._by_label.get((namespace, key, str(value)), []) for key, value in selector.labels.items()]
        fewest = min(candidates, key=len) if candidates else self._all.get(namespace, [])
        return [obj for obj, labels in fewest if selector.matches(labels)]


class Clash(NamedTuple):
    """One kind of clash, with its reason, and pairs of YAML that clash and that do not.

    find: yields the places where the first side touches the second. both_ways: run it again with the sides exchanged;
    otherwise ``find`` is symmetric. origin: the document that it stems from.
    """

    id: str
    title: str
    explanation: str
    remedy: str
    wrong: tuple[tuple[str, str], ...]
    right: tuple[tuple[str, str], ...]
    find: Callable[[Side, Side], Iterable[Touch]]
    origin: str
    both_ways: bool = False
    severity: Severity = "error"

    def finding(self, touch: Touch) -> Finding:
        obj, other = touch.obj, touch.other
        return Finding(
            source=obj.source,
            line=obj.line,
            identity=obj.identity,
            path=touch.path,
            rule=self.id,
            severity=touch.severity or self.severity,
            message=redact(touch.message),
            remedy=touch.remedy or self.remedy,
            other=Place(other.source, other.line, other.identity, touch.other_path),
        )


def sides(first: Manifest, second: Manifest) -> tuple[Side, Side]:
    """Return the two manifests as sides."""
    kinds = frozenset(
        (str(at(obj.body, "spec", "group")), str(at(obj.body, "spec", "names", "kind")))
        for manifest in (first, second)
        for obj in manifest.objects
        if obj.kind == "CustomResourceDefinition" and at(obj.body, "spec", "scope") == "Cluster"
    )
    return Side(first, kinds), Side(second, kinds)


def is_route(obj: Object) -> bool:
    """Return whether an object belongs to a route, which leads into another lane on purpose."""
    return obj.kind in _ROUTE_KINDS and route.is_part(obj.labels)


def containers(template: PodTemplate) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every container of a pod with its path."""
    for kind in ("containers", "initContainers"):
        for path, container in walk(template.spec, f"{kind}[]", template.within("spec")):
            if isinstance(container, dict):
                yield path, container
