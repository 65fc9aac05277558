"""Read the live state of installed objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from sidelane.errors import ClusterDenied, KindNotServed
from sidelane.helm.lookup import ClusterReader, LiveObject, Query
from sidelane.manifest import Identity, Object
from sidelane.support.secrets import learn_objects

#: A list of all objects of a kind takes as long as this many reads of one, in a namespace with some hundred of them.
FEW: Final = 8
#: The kinds of which lanes have many. Not Secrets, in which Helm keeps its releases.
_LISTED: Final = frozenset(
    {
        *(("", kind) for kind in ("ConfigMap", "Service", "ServiceAccount")),
        *(("apps", kind) for kind in ("DaemonSet", "Deployment", "StatefulSet")),
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("policy", "PodDisruptionBudget"),
    }
)

_Bodies = dict[Identity, Mapping[str, Any]]


async def read(reader: ClusterReader, objects: Sequence[Object]) -> _Bodies:
    """Returns the live state of these objects. Raises ClusterUnreachable, ClusterDenied.

    Many objects of a kind are read with one list. Whoever may not list them reads each.
    """
    try:
        bodies = await _served(reader, _listing(objects))
    except ClusterDenied:
        bodies = await _served(reader, map(_single, objects))
    # The live object may hold another secret, and other objects may hold it too.
    learn_objects(bodies.values())
    return bodies


class _Reading(NamedTuple):
    """A query, and the identities of the objects that it asks for, by name."""

    query: Query
    identities: Mapping[str, Identity]


def _single(obj: Object) -> _Reading:
    place = obj.identity.namespace
    query = Query(str(obj.body["apiVersion"]), obj.kind, obj.name, place, managed_fields=True)
    return _Reading(query, {obj.name: obj.identity})


def _listing(objects: Iterable[Object]) -> list[_Reading]:
    """Returns the readings of objects: one for many objects of a kind."""
    kinds: defaultdict[tuple[str, str, str], list[Object]] = defaultdict(list)
    for obj in objects:
        kinds[str(obj.body["apiVersion"]), obj.kind, obj.identity.namespace].append(obj)
    readings: list[_Reading] = []
    for (version, kind, place), same in kinds.items():
        if len(same) <= FEW or (same[0].identity.group, kind) not in _LISTED:
            readings += map(_single, same)
            continue
        names = {obj.name: obj.identity for obj in same}
        readings.append(_Reading(Query(version, kind, "", place, managed_fields=True, only=tuple(names)), names))
    return readings


async def _served(reader: ClusterReader, readings: Iterable[_Reading]) -> _Bodies:
    """Returns the objects. Those whose definition was removed are gone, and the others may be there."""
    wanted = list(readings)
    try:
        return await _bodies(reader, wanted)
    except KindNotServed:
        bodies: _Bodies = {}
        for _, same in groupby(sorted(wanted, key=_kind), key=_kind):
            bodies |= await _of_a_kind(reader, list(same))
        return bodies


def _kind(reading: _Reading) -> tuple[str, str]:
    return reading.query.api_version, reading.query.kind


async def _of_a_kind(reader: ClusterReader, readings: Sequence[_Reading]) -> _Bodies:
    try:
        return await _bodies(reader, readings)
    except KindNotServed:
        return {}


async def _bodies(reader: ClusterReader, readings: Sequence[_Reading]) -> _Bodies:
    answers = await reader.read(*(reading.query for reading in readings))
    bodies: _Bodies = {}
    for reading, answer in zip(readings, answers, strict=True):
        kind = {"apiVersion": reading.query.api_version, "kind": reading.query.kind}  # items of a list have none
        bodies |= {reading.identities[_name(body)]: {**kind, **body} for body in answer}
    return bodies


def _name(body: LiveObject) -> str:
    return str(body["metadata"]["name"])
