"""Finish a release that failed, or a dead process left incomplete; or clear it, to create it again."""

from __future__ import annotations

import functools
from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING

from sidelane.errors import FieldsOwned, HelmError, ReleaseConflict, ReleaseExists
from sidelane.helm.running import Halt
from sidelane.manifest.fields import at
from sidelane.naming.labels import RELEASE_OF
from sidelane.releases.stores import Options, Release, Stored, leases, leftovers
from sidelane.releases.stores.answers import release_of

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget


async def finish(target: ClusterTarget, release: Release, options: Options) -> Release:
    """Restores the last deployed revision, or completes the release if there is none. Raises as ``Target.finish``.

    A rollback to the last deployed revision undoes an incomplete upgrade. If nothing was deployed yet, a rollback to
    the release's own revision creates its missing objects, and changes nothing else. Of two at a time one fails,
    because both create a revision with the same number.
    """
    async with leases.takeover(target, release), leases.working(target, release.name, options):
        history = await target.helm.history(release.name, namespace=target.namespace)
        deployed = [int(row["revision"]) for row in history if row["status"] == "deployed"]
        stored = await target.stored(release.name, revision=deployed[-1] if deployed else release.revision)
        await _require_own(target, stored)
        try:
            await _complete(target, stored, options, hopeless=not deployed and release.status == "failed")
        except ReleaseExists:
            raise leases.busy(release.name) from None
        except (HelmError, FieldsOwned):
            # Helm 3 does not roll back over an object that the upgrade had not deleted yet. Then the release is
            # marked as failed, and can be upgraded, which is enough.
            if not deployed or (await target.stored(release.name)).release.is_pending:
                raise
    return replace(release_of(await target.answer(release.name)), change="finished")


async def _complete(target: ClusterTarget, stored: Stored, options: Options, *, hopeless: bool) -> None:
    """Rolls back to the stored revision, and waits if the options request it. hopeless: it may never become ready."""
    name, revision = stored.release.name, stored.release.revision

    def rollback(_: Halt | None) -> Awaitable[None]:
        return roll_back(target, name, revision, options)

    if not options.waits:
        await rollback(None)
        return
    if hopeless:
        await target.waits.require_hope(stored, options)
    # A failed rollback undoes nothing.
    waited = options._replace(rollback_on_failure=False)
    await target.waits.over_helm(name, stored.manifest.objects, stored.values, waited, rollback, hooks="rollback")


async def roll_back(target: ClusterTarget, name: str, revision: int, options: Options) -> None:
    """Restores a revision. Replicas that others set become the release's again; other fields of theirs raise
    FieldsOwned.
    """
    rollback = functools.partial(
        target.helm.rollback, name, revision, namespace=target.namespace, wait=options.waits, timeout=options.timeout
    )
    try:
        await rollback()
    except FieldsOwned as owned:
        if any(field != ".spec.replicas" for field in owned.fields):
            raise
        await rollback(take_over=True)


async def clear(target: ClusterTarget, release: Release, options: Options) -> None:
    """Removes a release that ``finish`` would finish. Raises as that does."""
    async with leases.takeover(target, release), leases.working(target, release.name, options):
        # First, while the release still has the list to clear: a killed process can begin again.
        await leftovers.remove(target, await target.stored(release.name), options)
        await target.helm.uninstall(release.name, namespace=target.namespace, wait=True, timeout=options.timeout)


async def _require_own(target: ClusterTarget, stored: Stored) -> None:
    """Raises ReleaseConflict for a foreign object in a release, which a rollback would change anyway."""
    name = stored.release.name
    live = await target.live([obj for obj in stored.manifest.objects if not obj.is_hook])
    owners = {identity: at(body, "metadata", "annotations", RELEASE_OF) for identity, body in live.items()}
    if foreign := {identity: owner for identity, owner in owners.items() if owner != name}:
        lines = [
            f"{identity} belongs to {f'the release {owner}' if owner else 'no release'}"
            for identity, owner in foreign.items()
        ]
        raise ReleaseConflict(
            f"{name} was left {stored.release.status}, and is not finished:\n  " + "\n  ".join(lines),
            differences=tuple(lines),
            remedy=f"run `sidelane uninstall {name}`, remove the objects named above, then install it again",
        )
