"""What a cluster has of objects that were installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from sidelane.cluster_reader import ClusterReader, Query
from sidelane.errors import ClusterDenied, KindNotServed
from sidelane.manifest import Identity, Object
from sidelane.manifest.fields import at
from sidelane.targets import Found

#: Kinds whose replicas an autoscaler sets.
_SCALABLE: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


async def find(reader: ClusterReader, objects: Sequence[Object]) -> Found:
    """What there is of these objects. Raises ClusterUnreachable, ClusterDenied."""
    try:
        bodies = await _bodies(reader, objects)
    except KindNotServed:  # somebody took a definition away: what is of that kind is not there, all else may be
        bodies = {}
        for _, same in groupby(sorted(objects, key=_kind), key=_kind):
            bodies |= await _served(reader, list(same))
    return Found(bodies, await _scaled(reader, objects, bodies))


def _kind(obj: Object) -> tuple[str, str]:
    return str(obj.body["apiVersion"]), obj.kind


async def _served(reader: ClusterReader, objects: Sequence[Object]) -> dict[Identity, Mapping[str, Any]]:
    try:
        return await _bodies(reader, objects)
    except KindNotServed:
        return {}


async def _bodies(reader: ClusterReader, objects: Sequence[Object]) -> dict[Identity, Mapping[str, Any]]:
    queries = [
        Query(str(obj.body["apiVersion"]), obj.kind, obj.name, obj.identity.namespace, managed_fields=True)
        for obj in objects
    ]
    answers = await reader.read(*queries)
    return {obj.identity: answer[0] for obj, answer in zip(objects, answers, strict=True) if answer}


async def _scaled(
    reader: ClusterReader, objects: Sequence[Object], bodies: Mapping[Identity, Mapping[str, Any]]
) -> frozenset[Identity]:
    """Those that an autoscaler scales; none is looked for where all replicas are as they were asked for."""
    odd = [obj.identity for obj in objects if obj.kind in _SCALABLE and _replicas_differ(obj, bodies)]
    if not odd:
        return frozenset()
    try:
        found = await reader.read(
            *(Query("autoscaling/v2", "HorizontalPodAutoscaler", "", ns) for ns in _namespaces(odd))
        )
    except (ClusterDenied, KindNotServed):
        return frozenset()
    targets = {
        (
            item["metadata"]["namespace"],
            at(item, "spec", "scaleTargetRef", "kind"),
            at(item, "spec", "scaleTargetRef", "name"),
        )
        for items in found
        for item in items
    }
    return frozenset(one for one in odd if (one.namespace, one.kind, one.name) in targets)


def _replicas_differ(obj: Object, bodies: Mapping[Identity, Mapping[str, Any]]) -> bool:
    return obj.identity in bodies and at(obj.body, "spec", "replicas") != at(bodies[obj.identity], "spec", "replicas")


def _namespaces(identities: Iterable[Identity]) -> list[str]:
    return sorted({identity.namespace for identity in identities})
