"""Read the objects of releases, and those that can affect them, in one call of Helm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from sidelane.errors import KindNotServed
from sidelane.helm.client import Helm
from sidelane.helm.lookup import ClusterReader, answered
from sidelane.helm.queries import LiveObject, Query
from sidelane.manifest import Identity, Object
from sidelane.manifest.fields import mapping
from sidelane.manifest.label_selectors import selectors
from sidelane.manifest.objects import CLUSTER_KINDS
from sidelane.naming.labels import LANE
from sidelane.support.secrets import learn_objects

CHART: Final = Path(__file__).parent / "_running"

#: The kinds that run, or that can change what runs. Claims outlive their lane, and events and leases affect nothing.
#: Each kind comes before those that own its objects, and endpoints before their pods: what is created in between is
#: then missing, and not without its owner.
_KINDS: Final = (
    ("discovery.k8s.io/v1", "EndpointSlice"), ("v1", "Pod"), ("apps/v1", "ReplicaSet"), ("batch/v1", "Job"),
    ("apps/v1", "ControllerRevision"), ("batch/v1", "CronJob"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "ServiceAccount"),
    ("networking.k8s.io/v1", "NetworkPolicy"), ("networking.k8s.io/v1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"), ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("rbac.authorization.k8s.io/v1", "Role"), ("rbac.authorization.k8s.io/v1", "RoleBinding"),
)  # fmt: skip


class Running(NamedTuple):
    """The objects of one reading.

    live: the releases' own, by identity, with the managers of their fields. all: these and the others, by kind.
    """

    live: Mapping[Identity, LiveObject]
    all: Mapping[str, tuple[LiveObject, ...]]

    def of(self, *kinds: str) -> Iterator[LiveObject]:
        """Yields the objects of these kinds."""
        for kind in kinds:
            yield from self.all.get(kind, ())


async def read(helm: Helm, namespace: str, objects: Sequence[Object], releases: Iterable[str]) -> Running:
    """Reads these objects and what can affect them. objects: without hooks. namespace, releases: the releases'.

    Raises ClusterUnreachable, ClusterDenied.
    """
    queries = _queries(objects, namespace)
    values: dict[str, Any] = {
        "kinds": _kinds(queries),
        "lanes": sorted({str(obj.labels[LANE]) for obj in objects if obj.labels.get(LANE)}),
        "releases": sorted(releases),
        "services": sorted({obj.name for obj in objects if obj.kind == "Service"}),
        "workloads": sorted({obj.name for obj in objects if obj.pod_template is not None}),
        "selectors": [dict(selector.labels) for obj in objects for selector in _selecting(obj)],
    }
    try:
        answers = await answered(helm, CHART, values, namespace)
    except KindNotServed:  # a definition was removed: its objects are gone, others exist
        queries = {query: names for query, names in queries.items() if await _is_served(helm, query)}
        values["kinds"] = _kinds(queries)
        answers = await answered(helm, CHART, values, namespace)
    live: dict[Identity, LiveObject] = {}
    everything: dict[str, tuple[LiveObject, ...]] = {}
    wanted = {obj.identity for obj in objects}
    for (version, kind, place), items in zip(queries, answers, strict=True):
        for item in items:
            item.setdefault("kind", kind)
            item.setdefault("apiVersion", version)
            if (identity := identity_of(item, place)) in wanted:
                live[identity] = item
        everything[kind] = (*everything.get(kind, ()), *items)
    # A live object may hold another secret than the release's, and other objects may hold it too.
    learn_objects([item for items in everything.values() for item in items])
    return Running(live, everything)


def identity_of(body: Mapping[str, Any], namespace: str = "") -> Identity:
    """Returns the identity of a live object."""
    group = str(body["apiVersion"]).rpartition("/")[0]
    metadata = mapping(dict(body), "metadata")
    return Identity(group, str(body["kind"]), str(metadata.get("namespace") or namespace), str(metadata["name"]))


async def _is_served(helm: Helm, query: tuple[str, str, str]) -> bool:
    version, kind, namespace = query
    if (version, kind) in _KINDS:
        return True
    try:
        await ClusterReader(helm, namespace or None).read(Query(version, kind, "none-of-this-name"))
    except KindNotServed:
        return False
    return True


def _kinds(queries: Mapping[tuple[str, str, str], Iterable[str]]) -> list[dict[str, Any]]:
    return [
        {"apiVersion": version, "kind": kind, "namespace": place, "wanted": sorted(names)}
        for (version, kind, place), names in queries.items()
    ]


def _queries(objects: Sequence[Object], namespace: str) -> dict[tuple[str, str, str], set[str]]:
    """Returns the names that are wanted of each API version, kind and namespace."""
    queries: dict[tuple[str, str, str], set[str]] = {(*each, namespace): set() for each in _KINDS}
    for obj in objects:
        group, kind, place, name = obj.identity
        place = "" if (group, kind) in CLUSTER_KINDS else place
        queries.setdefault((str(obj.body["apiVersion"]), kind, place), set()).add(name)
    return queries


def _selecting(obj: Object) -> Iterator[Any]:
    """Yields the selectors of the pods on which an object acts, and of those that it creates."""
    yield from (each for each in selectors(obj) if each.selects == "pods" and each.path == "spec.selector")
