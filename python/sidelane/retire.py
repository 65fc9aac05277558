"""Removing a lane, or one release of it, without hurting anyone.

What a route leads to, what another release needs, what is young and what somebody works on is held, and each is told
with what holds it. Taking a target out of its route is the user's; then what is still open is given time, and the
releases go one level after another: what needs others first, so that inner services go before what they stand on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sidelane.durations import seconds
from sidelane.errors import InvalidInput, ReleaseNotFound, StillHeld
from sidelane.lane import Lane
from sidelane.releases import Progress, quiet
from sidelane.routing.leads import leads_to, unrouted_since
from sidelane.targets import Options, Release, Target, no_release

#: The chart of the release that deletes claims (targets/claims.py): it may be left by a run that was killed.
_HELPER = "claims-0.1.0"

#: How long what was routed is given to end, after the route has left it.
DRAIN = "30s"


@dataclass(frozen=True)
class Retirement:
    """What goes, or has gone: a lane's releases in the order in which they go, and the claims that go with them.

    held: what is in the way, a sentence each; then nothing goes. gone: whether it is done.
    """

    lane: Lane
    releases: tuple[str, ...]
    held: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    gone: bool = False

    def to_json(self) -> dict[str, object]:
        """The retirement as programs read it."""
        return {
            "lane": str(self.lane),
            "releases": list(self.releases),
            "held": list(self.held),
            "claims": list(self.claims),
            "gone": self.gone,
        }


def outdated(releases: Iterable[Release], keep: int, *, version: str | None = None) -> tuple[Lane, ...]:
    """The lanes beyond the ``keep`` youngest, the oldest first: by when any of their releases was changed last.

    version: look at the lanes of this Version alone. Raises InvalidInput for fewer than none.
    """
    if keep < 0:
        raise InvalidInput(f"{keep} lanes can't be kept", remedy="give 0 or more")
    changed: dict[Lane, datetime] = {}
    for release in releases:
        if (lane := release.lane) and (version is None or lane.version == version):
            changed[lane] = max(changed.get(lane, _BEGINNING), release.updated or _BEGINNING)
    oldest = sorted(changed, key=lambda lane: (changed[lane], lane.version, int(lane.build)))
    return tuple(oldest[: max(len(oldest) - keep, 0)])


_BEGINNING = datetime.min.replace(tzinfo=UTC)


async def look(target: Target, lane: Lane, *, release: str | None = None, min_age: str = "0s") -> Retirement:
    """What would go with a lane, or with one release of it, and what is in the way.

    Raises ReleaseNotFound where there is nothing of that lane or name.
    """
    everything = await target.releases()
    (found,) = await look_at(target, [lane], everything, release=release, min_age=min_age)
    if not found.releases:
        raise await no_release(target, release or lane)
    levels = await target.levels(lane)
    needed = [f"{name} needs {release}" for name in await target.needing(release)] if release else []
    ordered = sorted(found.releases, key=lambda name: (-levels.get(name, 0), name))
    return replace(found, releases=tuple(ordered), held=(*found.held, *needed))


async def look_at(
    target: Target, lanes: Sequence[Lane], there: Sequence[Release], *, release: str | None = None, min_age: str = "0s"
) -> list[Retirement]:
    """What would go with each of these lanes, of all releases that are ``there``, and what is in the way. However many
    releases there are, the target is asked a constant number of times, and more often only where there are routes.
    """
    abandoned = await target.abandoned(there)
    routed = any(one.name.startswith("route-") for one in there)
    found = []
    for lane in lanes:
        mine = [one for one in there if one.lane == lane and release in (None, one.name) and one.chart != _HELPER]
        held = [
            f"another process is working on {one.name}" for one in mine if one.is_pending and one.name not in abandoned
        ]
        held += _young(mine, min_age)
        if routed and mine:
            held += map(str, await leads_to(target, lane=lane, release=release))
        found.append(Retirement(lane, tuple(one.name for one in mine), tuple(held)))
    return found


def _young(mine: Sequence[Release], min_age: str) -> list[str]:
    least, now = timedelta(seconds=seconds(min_age)), datetime.now(UTC)
    return [
        f"{one.name} is {str(now - one.updated).partition('.')[0]} old, and has to be {min_age}"
        for one in mine
        if one.updated is not None and now - one.updated < least
    ]


async def retire(
    target: Target,
    lane: Lane,
    *,
    release: str | None = None,
    min_age: str = "0s",
    drain: str = DRAIN,
    delete_claims: bool = False,
    timeout: str | None = None,
    progress: Progress = quiet,
) -> Retirement:
    """Removes a lane, or one release of it. Claims of stateful sets stay, unless they are asked for.

    min_age, drain and timeout are lengths of time such as ``24h``: how long ago each release was last changed at
    least, how long ago a route left what goes, and Helm's own for each release. Killed half-way, the next call goes on.
    Raises StillHeld, and has changed nothing, with everything that is in the way; ReleaseNotFound where nothing is left
    to remove, claims that are asked for among it.
    """
    what = release or str(lane)
    options = Options(wait=True, timeout=timeout, progress=progress)

    async def claims() -> tuple[str, ...]:
        if not delete_claims:
            return ()
        progress(f"deleting the claims of {what}")
        return await target.delete_claims(lane, release, options)

    try:
        found = await look(target, lane, release=release, min_age=min_age)
    except ReleaseNotFound:
        # A run that was killed, or that did not ask for them, has left the claims alone.
        if left := await claims():
            return Retirement(lane, (), claims=left, gone=True)
        raise
    if found.held:
        raise StillHeld(
            f"{what} is not retired:\n  " + "\n  ".join(found.held),
            held=found.held,
            remedy="take it out of its routes, and retire what needs it first, or the whole lane",
        )
    await target.require_rights([await target.stored(name) for name in found.releases], claims=delete_claims)
    await _drained(target, lane, release, drain, progress)
    levels = await target.levels(lane)
    for level in sorted({levels.get(name, 0) for name in found.releases}, reverse=True):
        names = [name for name in found.releases if levels.get(name, 0) == level]
        progress(f"removing {', '.join(names[:3])}{' …' if names[3:] else ''}")
        await _few_at_once(target.uninstall(name, options) for name in names)
    return replace(found, claims=await claims(), gone=True)


async def _drained(target: Target, lane: Lane, release: str | None, drain: str, progress: Progress) -> None:
    """Returns when what was open through a route has had its time."""
    since = await unrouted_since(target, lane=lane, release=release) if seconds(drain) else None
    left = seconds(drain) - (datetime.now(UTC) - since).total_seconds() if since else 0.0
    if left > 0:
        progress(f"giving {left:.0f} seconds to what a route led to {release or lane} until a moment ago")
        await asyncio.sleep(left)


async def _few_at_once(work: Iterable[Awaitable[object]], limit: int = 4) -> None:
    """Does it side by side, a few at a time. When one fails the rest is still done, then the error raised."""
    at_once = asyncio.Semaphore(limit)

    async def one(each: Awaitable[object]) -> None:
        async with at_once:
            await each

    results = await asyncio.gather(*map(one, work), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
