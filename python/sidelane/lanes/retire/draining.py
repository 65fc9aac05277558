"""The wait between the end of a route and the removal of its target, for connections that are still open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sidelane.lanes.retire.connections import Removed, Source, total
from sidelane.releases.context import Progress
from sidelane.routes.asking import Problem

#: The default time to wait after traffic has moved away.
DRAIN: Final = "30s"
#: The seconds between two counts, and the counts of 0 in a row that end the wait.
_BETWEEN: Final = 1.0
_ZEROS: Final = 2
#: The least seconds that a count may take.
_LOOK: Final = 1.0
#: The seconds between two reports of the same count.
_TOLD: Final = 10.0


class Drained(NamedTuple):
    """The end of a wait for open connections. seconds: its duration. connections: the number that was still open; None
    if it is unknown, with the problem.
    """

    seconds: float
    connections: int | None
    problem: str = ""

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        return {"seconds": round(self.seconds, 3), "connections": self.connections, "problem": self.problem}

    def __str__(self) -> str:
        if self.problem:
            return f"the number of open connections is unknown ({self.problem}); the whole drain time was waited for"
        if self.connections:
            return f"{_connections(self.connections)} at the end of the drain time"
        return f"no connection is open after {self.seconds:.0f} s"


class Drain(NamedTuple):
    """A requested wait. limit: the longest one in seconds, from the end of the route. sources: the counts of the open
    connections, which end the wait early; without them the whole time is waited for.
    """

    limit: float
    sources: tuple[Source, ...] = ()

    async def wait(self, removed: Removed, since: datetime | None, progress: Progress) -> Drained | None:
        """Waits. since: the time when a route last stopped leading there; None if it is unknown or there was none.

        Returns None without sources, and without a limit. Without ``since`` there is nothing to wait for, unless
        sources count the connections: the limit then begins now.
        """
        begin = time.monotonic()
        unknown = self.limit if self.sources else 0.0
        left = self.limit - (datetime.now(UTC) - since).total_seconds() if since else unknown
        if not self.sources or not self.limit:
            if left > 0:
                which = f"{removed.what}, which a route has just left"
                progress(f"waiting {left:.0f} seconds for open connections to {which}")
                await asyncio.sleep(left)
            return None
        end, zeros, told = begin + left, 0, ("", 0.0)
        while True:
            count = await _look(self.sources, removed, end - time.monotonic())
            zeros, now = zeros + 1 if count == 0 else 0, time.monotonic()
            last = end - now < 2 * _BETWEEN
            if told[0] != (said := _said(count)) or now - told[1] >= _TOLD:
                told = said, now
                progress(f"{removed.what}: {said}; at most {max(end - now, 0):.0f} s more")
            if zeros < _ZEROS:
                await asyncio.sleep(max(end - now, 0) if last else _BETWEEN)
            if last or zeros == _ZEROS:
                known, problem = (None, count.text) if isinstance(count, Problem) else (count, "")
                return Drained(time.monotonic() - begin, known, problem)


async def _look(sources: Sequence[Source], removed: Removed, rest: float) -> int | Problem:
    """Counts once, within the rest of the time; after it, within the limits of the sources."""
    try:
        async with asyncio.timeout(max(rest, _LOOK) if rest > 0 else None):
            return await total(sources, removed)
    except TimeoutError:
        return Problem("no answer within the drain time")


def _said(count: int | Problem) -> str:
    return (
        f"the number of open connections is unknown ({count.text})"
        if isinstance(count, Problem)
        else _connections(count)
    )


def _connections(count: int) -> str:
    return "1 connection is open" if count == 1 else f"{count} connections are open"
