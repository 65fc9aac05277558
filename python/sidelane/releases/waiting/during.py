"""The work beside a Helm that waits: progress, an early end of a wait that cannot succeed, and an error that names each
object that is not ready.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from sidelane.errors import ClusterUnreachable, HelmError, InvalidLane, NotReady, SidelaneError, TimedOut
from sidelane.helm.durations import seconds
from sidelane.helm.running import Halt
from sidelane.manifest import Object
from sidelane.manifest.fields import at
from sidelane.naming.lane import Lane
from sidelane.releases.readiness import Readiness, Subject
from sidelane.releases.readiness.value import merged
from sidelane.releases.waiting.reading import Answer, Asked
from sidelane.releases.waiting.watch import Watch, parts
from sidelane.support.concurrency import ended

T = TypeVar("T")
Tell = Callable[[str], None]
log = logging.getLogger(__name__)

#: Helm's own default timeout.
TIMEOUT: Final = "5m0s"


@dataclass
class HelmWaits:
    """One Helm that waits for a release.

    all: every object that Helm creates or changes; it waits when all of them exist.
    """

    watch: Watch
    subject: Subject
    all: tuple[Object, ...]
    tell: Tell
    timeout: str | None
    last: Readiness | None = None

    async def over(self, work: Callable[[Halt], Awaitable[T]]) -> T:
        """Runs the work, a call of Helm. Raises TimedOut or NotReady with every object that is not ready."""
        halt, until = Halt(), time.monotonic() + seconds(self.timeout or TIMEOUT)
        looking = asyncio.ensure_future(self._look(halt))
        try:
            return await work(halt)
        except HelmError as error:
            if not halt.called and not isinstance(error, NotReady):
                raise
            if not halt.called:
                self.last = await _now(self.watch, self.subject) or self.last
            raise self._error(error, late=time.monotonic() >= until) from None
        finally:
            await ended(looking)
            if not looking.cancelled() and (problem := looking.exception()):
                log.warning("no progress of %s could be shown: %r", self.subject.release, problem)

    async def _look(self, halt: Halt) -> None:
        async with aclosing(self.watch.readings(Asked((self.subject,)))) as readings:
            async for answer in readings:
                if isinstance(answer, SidelaneError):
                    self.tell(f"{self.subject.release}: its pods can't be read: {answer.problem}")
                elif await self._must_end(answer, halt):
                    halt()
                    return

    async def _must_end(self, answer: Answer, halt: Halt) -> bool:
        """Stores and reports a reading. Returns True when Helm must be stopped now."""
        (readiness,) = parts(Asked((self.subject,)), answer)
        self.last = readiness
        self.tell(f"{self.subject.release}: {readiness.summary()}")
        # Helm still creates objects until all of them exist.
        if halt.process is None or not readiness.hopeless or not await self.watch.reader.are_there(self.all):
            return False
        # A second reading, a moment later, with events and logs.
        self.last = await _now(self.watch, self.subject) or readiness
        return bool(self.last.hopeless)

    def _error(self, error: HelmError, *, late: bool) -> NotReady:
        name = self.subject.release
        if self.last is None or self.last.complete:  # unknown, or ready a moment too late
            kind = type(error) if isinstance(error, NotReady) else NotReady
            return kind(f"{name}: {error.problem}", readiness=self.last, remedy=error.remedy)
        return not_ready(name, self.last, self.timeout, late=late)


def not_ready(what: str, readiness: Readiness, timeout: str | None, *, late: bool) -> NotReady:
    """Returns the error that names each object that is not ready. late: the timeout is over."""
    text = readiness.text().replace("\n", "\n  ")
    text = f": {readiness.counted}" + (f"\n  {text}" if text else "")
    named = what
    with suppress(InvalidLane):
        named = f"--lane {Lane.parse(what)}"
    if readiness.hopeless:
        remedy = f"fix the causes above, then install it as another Build; `sidelane status {named}` shows this one"
        return NotReady(f"{what} cannot become ready{text}", readiness=readiness, remedy=remedy)
    if late:
        remedy = f"see `sidelane status {named}`, or allow more time with --timeout"
        return TimedOut(f"{what} was not ready within {timeout or TIMEOUT}{text}", readiness=readiness, remedy=remedy)
    # Helm 4 stops waiting when a container crashes in a loop, or a pod is not scheduled for 15 seconds.
    remedy = f"see `sidelane status {named}`, or continue to wait with `sidelane wait {named}`"
    return NotReady(f"{what} is not ready, and Helm has stopped waiting{text}", readiness=readiness, remedy=remedy)


async def ready(watch: Watch, subjects: Iterable[Subject], what: str, *, timeout: str | None, tell: Tell) -> Readiness:
    """Returns when all of these installed releases are ready. Raises TimedOut, NotReady."""
    every = tuple(subjects)
    until = time.monotonic() + seconds(timeout or TIMEOUT)
    async with aclosing(watch.readings(Asked(every), at_once=True)) as readings:
        async for answer in readings:
            late = time.monotonic() >= until
            if isinstance(answer, SidelaneError):
                # The API server may be unavailable for a moment.
                if late or not isinstance(answer, ClusterUnreachable):
                    raise answer
                tell(f"{what}: its pods can't be read: {answer.problem}")
                continue
            readiness = merged(parts(Asked(every), answer))
            if not readiness.complete and (late or readiness.hopeless):
                readiness = merged(await watch.now(*every))
            if readiness.complete:
                return readiness
            if late or readiness.hopeless:
                raise not_ready(what, readiness, timeout, late=late)
            tell(f"{what}: {readiness.summary()}")
    raise AssertionError("readings do not end")


async def require_hope(watch: Watch, subject: Subject, objects: Iterable[Object], timeout: str | None) -> None:
    """Raises NotReady when a release whose objects all exist cannot become ready; ignores a failed reading."""
    readiness = await _now(watch, subject)
    if (
        readiness is not None
        and readiness.hopeless
        and await watch.reader.are_there(obj for obj in objects if not obj.is_hook)
    ):
        raise not_ready(subject.release, readiness, timeout, late=False)


async def going(watch: Watch, asked: Asked, what: str, tell: Tell, work: Awaitable[T]) -> T:
    """Runs the work, which removes releases or claims, and reports the remaining pods and claims."""

    async def look() -> None:
        async with aclosing(watch.readings(asked)) as readings:
            async for answer in readings:
                if isinstance(answer, Answer) and (left := "; ".join(_left(asked, answer))):
                    tell(f"{what}: {left}")

    looking = asyncio.ensure_future(look())
    try:
        return await work
    finally:
        await ended(looking)


def _left(asked: Asked, answer: Answer) -> Iterable[str]:
    names = sorted(str(at(pod, "metadata", "name")) for pod in answer.live.pods if _is_left(pod, asked))
    claims = sorted(
        name for claim in answer.live.claims if (name := str(at(claim, "metadata", "name"))) in asked.claims
    )
    if names:
        yield f"{len(names)} {'pod is' if len(names) == 1 else 'pods are'} still terminating: {_some(names)}"
    if claims:
        yield f"{len(claims)} {'claim' if len(claims) == 1 else 'claims'} left: {_some(claims)}"


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


async def _now(watch: Watch, subject: Subject) -> Readiness | None:
    try:
        return (await watch.now(subject))[0]
    except SidelaneError as error:
        log.debug("readiness can't be read: %s", error.problem)
        return None
