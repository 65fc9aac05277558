"""What can be compared: a lane, a release or a file, found by how it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from sidelane.charts import Chart
from sidelane.deployment import Part
from sidelane.diff import Side
from sidelane.errors import InvalidLane, InvalidName
from sidelane.lane import Lane
from sidelane.naming import parse_name
from sidelane.rendering import Renderer, Rendering
from sidelane.targets import Stored, Target, no_release

_BUNDLES: Final = (".tar.gz", ".tgz")
_FILES: Final = (".yaml", ".yml", *_BUNDLES)
#: How many Helms run at a time.
_AT_ONCE: Final = 4


def is_file(reference: str) -> bool:
    """Whether this names a file: neither a lane nor a release has a slash or such an ending."""
    return "/" in reference or reference.endswith(_FILES)


def is_bundle(reference: str) -> bool:
    return reference.endswith(_BUNDLES)


async def names(target: Target, reference: str) -> list[str]:
    """The releases that a lane or a release's own name means. Raises InvalidName, ReleaseNotFound."""
    lane = _lane(reference)
    if lane is None:
        return [reference]
    found = [release.name for release in await target.releases() if release.lane == lane]
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
        return Side(reference, lane, {_subject(each.release.name, lane): each.manifest for each in kept})
    # One release against another is compared whatever the two are called.
    parsed = parse_name(reference)
    assert parsed is not None  # noqa: S101 - names() took it for a release
    return Side(reference, parsed[1], {"": kept[0].manifest})


async def of_parts(label: str, lane: Lane, parts: Sequence[Part], renderer: Callable[[Chart], Renderer]) -> Side:
    """The releases of a deployment file, as they would be made."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(part: Part) -> Rendering:
        async with limit:
            return await renderer(part.chart).render(part.chart, lane, part.values)

    made = await asyncio.gather(*(one(part) for part in parts))
    return Side(label, lane, {_subject(each.release, lane): each.manifest for each in made})


def of_bundle(path: str) -> Side:
    """The releases of a bundle, as they were deployed."""
    from sidelane import bundle  # noqa: PLC0415 - other sides need none of it

    opened = bundle.read(path)
    return Side(path, opened.lane, {_subject(one.name, opened.lane): one.manifest for one in opened.releases})


def _subject(release: str, lane: Lane) -> str:
    return release.removesuffix(f"-{lane}")


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
