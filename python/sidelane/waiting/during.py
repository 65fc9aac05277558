"""What is done while a Helm waits: progress, an early end where nothing can come of it, and an error that names what is
not ready, read before anything is undone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, TypeVar

from sidelane.durations import seconds
from sidelane.errors import ClusterUnreachable, HelmError, NotReady, SidelaneError, TimedOut
from sidelane.helm import Halt
from sidelane.manifest import Object
from sidelane.manifest.fields import at
from sidelane.readiness import Readiness, Subject
from sidelane.readiness.value import merged
from sidelane.waiting.reading import Answer, Asked
from sidelane.waiting.watch import Watch, parts

T = TypeVar("T")
Tell = Callable[[str], None]
log = logging.getLogger(__name__)

#: Helm's own timeout, where none is given.
TIMEOUT: Final = "5m0s"


@dataclass
class HelmWaits:
    """One Helm that waits for a release.

    undoes: it undoes what it did when it fails, and so is ended here when its time is over. timeout: as it was asked
    for. all: every object that it creates or changes, which are there when it has begun to wait.
    """

    watch: Watch
    subject: Subject
    all: tuple[Object, ...]
    tell: Tell
    timeout: str | None
    undoes: bool = False
    last: Readiness | None = None
    _until: float | None = None  # when its time is over

    async def over(self, work: Callable[[Halt], Awaitable[T]]) -> T:
        """Does the work, which is to call a Helm. Raises TimedOut or NotReady, with what is not ready."""
        halt = Halt()
        looking = asyncio.ensure_future(self._look(halt))
        try:
            return await work(halt)
        except HelmError as error:
            if not halt.called and not isinstance(error, TimedOut):
                raise
            # A Helm that undoes has left nothing to be read.
            if not halt.called and not self.undoes:
                self.last = await _now(self.watch, self.subject) or self.last
            raise self._error(error, late=not halt.called or not (self.last and self.last.hopeless)) from None
        finally:
            looking.cancel()
            (end,) = await asyncio.gather(looking, return_exceptions=True)
            if isinstance(end, Exception):
                log.warning("what %s waits for could not be told: %r", self.subject.release, end)

    async def _look(self, halt: Halt) -> None:
        async with aclosing(self.watch.readings(Asked((self.subject,)))) as readings:
            async for found in readings:
                if isinstance(found, SidelaneError):
                    self.tell(f"{self.subject.release}: what it waits for can't be read: {found.problem}")
                elif await self._must_end(found, halt):
                    halt()
                    return

    async def _must_end(self, found: Answer, halt: Halt) -> bool:
        """Takes a reading in, tells it, and returns whether Helm must be ended now."""
        (readiness,) = parts(Asked((self.subject,)), found)
        self.last = readiness
        self.tell(f"{self.subject.release}: {readiness.summary()}")
        if self._until is None and None not in _own(self.subject, found):
            self._until = time.monotonic() + seconds(self.timeout or TIMEOUT)
        late = self.undoes and self._until is not None and time.monotonic() >= self._until
        if halt.process is None or not (late or readiness.hopeless):
            return False
        # Before all of its objects are there, Helm does not wait yet.
        if not late and not await self.watch.reader.are_there(self.all):
            return False
        # A second look, a moment later and with all that can be told.
        self.last = await _now(self.watch, self.subject) or readiness
        return bool(self.last.hopeless) or (late and not self.last.complete)

    def _error(self, error: HelmError, *, late: bool) -> NotReady:
        name = self.subject.release
        remedy = (
            "it was undone again; install it when what is named above is mended"
            if self.undoes
            else f"see it at any time with `sidelane status {name}`"
        )
        if self.last is None:
            return TimedOut(f"{name}: {error.problem}", remedy=remedy)
        if late and not self.undoes:
            remedy += ", or give it longer with --timeout"
        return not_ready(name, self.last, self.timeout, late=late, remedy=remedy)


def not_ready(what: str, readiness: Readiness, timeout: str | None, *, late: bool, remedy: str) -> NotReady:
    """The error that names what is not ready. late: its time is over; else it never gets ready."""
    how = f"was not ready within {timeout or TIMEOUT}" if late else "never gets ready"
    text = readiness.text().replace("\n", "\n  ")
    problem = f"{what} {how}: {readiness.counted}" + (f"\n  {text}" if text else "")
    return (TimedOut if late else NotReady)(problem, readiness=readiness, remedy=remedy)


async def ready(watch: Watch, subjects: Iterable[Subject], what: str, *, timeout: str | None, tell: Tell) -> Readiness:
    """Returns when all of these releases, which are there, are ready. Raises TimedOut; NotReady for what never is."""
    every = tuple(subjects)
    until = time.monotonic() + seconds(timeout or TIMEOUT)
    async with aclosing(watch.readings(Asked(every), at_once=True)) as readings:
        async for answer in readings:
            late = time.monotonic() >= until
            if isinstance(answer, SidelaneError):
                # An API server that is away for a moment comes back.
                if late or not isinstance(answer, ClusterUnreachable):
                    raise answer
                tell(f"{what}: what it waits for can't be read: {answer.problem}")
                continue
            found = merged(parts(Asked(every), answer))
            if not found.complete and (late or found.hopeless):
                found = merged(await watch.now(*every))
            if found.complete:
                return found
            if late or found.hopeless:
                more = "" if found.hopeless else ", or give it longer with --timeout"
                remedy = f"see it at any time with `sidelane status`{more}"
                raise not_ready(what, found, timeout, late=not found.hopeless, remedy=remedy)
            tell(f"{what}: {found.summary()}")
    raise AssertionError("readings do not end")


async def going(watch: Watch, asked: Asked, what: str, tell: Tell, work: Awaitable[T]) -> T:
    """Does the work, which removes releases or claims, and tells meanwhile what is still there."""

    async def look() -> None:
        async with aclosing(watch.readings(asked)) as readings:
            async for found in readings:
                if isinstance(found, Answer) and (left := "; ".join(_left(asked, found))):
                    tell(f"{what}: {left}")

    looking = asyncio.ensure_future(look())
    try:
        return await work
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def _left(asked: Asked, found: Answer) -> Iterable[str]:
    names = sorted(str(at(pod, "metadata", "name")) for pod in found.live.pods if _is_left(pod, asked))
    claims = sorted(name for claim in found.live.claims if (name := str(at(claim, "metadata", "name"))) in asked.claims)
    if names:
        yield f"{len(names)} {'pod has' if len(names) == 1 else 'pods have'} still to end: {_some(names)}"
    if claims:
        yield f"{len(claims)} {'claim is' if len(claims) == 1 else 'claims are'} still there: {_some(claims)}"


def _is_left(pod: object, asked: Asked) -> bool:
    for owner in at(pod, "metadata", "ownerReferences") or ():
        kind, name = owner.get("kind"), str(owner.get("name"))
        key = f"Deployment/{name.rpartition('-')[0]}" if kind == "ReplicaSet" else f"{kind}/{name}"
        if key in asked.leaving:
            return True
    volumes = at(pod, "spec", "volumes") or ()
    return any(at(volume, "persistentVolumeClaim", "claimName") in asked.claims for volume in volumes)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if names[3:] else "")


def _own(subject: Subject, found: Answer) -> Iterable[object]:
    return (body for obj, body in zip(subject.objects, found.live.objects, strict=True) if not obj.is_hook)


async def _now(watch: Watch, subject: Subject) -> Readiness | None:
    try:
        return (await watch.now(subject))[0]
    except SidelaneError as error:
        log.debug("what is not ready can't be read: %s", error.problem)
        return None
