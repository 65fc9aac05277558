"""Changes of several routes: all are made, or none.

Every change is read, rendered and checked before the first one is written, so that a refusal changes nothing. The
writes run side by side. When one fails, the routes already written go back to what each was before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from sidelane.errors import ReleaseNotFound, RouteChanged, SidelaneError, TargetBusy
from sidelane.routes.changes import Router
from sidelane.routes.places import AT_ONCE
from sidelane.routes.routed import Routed
from sidelane.routes.terms import Terms
from sidelane.routes.writing import Prepared
from sidelane.support.concurrency import outcomes, some_at_a_time

A = TypeVar("A")


class RoutedTogether(NamedTuple):
    """Changes that were made together. seconds: from the begin of the first write to the end of the last one."""

    routes: tuple[Routed, ...]
    seconds: float
    prepared: tuple[Prepared, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        return {"routes": [routed.to_json() for routed in self.routes], "secondsApart": round(self.seconds, 3)}


async def all_or_none(router: Router, wanted: Iterable[Coroutine[Any, Any, Prepared]]) -> RoutedTogether:
    """Makes changes of several routes. Raises the first error, once every route is what it was before.

    A cancelled call first lets the writes that have begun end.
    """
    prepared = await some_at_a_time(wanted, AT_ONCE)
    began, ended = [], []

    async def write(change: Prepared) -> Routed:
        began.append(time.monotonic())
        try:
            return await router.written(change)
        finally:
            ended.append(time.monotonic())

    results, cancelled = await to_the_end(map(write, prepared))
    routes = tuple(result for result in results if isinstance(result, Routed))
    wrong = next((result for result in results if isinstance(result, BaseException)), None)
    if wrong is None:
        wrong = await _difference(router, zip(prepared, routes, strict=True))
    if wrong is not None:
        await _go_back(router, prepared, results, wrong)
    if cancelled is not None:
        raise cancelled
    return RoutedTogether(routes, max(ended, default=0.0) - min(began, default=0.0), tuple(prepared))


async def each_alone(router: Router, wanted: Iterable[Coroutine[Any, Any, Prepared]]) -> list[Routed | BaseException]:
    """Makes changes of several routes, each also if others fail. Returns the routes, or the errors, in order.

    A cancelled call first lets the changes that are prepared end.
    """
    prepared = await outcomes(wanted, AT_ONCE)
    written, cancelled = await to_the_end(_written(router, change) for change in prepared)
    if cancelled is not None:
        raise cancelled
    made = [at for at, routed in enumerate(written) if isinstance(routed, Routed)]
    pairs = [(cast("Prepared", prepared[at]), cast("Routed", written[at])) for at in made]
    if await _difference(router, pairs) is not None:  # of which one?
        alone = await outcomes((router.read_back([pair]) for pair in pairs), AT_ONCE)
        wrong = {at: error for at, error in zip(made, alone, strict=True) if error is not None}
        return [wrong.get(at, routed) for at, routed in enumerate(written)]
    return written


async def _written(router: Router, change: Prepared | BaseException) -> Routed:
    if isinstance(change, BaseException):
        raise change
    return await router.written(change)


async def to_the_end(
    work: Iterable[Coroutine[Any, Any, A]],
) -> tuple[list[A | BaseException], asyncio.CancelledError | None]:
    """Runs writes side by side, all to their ends, also when this call is cancelled.

    Returns their results or errors, and the cancellation, which the caller raises.
    """
    writing = asyncio.ensure_future(outcomes(work, AT_ONCE))
    try:
        return await asyncio.shield(writing), None
    except asyncio.CancelledError as error:
        return await writing, error


async def _difference(router: Router, made: Iterable[tuple[Prepared, Routed]]) -> SidelaneError | None:
    """Returns the error of reading the routes back, if they differ from what was written."""
    try:
        await router.read_back(made)
    except SidelaneError as error:
        return error
    return None


async def _go_back(
    router: Router, prepared: Sequence[Prepared], results: Sequence[Routed | BaseException], error: BaseException
) -> None:
    """Undoes the writes, and raises the error."""
    router.progress("a write failed: the routes already written go back")
    undone = await outcomes((_undo(router, *pair) for pair in zip(prepared, results, strict=True)), AT_ONCE)
    left = [
        f"{change.route.name}: {result.problem if isinstance(result, SidelaneError) else result!r}"
        for change, result in zip(prepared, undone, strict=True)
        if isinstance(result, BaseException)
    ]
    if isinstance(error, SidelaneError) and len(prepared) > 1:
        state = f"but not these:\n  {chr(10).join(left)}" if left else "and so nothing changed"
        error.problem = f"{error.problem}\nthe routes that were already written are back, {state}"
        error.args = (error.problem, *error.args[1:])
    raise error


async def _undo(router: Router, change: Prepared, result: Routed | BaseException) -> None:
    """Undoes one write. A failed one is undone if Helm had begun to change the objects."""
    before, route = change.wanted.stored, change.route
    if isinstance(result, Routed):
        if result.change == "unchanged" or change.terms.dry_run:
            return
        seen = result.revision
    elif isinstance(result, RouteChanged | TargetBusy):
        return  # nothing was written
    else:
        seen = (before.release.revision if before else 0) + 1
        try:
            stored = await router.place.stored(route.release)
        except ReleaseNotFound:
            return
        if stored.release.revision != seen:
            return
    if before is None:
        await router.place.remove(route.release)
        return
    terms = Terms(change.terms.by, seen, unready=True, overwrite=not isinstance(result, Routed))
    await router.undo(route.service, route.lane, to=before.release.revision, terms=terms)
