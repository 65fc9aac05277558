"""Remove a lane, or one release of it, level by level, dependent releases first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sidelane.errors import ReleaseNotFound, StillHeld
from sidelane.lanes.retire.connections import Removed
from sidelane.lanes.retire.draining import Drain, Drained
from sidelane.lanes.retire.looking import NO_MORE, Allowed, Retirement, look
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context
from sidelane.releases.stores import Options, Release, Stored, Target
from sidelane.releases.stores.ours import require
from sidelane.routes.leads import unrouted_since
from sidelane.support.concurrency import each_to_its_end


async def retire(
    context: Context,
    lane: Lane,
    *,
    release: str | None = None,
    min_age: str = "0s",
    drain: Drain,
    delete_claims: bool = False,
    timeout: str | None = None,
    allowed: Allowed = NO_MORE,
) -> Retirement:
    """Removes a lane, or one release of it. Claims of stateful sets stay, unless their deletion is requested.

    min_age and timeout are durations such as ``24h``: the least age of each release's last change, and Helm's timeout
    for each release. drain: the wait for open connections after a route last led there. allowed: exceptions that the
    caller allows. The next call continues a killed one.
    Raises StillHeld, without any change, with every reason; ReleaseNotFound when nothing is left to remove, requested
    claims included; NotOurs when Sidelane created none of the releases.
    """
    what, target = release or str(lane), context.target
    options = Options(wait=True, timeout=timeout, progress=context.progress)

    async def claims() -> tuple[str, ...]:
        if not delete_claims:
            return ()
        context.progress(f"deleting the claims of {what}")
        return await target.delete_claims(lane, release, options)

    try:
        plan = await look(target, lane, release=release, min_age=min_age, delete_claims=delete_claims, allowed=allowed)
    except ReleaseNotFound:
        # An earlier run that was killed, or did not request their deletion, has left the claims.
        if left := await claims():
            return Retirement(lane, (), claims=left, gone=True, release=release)
        raise
    if plan.held:
        raise StillHeld(
            f"{what} is not retired:\n  " + "\n  ".join(plan.held), held=plan.held, remedy="; ".join(plan.remedies)
        )
    stored = await target.stored_all(plan.releases)
    await target.require_rights(stored, claims=delete_claims)
    drained = await _remove(context, plan, drain, stored, options)
    # Pods that ended just now may have got claims a moment before.
    left = () if delete_claims else await target.claims(lane, release) or ()
    return replace(plan, claims=await claims(), kept_claims=left, gone=True, drained=drained)


async def _remove(
    context: Context, plan: Retirement, drain: Drain, stored: Sequence[Stored], options: Options
) -> Drained | None:
    """Removes the routes of a lane or a release, waits for open connections, and removes the rest level by level."""
    target, lane, release = context.target, plan.lane, plan.release
    known = {item.release.name: item for item in stored}
    since = await unrouted_since(target, lane=lane, release=release) if drain.limit else None
    rest = [name for name in plan.releases if name not in plan.routes]
    if plan.routes:
        context.progress(f"removing {_few(plan.routes)}")
        await each_to_its_end(target.uninstall(name, options, stored=known.get(name)) for name in plan.routes)
        since = datetime.now(UTC)
    if not rest:
        return None
    drained = await drain.wait(_removed(release or str(lane), rest, stored), since, context.progress)
    levels = await target.levels(lane)
    for level in sorted({levels.get(name, 0) for name in rest}, reverse=True):
        names = [name for name in rest if levels.get(name, 0) == level]
        context.progress(f"removing {_few(names)}")
        await each_to_its_end(target.uninstall(name, options, stored=known.get(name)) for name in names)
    return drained


def _removed(what: str, names: Sequence[str], stored: Sequence[Stored]) -> Removed:
    """Returns the Services of the releases with these names."""
    manifests = (item.manifest for item in stored if item.release.name in names)
    services = {obj.name for manifest in manifests for obj in manifest.objects if obj.kind == "Service"}
    return Removed(what, tuple(sorted(services)))


def _few(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{' …' if names[3:] else ''}"


async def uninstall(target: Target, name: str, options: Options, *, allowed: Allowed = NO_MORE) -> Release:
    """Removes one release, even if others need it. Raises ReleaseNotFound, NotOurs, and StillHeld when objects outside
    the namespace would be deleted.
    """
    stored = await target.stored(name)
    if name not in allowed.foreign:
        remedy = f"remove it with `helm uninstall {name}`, or add --foreign to remove it anyway"
        await require(target, stored, remedy=remedy)
    beyond = () if allowed.cluster_objects else (await target.beyond([stored])).get(name, ())
    if beyond:
        held = tuple(f"{line} would be deleted, and is outside the namespace" for line in beyond)
        raise StillHeld(
            f"{name} is not uninstalled:\n  " + "\n  ".join(held), held=held, remedy="add --delete-cluster-objects"
        )
    return await target.uninstall(name, options, stored=stored)
