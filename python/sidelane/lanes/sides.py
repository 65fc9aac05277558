"""What can be compared: a lane, a release or a file, found by how it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sidelane.charts.rendering import Renderer, Rendering
from sidelane.charts.sources import Chart
from sidelane.errors import InvalidLane, InvalidName
from sidelane.lanes import deployment
from sidelane.lanes.deployment import Deployment
from sidelane.lanes.diff import Side
from sidelane.manifest import Manifest
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane
from sidelane.naming.route import known_of
from sidelane.releases.stores import Stored, Target, no_release
from sidelane.releases.stores.ours import of_lane

if TYPE_CHECKING:
    from sidelane.lanes.bundle.archives import Bundle

_BUNDLES: Final = (".tar.gz", ".tgz")
_FILES: Final = (".yaml", ".yml", *_BUNDLES)
#: How many Helms run at a time.
_AT_ONCE: Final = 4


def is_file(reference: str) -> bool:
    """Whether this names a file: neither a lane nor a release has a slash or such an ending."""
    return "/" in reference or reference.endswith(_FILES)


def opened(reference: str) -> Deployment | Bundle | None:
    """Returns the deployment file or bundle that is named, None for a lane or a release. Raises what reading raises."""
    if not is_file(reference):
        return None
    if not reference.endswith(_BUNDLES):
        return deployment.read(reference)
    from sidelane.lanes.bundle import archives  # noqa: PLC0415 - other sides need none of it

    return archives.read(reference)


async def names(target: Target, reference: str) -> list[str]:
    """The releases that a lane or a release's own name means. Raises InvalidName, ReleaseNotFound."""
    lane = _lane(reference)
    if lane is None:
        return [reference]
    found = [release.name for release in await of_lane(target, lane)]
    if not found:
        raise await no_release(target, lane)
    return found


async def of_releases(target: Target, reference: str) -> Side:
    """A lane, or one release, as its target keeps it."""
    wanted = await names(target, reference)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> Stored:
        async with limit:
            return await target.stored(name)

    kept = await asyncio.gather(*(one(name) for name in wanted))
    lane = _lane(reference)
    if lane is not None:
        return Side(reference, lane, {_subject(each.release.name, lane, each.manifest): each.manifest for each in kept})
    # One release against another is compared whatever the two are called.
    parsed = parse_name(reference)
    assert parsed is not None  # noqa: S101 - names() took it for a release
    return Side(reference, parsed[1], {"": kept[0].manifest})


async def of_charts(
    label: str,
    lane: Lane,
    made: Sequence[tuple[Chart, Mapping[str, Any]]],
    renderer: Callable[[Chart], Renderer],
) -> Side:
    """The releases and routes of a deployment file, as they would be made."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(chart: Chart, values: Mapping[str, Any]) -> Rendering:
        async with limit:
            return await renderer(chart).render(chart, lane, values)

    found = await asyncio.gather(*(one(*each) for each in made))
    return Side(label, lane, {_subject(each.release, lane, each.manifest): each.manifest for each in found})


def of_bundle(label: str, opened: Bundle) -> Side:
    """The releases of a bundle, as they were deployed."""
    return Side(label, opened.lane, {_subject(one.name, opened.lane, one.manifest): one.manifest
                                     for one in opened.releases})  # fmt: skip


def _subject(release: str, lane: Lane, manifest: Manifest) -> str:
    """A release's name without the lane; of a route the naming contract's, whatever plain Helm called it."""
    route = known_of(obj.labels for obj in manifest.objects)
    return f"route-{route.service}" if route and route.lane == lane else release.removesuffix(f"-{lane}")


def _lane(reference: str) -> Lane | None:
    """The lane that this is, None for a release's name. Raises InvalidName for what is neither."""
    try:
        return Lane.parse(reference)
    except InvalidLane:
        if parse_name(reference) is None:
            raise InvalidName(
                f"{reference!r} is no lane, no release and no file",
                remedy="write it such as coco-1, zookeeper-coco-1, lane.yaml or lane.tar.gz",
            ) from None
        return None
