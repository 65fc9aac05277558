"""Removing a lane, or one release of it: one level after another, what needs others first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sidelane.errors import ReleaseNotFound, StillHeld
from sidelane.helm.durations import seconds
from sidelane.lanes.retire.looking import NO_MORE, Allowed, Retirement, look
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context, Progress
from sidelane.releases.stores import Options, Release, Target
from sidelane.releases.stores.ours import require
from sidelane.routes.leads import unrouted_since
from sidelane.support.concurrency import each_to_its_end, some_at_a_time

#: How long what was routed is given to end, after the route has left it.
DRAIN = "30s"


async def retire(
    context: Context,
    lane: Lane,
    *,
    release: str | None = None,
    min_age: str = "0s",
    drain: str = DRAIN,
    delete_claims: bool = False,
    timeout: str | None = None,
    allowed: Allowed = NO_MORE,
) -> Retirement:
    """Removes a lane, or one release of it. Claims of stateful sets stay, unless they are asked for.

    min_age, drain and timeout are lengths of time such as ``24h``: how long ago each release was last changed at
    least, how long ago a route left what goes, and Helm's own for each release. allowed: what goes only when it is
    asked for. Killed half-way, the next call goes on.
    Raises StillHeld, and has changed nothing, with everything that is in the way; ReleaseNotFound where nothing is left
    to remove, claims that are asked for among it; NotOurs where Sidelane made nothing of it.
    """
    what, target = release or str(lane), context.target
    options = Options(wait=True, timeout=timeout, progress=context.progress)

    async def claims() -> tuple[str, ...]:
        if not delete_claims:
            return ()
        context.progress(f"deleting the claims of {what}")
        return await target.delete_claims(lane, release, options)

    try:
        found = await look(target, lane, release=release, min_age=min_age, delete_claims=delete_claims, allowed=allowed)
    except ReleaseNotFound:
        # A run that was killed, or that did not ask for them, has left the claims alone.
        if left := await claims():
            return Retirement(lane, (), claims=left, gone=True, release=release)
        raise
    if found.held:
        raise StillHeld(
            f"{what} is not retired:\n  " + "\n  ".join(found.held), held=found.held, remedy="; ".join(found.remedies)
        )
    stored = await some_at_a_time(target.stored(name) for name in found.releases)
    await target.require_rights(stored, claims=delete_claims)
    await _remove(context, found, seconds(drain), options)
    # Pods that ended just now may have had claims made a moment before.
    left = () if delete_claims else await target.claims(lane, release) or ()
    return replace(found, claims=await claims(), kept_claims=left, gone=True)


async def _remove(context: Context, found: Retirement, drain: float, options: Options) -> None:
    """Removes the routes of a lane or a release, gives what they led there its time, and removes the rest by levels."""
    target, lane, release = context.target, found.lane, found.release
    since = await unrouted_since(target, lane=lane, release=release) if drain else None
    rest = [name for name in found.releases if name not in found.routes]
    if found.routes:
        context.progress(f"removing {_few(found.routes)}")
        await each_to_its_end(target.uninstall(name, options) for name in found.routes)
        since = datetime.now(UTC)
    if not rest:
        return
    await _drained(release or str(lane), since, drain, context.progress)
    levels = await target.levels(lane)
    for level in sorted({levels.get(name, 0) for name in rest}, reverse=True):
        names = [name for name in rest if levels.get(name, 0) == level]
        context.progress(f"removing {_few(names)}")
        await each_to_its_end(target.uninstall(name, options) for name in names)


def _few(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{' …' if names[3:] else ''}"


async def uninstall(target: Target, name: str, options: Options, *, allowed: Allowed = NO_MORE) -> Release:
    """Removes one release, whatever needs it. Raises ReleaseNotFound, NotOurs, and StillHeld when objects would go that
    are not of the namespace.
    """
    stored = await target.stored(name)
    if name not in allowed.foreign:
        remedy = f"remove it with `helm uninstall {name}`, or add --foreign to remove it all the same"
        await require(target, stored.release, remedy=remedy)
    beyond = () if allowed.cluster_objects else (await target.beyond([stored])).get(name, ())
    if beyond:
        held = tuple(f"{line} would go with it, and is not of the namespace" for line in beyond)
        raise StillHeld(
            f"{name} is not uninstalled:\n  " + "\n  ".join(held), held=held, remedy="add --delete-cluster-objects"
        )
    return await target.uninstall(name, options)


async def _drained(what: str, since: datetime | None, drain: float, progress: Progress) -> None:
    """Returns when what was open through a route has had its time. since: when the route was changed or removed."""
    left = drain - (datetime.now(UTC) - since).total_seconds() if since else 0.0
    if left > 0:
        progress(f"giving {left:.0f} seconds to what a route led to {what} until a moment ago")
        await asyncio.sleep(left)
