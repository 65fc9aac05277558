"""Queries of several callers in one lookup: forty routes that are prepared together look at their targets at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import LiveObject, Query

#: The seconds that the first caller waits for others: a small part of what a lookup takes.
_WINDOW: Final = 0.02

Answers = tuple[tuple[LiveObject, ...], ...]
Caller = tuple[tuple[Query, ...], asyncio.Future[Answers]]


class GatheringReader:
    """Reads as a ClusterReader, and answers the callers of one moment with one Helm. For one event loop."""

    def __init__(self, reader: ClusterReader) -> None:
        self._reader = reader
        self._waiting: list[Caller] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def read(self, *queries: Query) -> Answers:
        """Return the objects for each query. Raises as ClusterReader does."""
        answer: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._waiting.append((queries, answer))
        if len(self._waiting) == 1:
            task = asyncio.ensure_future(self._gather())
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return await answer

    async def _gather(self) -> None:
        await asyncio.sleep(_WINDOW)
        callers, self._waiting = self._waiting, []
        await self._answer([caller for caller in callers if not caller[1].done()])  # not the cancelled ones

    async def _answer(self, callers: Sequence[Caller]) -> None:
        """Answers callers with one lookup, or after an error each alone: it may be about the query of one of them."""
        try:
            objects = await self._reader.read(*(query for queries, _ in callers for query in queries))
        except Exception as error:  # noqa: BLE001 - the caller raises it
            if len(callers) > 1:
                await asyncio.gather(*(self._answer([caller]) for caller in callers))
            elif callers and not callers[0][1].done():
                callers[0][1].set_exception(error)
            return
        for queries, answer in callers:
            mine, objects = objects[: len(queries)], objects[len(queries) :]
            if not answer.done():
                answer.set_result(mine)
