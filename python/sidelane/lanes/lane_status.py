"""The present state of a lane, and waiting for installed releases: one, or all of a lane."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sidelane.errors import Refused
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context
from sidelane.releases.readiness import Readiness
from sidelane.releases.readiness.value import merged
from sidelane.releases.stores import Options, Release, Target
from sidelane.releases.stores.ours import required_of_lane
from sidelane.releases.verify import names


@dataclass(frozen=True)
class LaneStatus:
    """The releases of a lane, each with its present readiness."""

    lane: Lane
    releases: tuple[Release, ...]

    @property
    def readiness(self) -> Readiness | None:
        """The readiness of all releases together; None in a directory, where nothing runs."""
        parts = [release.readiness for release in self.releases if release.readiness is not None]
        return merged(parts) if parts else None

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the status."""
        known = {"readiness": self.readiness.to_json()} if self.readiness else {}
        return {"lane": str(self.lane), "releases": [release.to_json() for release in self.releases], **known}


async def status(target: Target, lane: Lane) -> LaneStatus:
    """Returns the status of a lane. Raises ReleaseNotFound when it has no release."""
    releases = await required_of_lane(target, lane)
    stored = await target.stored_all([release.name for release in releases])
    readiness = await target.readiness(stored)
    if readiness is not None:
        releases = [replace(release, readiness=its) for release, its in zip(releases, readiness, strict=True)]
    return LaneStatus(lane, tuple(releases))


async def wait(context: Context, which: Lane | str, timeout: str | None = None) -> Readiness:
    """Returns when a release, or every release of a lane, is ready. Raises TimedOut, NotReady, ReleaseNotFound, and
    Refused in a directory, where nothing runs.
    """
    target, options = context.target, Options(timeout=timeout, progress=context.progress)
    readiness = await target.ready(await target.stored_all(await names(target, which)), str(which), options)
    if readiness is None:
        raise Refused(
            f"{which} is in a directory, where nothing runs",
            remedy="wait on the cluster to which the directory is applied",
        )
    return readiness
