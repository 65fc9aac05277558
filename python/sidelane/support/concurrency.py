"""Concurrent work, and work whose result several callers share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable, Iterable
from typing import Any, Generic, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@overload
async def together(a: Coroutine[Any, Any, A], b: Coroutine[Any, Any, B], /) -> tuple[A, B]: ...
@overload
async def together(
    a: Coroutine[Any, Any, A], b: Coroutine[Any, Any, B], c: Coroutine[Any, Any, C], /
) -> tuple[A, B, C]: ...
async def together(*work: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
    """Run a few coroutines concurrently whose results differ in type. Otherwise as ``all_of``."""
    return tuple(await all_of(work))


async def all_of(work: Iterable[Coroutine[Any, Any, A]]) -> list[A]:
    """Run all coroutines concurrently and return the results in order.

    The first failure cancels the others, and is raised once they have ended.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def some_at_a_time(work: Iterable[Coroutine[Any, Any, A]], limit: int = 4) -> list[A]:
    """Run at most ``limit`` coroutines at a time. Otherwise as ``all_of``. Each often runs a Helm process."""
    room, waiting = asyncio.Semaphore(limit), list(work)

    async def limited(each: Coroutine[Any, Any, A]) -> A:
        async with room:
            return await each

    try:
        return await all_of(map(limited, waiting))
    finally:
        for each in waiting:
            each.close()  # it may never have started


async def outcomes(work: Iterable[Coroutine[Any, Any, A]], limit: int = 4) -> list[A | BaseException]:
    """Run all coroutines, at most ``limit`` at a time, and return each one's result or error, in order."""
    room = asyncio.Semaphore(limit)

    async def limited(each: Coroutine[Any, Any, A]) -> A:
        async with room:
            return await each

    return await asyncio.gather(*map(limited, work), return_exceptions=True)


async def each_to_its_end(work: Iterable[Coroutine[Any, Any, object]], limit: int = 4) -> None:
    """Run all coroutines, at most ``limit`` at a time. A failure does not stop the others; it is raised at the end."""
    for result in await outcomes(work, limit):
        if isinstance(result, BaseException):
            raise result


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task and return when it has ended, even if this call is cancelled meanwhile."""
    task.cancel()
    again: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            again = error
    _failed(task)
    if again is not None:
        raise again


class Shared(Generic[A]):
    """Results that callers share for some seconds: forty releases that are installed at once ask only once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._tasks: dict[Hashable, tuple[float, asyncio.Task[A]]] = {}

    async def get(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, A]]) -> A:
        """Return the key's result; run ``work`` if there is no recent one. All waiting callers receive its error."""
        place = (asyncio.get_running_loop(), key)
        since, task = self._tasks.get(place, (0.0, None))
        now = time.monotonic()
        if task is None or (task.done() and (_failed(task) or now - since > self._seconds)):
            self._tasks = {place: entry for place, entry in self._tasks.items() if now - entry[0] <= self._seconds}
            task = asyncio.ensure_future(work())
            task.add_done_callback(_failed)  # retrieves the error, even if no caller is left to receive it
            self._tasks[place] = (now, task)
        return await asyncio.shield(task)  # a cancelled caller does not cancel the task for the others


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None
