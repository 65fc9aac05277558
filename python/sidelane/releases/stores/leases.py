"""The leases of a cluster's releases: only one process works on a release (see holding.py)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sidelane.errors import ReleaseExists, TargetBusy, TimedOut
from sidelane.helm.durations import seconds
from sidelane.naming.labels import DEADLINE, HOLDER, INPUTS, LEVEL, NEEDS
from sidelane.releases.basis import NOTHING, Basis
from sidelane.releases.stores import Options, Release
from sidelane.releases.stores.answers import release_of
from sidelane.releases.stores.holding import dead_holders, holder, taking_over

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget


@asynccontextmanager
async def working(
    target: ClusterTarget, name: str, options: Options, basis: Basis = NOTHING
) -> AsyncIterator[dict[str, str]]:
    """Yields the labels for a release that the block changes, and stops the block's Helm at their deadline."""
    # Helm's timeout applies to each of its steps: hooks before, objects, hooks after.
    limit = 3 * seconds(options.timeout or "5m") + 60
    if (lock := holder().lock) is not None:
        target.helm.keeps = (lock,)
    labels = holder().labels(limit)
    labels |= {INPUTS: basis.inputs} if basis.inputs else {}
    labels |= {LEVEL: str(basis.level)} if basis.level else {}
    labels |= {f"{NEEDS}{needed}": "" for needed in basis.needs}
    try:
        async with asyncio.timeout(limit):
            yield labels
    except ReleaseExists:
        raise  # nothing was started
    except TimeoutError:
        holder().leaves_work = True
        raise TimedOut(
            f"Helm did not end within {limit:.0f} seconds",
            remedy=f"see `sidelane status {name}`, or allow more time with --timeout",
        ) from None
    except BaseException:
        holder().leaves_work = True
        raise


@asynccontextmanager
async def takeover(target: ClusterTarget, release: Release) -> AsyncIterator[None]:
    """Locks an idle release on this machine. Raises TargetBusy when another process works on it."""
    try:
        with taking_over(f"{release.namespace}-{release.name}"):
            now = release_of(await target.answer(release.name))
            changed = (now.revision, now.status) != (release.revision, release.status)
            if changed or (now.is_pending and not await abandoned(target, [now])):
                raise busy(release.name)
            yield
    except BlockingIOError:
        raise busy(release.name) from None


async def abandoned(target: ClusterTarget, releases: Iterable[Release]) -> frozenset[str]:
    """Returns the names of those of these releases that a dead process left incomplete."""
    pending = {release.name for release in releases if release.is_pending}
    if not pending:
        return frozenset()
    dead = dead_holders()
    selectors = [f"{DEADLINE}<{int(time.time())}"]
    selectors += [f"{HOLDER} in ({','.join(dead)})"] if dead else []
    return (await target.labelled(*selectors)).intersection(pending)


def busy(name: str) -> TargetBusy:
    """Returns the error for a release on which another process works."""
    return TargetBusy(f"another process is working on {name}", remedy="try again when it has ended")
