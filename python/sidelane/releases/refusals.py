"""The refusals of an installation or upgrade, each with the command to use instead."""

from __future__ import annotations

from collections.abc import Iterable

from sidelane.errors import InvalidLane, ReleaseConflict, TargetBusy
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane
from sidelane.releases import pasted
from sidelane.releases.comparing import Comparison
from sidelane.releases.stores import Release, Target


def elsewhere(release: str) -> str:
    """Returns the remedy for a name that a foreign release has."""
    return f"install into another lane or namespace, or if it is not needed, `helm uninstall {release}`"


def stuck(release: Release) -> TargetBusy | ReleaseConflict:
    """Returns the error for a release that can neither stay nor be finished."""
    name = release.name
    if release.is_pending:
        return TargetBusy(
            f"another process is working on {name}, or was until a short time ago",
            remedy="try again when it has ended",
        )
    if release.status == "uninstalling":
        # Some of its objects are gone, and Helm has no operation that creates them again.
        return ReleaseConflict(
            f"the uninstall of {name} is incomplete: its status is {release.status}",
            remedy=f"if no other process uninstalls it, run `sidelane uninstall {name}`, then install it again",
        )
    return ReleaseConflict(
        f"the release {name} has this content, and its status is {release.status}",
        remedy=f"if no other process works on it, run `sidelane uninstall {name}`, then install it again",
    )


async def differs(target: Target, comparison: Comparison) -> ReleaseConflict:
    """Returns install's error for an existing release with other content."""
    rendering, name = comparison.rendering, comparison.stored.release.name
    lines = "\n  ".join(comparison.differences)
    if comparison.answer == "operational":
        command = pasted.upgrade(rendering.chart, rendering.lane, rendering.values, comparison.values)
        return ReleaseConflict(
            f"the release {name} is deployed, and its operational values differ:\n  {lines}",
            differences=comparison.differences,
            remedy=f"install never changes a deployed release; `{command}` changes these values",
        )
    return await beside(
        target,
        comparison,
        ReleaseConflict(
            f"the release {name} exists with other content:\n  {lines}", differences=comparison.differences
        ),
    )


async def beside(target: Target, comparison: Comparison, refusal: ReleaseConflict) -> ReleaseConflict:
    """Returns the refusal with its remedy: the command that installs the same content as the next free Build."""
    rendering = comparison.rendering
    name = comparison.stored.release.name
    free = await next_free(target, [name], rendering.lane)
    command = pasted.install(rendering.chart, free, rendering.values) if free else None
    refusal.free, refusal.flags = "" if free is None else str(free), rendering.chart.held.flags
    refusal.remedy = pasted.beside(free, command, release=name)
    return refusal


async def next_free(target: Target, releases: Iterable[str], lane: Lane) -> Lane | None:
    """Returns the lane of the next Build in which none of these releases of a lane exists; None if the Version has no
    higher Build.
    """
    subjects = {name.removesuffix(f"-{lane}") for name in releases}
    there = filter(None, (parse_name(release.name) for release in await target.releases()))
    taken = [int(other.build) for name, other in there if name in subjects and other.version == lane.version]
    try:
        return Lane(lane.version, max([*taken, int(lane.build)]) + 1)
    except InvalidLane:
        return None
