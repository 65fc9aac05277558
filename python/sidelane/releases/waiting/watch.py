"""One series of readings for all releases in a wait: one call of Helm reads them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Final

from sidelane.errors import SidelaneError
from sidelane.releases.readiness import Live, Readiness, Subject, assess
from sidelane.releases.readiness.objects import Body
from sidelane.releases.waiting import logs
from sidelane.releases.waiting.reading import INTERVAL, Answer, Asked, Reader
from sidelane.support.concurrency import ended

#: Events are read once in this many readings, because there may be thousands; the others reuse them.
_EVENTS_EVERY: Final = 5


class Watch:
    """The readings of one target."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._watched: list[_Watched] = []
        self._task: asyncio.Task[None] | None = None

    async def readings(
        self, asked: Asked, *, at_once: bool = False, events: bool = False
    ) -> AsyncGenerator[Answer | SidelaneError, None]:
        """Yields an answer for each reading, or its error.

        at_once: begin with the next possible reading. Without it the first one comes after INTERVAL, so that releases
        that are ready by then need no reading. events: read the objects' events each time.
        """
        waiter = _Watched(asked, events)
        self._watched.append(waiter)
        if self._task is None or self._task.done():
            self._hurry = asyncio.Event()
            self._task = asyncio.ensure_future(self._read_on(self._hurry))
            self._task.add_done_callback(self._crashed)
        if at_once:
            self._hurry.set()
        try:
            while True:
                await waiter.news.wait()
                waiter.news.clear()
                if isinstance(waiter.latest, Exception) and not isinstance(waiter.latest, SidelaneError):
                    raise waiter.latest
                yield waiter.latest
        finally:
            self._watched.remove(waiter)
            if not self._watched and self._task is not None:
                task, self._task = self._task, None
                await ended(task)

    async def now(self, *subjects: Subject) -> list[Readiness]:
        """Returns each subject's present readiness, with events and last lines of logs. Raises as Reader does."""
        async with aclosing(self.readings(Asked(subjects), at_once=True, events=True)) as readings:
            answer = await anext(readings)
        if isinstance(answer, SidelaneError):
            raise answer
        assessed = zip(subjects, parts(Asked(subjects), answer), strict=True)
        return [await logs.added(self.reader.helm, readiness, subject.clean) for subject, readiness in assessed]

    def _crashed(self, task: asyncio.Task[None]) -> None:
        """Passes an unexpected error to every waiter."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            for waiter in self._watched:
                waiter.latest = error
                waiter.news.set()

    async def _read_on(self, hurry: asyncio.Event) -> None:
        events: tuple[Body, ...] = ()
        number = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(INTERVAL):
                await hurry.wait()
        while True:
            await self.reader.turn()
            number += 1
            watched = list(self._watched)  # includes waiters that have joined meanwhile
            full = number % _EVENTS_EVERY == 0 or any(waiter.events for waiter in watched)
            answers: list[Answer | SidelaneError] = []
            try:
                answers += await self.reader.read([waiter.asked for waiter in watched], events=full)
            except SidelaneError as error:
                answers += [error] * len(watched)
            for waiter, answer in zip(watched, answers, strict=True):
                if isinstance(answer, Answer):
                    events = answer.live.events if full else events
                    waiter.latest = answer._replace(live=answer.live._replace(events=events))
                else:
                    waiter.latest = answer
                waiter.news.set()


def parts(asked: Asked, answer: Answer) -> Iterator[Readiness]:
    """Yields the readiness of each release of a reading."""
    objects = iter(answer.live.objects)
    for subject in asked.subjects:
        own = answer.live._replace(objects=tuple(next(objects) for _ in subject.objects))
        yield assess(subject, own, note=answer.note)


@dataclass
class _Watched:
    asked: Asked
    events: bool
    news: asyncio.Event = field(default_factory=asyncio.Event)
    latest: Answer | Exception = field(default_factory=lambda: Answer(Live(())))
