"""Read the live state of installed objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sidelane.errors import KindNotServed
from sidelane.helm.lookup import ClusterReader, Query
from sidelane.manifest import Identity, Object
from sidelane.support.secrets import learn_objects


async def read(reader: ClusterReader, objects: Sequence[Object]) -> dict[Identity, Mapping[str, Any]]:
    """Returns the live state of these objects. Raises ClusterUnreachable, ClusterDenied."""
    try:
        bodies = await _bodies(reader, objects)
    except KindNotServed:  # a definition was removed: its objects are gone, others may exist
        bodies = {}
        for _, same in groupby(sorted(objects, key=_kind), key=_kind):
            bodies |= await _served(reader, list(same))
    # The live object may hold another secret, and other objects may hold it too.
    learn_objects(bodies.values())
    return bodies


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
