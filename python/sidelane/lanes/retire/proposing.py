"""Proposals: the lanes that are old enough to be retired."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sidelane.errors import InvalidInput
from sidelane.lanes.retire.looking import NO_MORE, Allowed, Retirement, look_at
from sidelane.naming.lane import Lane
from sidelane.releases.stores import Release, Target

_BEGINNING = datetime.min.replace(tzinfo=UTC)


def outdated(releases: Iterable[Release], keep: int, *, version: str | None = None) -> tuple[Lane, ...]:
    """Returns all lanes but the ``keep`` youngest of each Version, oldest first, by the last change of their releases.

    version: consider only the lanes of this Version. Raises InvalidInput for a negative number.
    """
    if keep < 0:
        raise InvalidInput(f"keep must be 0 or more, not {keep}", remedy="set it to 0 or more")
    changed: dict[Lane, datetime] = {}
    for release in releases:
        if (lane := release.lane) and (version is None or lane.version == version):
            changed[lane] = max(changed.get(lane, _BEGINNING), release.updated or _BEGINNING)
    oldest = sorted(changed, key=lambda lane: (changed[lane], lane.version, int(lane.build)))
    youngest: dict[str, int] = {}
    proposed = []
    for lane in reversed(oldest):
        youngest[lane.version] = youngest.get(lane.version, 0) + 1
        if youngest[lane.version] > keep:
            proposed.append(lane)
    return tuple(reversed(proposed))


async def propose(
    target: Target, keep: int, *, version: str | None = None, min_age: str = "0s", allowed: Allowed = NO_MORE
) -> tuple[Retirement, ...]:
    """Plans the retirement of all lanes but the ``keep`` youngest of each Version. Only lanes with releases that are
    Sidelane's, or allowed, are counted and proposed.
    """
    there = await target.releases()
    ours = await target.ours([release for release in there if release.lane is not None])
    counted = [release for release in there if release.name in ours or release.name in allowed.foreign]
    lanes = outdated(counted, keep, version=version)
    return tuple(await look_at(target, lanes, there, min_age=min_age, allowed=allowed, proposed=True))
