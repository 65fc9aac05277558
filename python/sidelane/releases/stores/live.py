"""Read the live state of installed objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sidelane.errors import KindNotServed
from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import Query
from sidelane.manifest import Identity, Object
from sidelane.support.secrets import learn_objects

_Bodies = dict[Identity, Mapping[str, Any]]


async def read(reader: ClusterReader, objects: Sequence[Object]) -> _Bodies:
    """Returns the live state of these objects. Raises ClusterUnreachable, ClusterDenied.

    Those whose definition was removed are gone, and the others may be there.
    """
    try:
        bodies = await _bodies(reader, objects)
    except KindNotServed:
        bodies = {}
        for _, same in groupby(sorted(objects, key=_kind), key=_kind):
            bodies |= await _of_a_kind(reader, list(same))
    # The live object may hold another secret, and other objects may hold it too.
    learn_objects(bodies.values())
    return bodies


async def _of_a_kind(reader: ClusterReader, objects: Sequence[Object]) -> _Bodies:
    try:
        return await _bodies(reader, objects)
    except KindNotServed:
        return {}


async def _bodies(reader: ClusterReader, objects: Sequence[Object]) -> _Bodies:
    answers = await reader.read(*map(_query, objects))
    return {obj.identity: answer[0] for obj, answer in zip(objects, answers, strict=True) if answer}


def _query(obj: Object) -> Query:
    return Query(*_kind(obj), obj.name, obj.identity.namespace, managed_fields=True)


def _kind(obj: Object) -> tuple[str, str]:
    return str(obj.body["apiVersion"]), obj.kind
