"""Read the cluster's objects of releases in a wait, through Helm's lookup."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from sidelane.errors import ClusterDenied, ClusterUnreachable
from sidelane.helm.client import Helm
from sidelane.helm.lookup import ClusterReader, answered
from sidelane.helm.queries import Query
from sidelane.manifest import Object
from sidelane.releases.readiness import Live, Subject

CHART: Final = Path(__file__).parent / "_waiting"
#: The seconds between the beginnings of two readings.
INTERVAL: Final = 2.0
#: The most seconds of one reading.
PATIENCE: Final = 30.0


class Asked(NamedTuple):
    """The subjects of one reading. leaving: owners that may be gone, such as ``StatefulSet/zk-coco-1``, whose pods are
    read; claims: names of claims, read with the pods that use them.
    """

    subjects: tuple[Subject, ...] = ()
    leaving: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def objects(self) -> tuple[Object, ...]:
        return tuple(obj for subject in self.subjects for obj in subject.objects)


class Answer(NamedTuple):
    """The objects of one reading. note: the part that could not be read."""

    live: Live
    note: str = ""


class Reader:
    """Reads the objects of releases in one namespace."""

    def __init__(self, helm: Helm, namespace: str | None) -> None:
        self.helm = helm
        self.namespace = namespace
        self._next = 0.0

    async def read(self, asked: Sequence[Asked], *, events: bool) -> list[Answer]:
        """Returns an answer for each question, in one call of Helm. events: also read the objects' events.

        Await ``turn`` first. Raises ClusterUnreachable, ClusterDenied, KindNotServed.
        """
        values: dict[str, Any] = {
            "asks": [_ask(obj) for question in asked for obj in question.objects],
            "leaving": sorted({name for question in asked for name in question.leaving}),
            "claims": sorted({name for question in asked for name in question.claims}),
            "events": events,
        }
        note = ""
        try:
            async with asyncio.timeout(PATIENCE):
                try:
                    answers = await answered(self.helm, CHART, values, self.namespace)
                except ClusterDenied as error:
                    if not events:
                        raise
                    note = f"events can't be read: {error.problem}"
                    answers = await answered(self.helm, CHART, {**values, "events": False}, self.namespace)
        except TimeoutError:
            raise ClusterUnreachable(f"the API server did not respond within {PATIENCE:.0f} seconds") from None
        objects = iter(answers["objects"])
        shared = [tuple(answers[key] or ()) for key in ("replicaSets", "pods", "claims", "events")]
        return [Answer(Live(tuple(next(objects) for _ in question.objects), *shared), note) for question in asked]

    async def are_there(self, objects: Iterable[Object]) -> bool:
        """Returns True when the cluster has every one of these objects."""
        queries = [
            Query(str(obj.body["apiVersion"]), obj.kind, obj.name, obj.body["metadata"].get("namespace"))
            for obj in objects
        ]
        return all(await ClusterReader(self.helm, self.namespace).read(*queries))

    async def turn(self) -> None:
        """Returns when the next reading may begin, INTERVAL after the beginning of the last one."""
        await asyncio.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + INTERVAL


def _ask(obj: Object) -> dict[str, str]:
    namespace = str(obj.body["metadata"].get("namespace") or "")
    return {"apiVersion": str(obj.body["apiVersion"]), "kind": obj.kind, "namespace": namespace, "name": obj.name}
