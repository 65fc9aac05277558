"""The readings of all releases that are waited for at a time: one call of Helm reads for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

from sidelane.errors import SidelaneError
from sidelane.readiness import Live, Readiness, Subject, assess
from sidelane.readiness.objects import Body
from sidelane.waiting import logs
from sidelane.waiting.reading import INTERVAL, Answer, Asked, Reader

#: Events may be thousands, and are read every so many readings; those of the last time stand for the others.
_EVENTS_EVERY: Final = 5


class Watch:
    """What is waited for on one target."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._watched: list[_Watched] = []
        self._task: asyncio.Task[None] | None = None

    async def readings(self, asked: Asked) -> AsyncGenerator[Answer | SidelaneError, None]:
        """What is found, again and again, the first time after a moment; an error where it could not be read."""
        one = _Watched(asked)
        self._watched.append(one)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._read_on())
        try:
            while True:
                await one.news.wait()
                one.news.clear()
                yield one.found
        finally:
            self._watched.remove(one)
            if not self._watched and self._task is not None:
                self._task.cancel()
                self._task = None

    async def now(self, *subjects: Subject) -> list[Readiness]:
        """The readiness of these as they are now, with events and the last lines of logs. Raises as Reader does."""
        answers = await self.reader.read([Asked(subject) for subject in subjects], events=True)
        found = [assess(one, answer.live, note=answer.note) for one, answer in zip(subjects, answers, strict=True)]
        return [
            await logs.added(self.reader.helm, one, subject.clean) for one, subject in zip(found, subjects, strict=True)
        ]

    async def _read_on(self) -> None:
        number = 0
        events: tuple[Body, ...] = ()
        # What is ready within a moment is not read at all.
        await asyncio.sleep(INTERVAL)
        while True:
            number += 1
            watched = list(self._watched)
            full = number % _EVENTS_EVERY == 0
            try:
                answers: list[Answer | SidelaneError] = list(
                    await self.reader.read([one.asked for one in watched], events=full)
                )
            except SidelaneError as error:
                answers = [error] * len(watched)
            for one, found in zip(watched, answers, strict=True):
                if isinstance(found, Answer):
                    events = found.live.events if full else events
                    one.found = found._replace(live=found.live._replace(events=events))
                else:
                    one.found = found
                one.news.set()


@dataclass
class _Watched:
    asked: Asked
    news: asyncio.Event = field(default_factory=asyncio.Event)
    found: Answer | SidelaneError = field(default_factory=lambda: Answer(Live(())))
