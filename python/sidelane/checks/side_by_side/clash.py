"""The model of a clash: a way in which two releases touch each other, and the two sides that it compares."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sidelane.checks.findings import Finding, Place, Severity
from sidelane.manifest import Identity, LabelIndex, Manifest, Object, PodTemplate
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


K = TypeVar("K", bound=Hashable)


class Use(NamedTuple, Generic[K]):
    """A field by which an object uses something, which the key stands for."""

    obj: Object
    path: str
    key: K


@dataclass(frozen=True)
class Side:
    """One of the two renderings, indexed. cluster_kinds: custom kinds without a namespace, by the definitions. lane: of
    its release, as text; empty if it is not known.
    """

    manifest: Manifest
    cluster_kinds: frozenset[_Kind] = frozenset()
    lane: str = ""

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
        ordinals = {}
        for obj in self.manifest.objects:
            ordinals[id(obj)] = (obj.source, obj.kind, counts[obj.source, obj.kind])
            counts[obj.source, obj.kind] += 1
        return ordinals

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

    def finding(self, touch: Touch, lane: str = "") -> Finding:
        """Return the finding of a touch. lane: of the touching object's release, as text."""
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
            lane=lane,
        )


def sides(first: Manifest, second: Manifest, lanes: tuple[str, str] = ("", "")) -> tuple[Side, Side]:
    """Return the two manifests as sides. lanes: of the two releases, as text."""
    kinds = frozenset(
        (str(at(obj.body, "spec", "group")), str(at(obj.body, "spec", "names", "kind")))
        for manifest in (first, second)
        for obj in manifest.objects
        if obj.kind == "CustomResourceDefinition" and at(obj.body, "spec", "scope") == "Cluster"
    )
    return Side(first, kinds, lanes[0]), Side(second, kinds, lanes[1])


def both_use(mine: Side, theirs: Side, uses: Callable[[Side], Iterable[Use[K]]]) -> Iterator[tuple[Use[K], Use[K]]]:
    """Yield each use of the first side with the second side's first one of the same key, unless the other object is in
    both releases, which is a clash of its own.
    """
    others: dict[K, Use[K]] = {}
    for use in uses(theirs):
        others.setdefault(use.key, use)
    for use in uses(mine):
        other = others.get(use.key)
        if other is not None and theirs.identity(other.obj) not in mine.by_identity:
            yield use, other


def is_route(obj: Object) -> bool:
    """Return whether an object belongs to a route, which leads into another lane on purpose."""
    return obj.kind in _ROUTE_KINDS and route.is_part(obj.labels)


def containers(template: PodTemplate) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every container of a pod with its path."""
    for kind in ("containers", "initContainers"):
        for path, container in walk(template.spec, f"{kind}[]", template.within("spec")):
            if isinstance(container, dict):
                yield path, container
