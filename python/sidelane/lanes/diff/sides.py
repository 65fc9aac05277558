"""The sides of a comparison: a lane, a release or a file, recognized by the form of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sidelane.charts import sources
from sidelane.errors import InvalidLane, InvalidName
from sidelane.lanes import deployment
from sidelane.lanes.deployment import Deployment
from sidelane.lanes.diff.comparing import Comparison, Side, compare, of_cluster
from sidelane.manifest import Manifest
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane
from sidelane.naming.route import known_of
from sidelane.releases import verify
from sidelane.releases.context import Context
from sidelane.releases.stores import Target
from sidelane.support.concurrency import some_at_a_time, together

if TYPE_CHECKING:
    from sidelane.lanes.bundle.archives import Bundle

_BUNDLES: Final = (".tar.gz", ".tgz")
_FILES: Final = (".yaml", ".yml", *_BUNDLES)


async def diff(context: Context, a: str, b: str | None = None, *, namespace: str | None = None) -> Comparison:
    """Compares two lanes, releases or files; without ``b`` a lane or a release with the cluster.

    namespace: replaces the file's, also for a lane or release that is compared with the file. Raises InvalidName for
    any other reference, ReleaseNotFound, and as reading and rendering a file do.
    """
    if b is None:
        return of_cluster(a, await verify.releases(context.target, await names(context.target, a)))
    files = [opened(each) for each in (a, b)]
    beside = namespace or next((file.namespace for file in files if file and file.namespace), None)
    left, right = (
        _side(context.in_namespace(namespace or (file.namespace if file else beside)), each, file)
        for each, file in zip((a, b), files, strict=True)
    )
    return compare(*await together(left, right))


async def _side(context: Context, reference: str, file: Deployment | Bundle | None) -> Side:
    """Returns one side of a comparison: a lane or a release, or an opened file."""
    with context.advising():
        if file is None:
            return await _of_releases(context.target, reference)
        if isinstance(file, Deployment):
            return await _of_deployment(context, reference, file)
        return _of_bundle(reference, file)


def is_file(reference: str) -> bool:
    """Tells whether this names a file: lanes and releases have no slash and no such ending."""
    return "/" in reference or reference.endswith(_FILES)


def opened(reference: str) -> Deployment | Bundle | None:
    """Opens the named deployment file or bundle; returns None for a lane or a release. Raises as reading does."""
    if not is_file(reference):
        return None
    if not reference.endswith(_BUNDLES):
        return deployment.read(reference)
    from sidelane.lanes.bundle import archives  # noqa: PLC0415 - other sides do not need it

    return archives.read(reference)


async def names(target: Target, reference: str) -> list[str]:
    """Returns the releases of a lane, or the release of this name. Raises InvalidName, ReleaseNotFound."""
    return await verify.names(target, _lane(reference) or reference)


async def _of_releases(target: Target, reference: str) -> Side:
    """Returns a lane, or one release, from its target."""
    wanted = await names(target, reference)
    stored = await target.stored_all(wanted)
    lane = _lane(reference)
    if lane is not None:
        return Side(
            reference, lane, {_subject(each.release.name, lane, each.manifest): each.manifest for each in stored}
        )
    # Two single releases are compared whatever their names.
    parsed = parse_name(reference)
    assert parsed is not None  # noqa: S101 - names() took it for a release
    return Side(reference, parsed[1], {"": stored[0].manifest})


async def _of_deployment(context: Context, label: str, file: Deployment) -> Side:
    """Returns the releases and routes of a deployment file, rendered."""
    async with deployment.charts_of(context, file) as charts:
        made = [(part.chart, part.values) for part in deployment.parts(file, charts)]
        made += deployment.routes(file, sources.find("route"))
        rendered = await some_at_a_time(
            context.renderer(chart).render(chart, file.lane, values) for chart, values in made
        )
    return Side(label, file.lane, {_subject(each.release, file.lane, each.manifest): each.manifest
                                   for each in rendered})  # fmt: skip


def _of_bundle(label: str, opened: Bundle) -> Side:
    """Returns the releases of a bundle, as deployed."""
    return Side(label, opened.lane, {_subject(release.name, opened.lane, release.manifest): release.manifest
                                     for release in opened.releases})  # fmt: skip


def _subject(release: str, lane: Lane, manifest: Manifest) -> str:
    """Returns a release's name without the lane; for a route the naming contract's, whatever plain Helm called it."""
    route = known_of(obj.labels for obj in manifest.objects)
    return f"route-{route.service}" if route and route.lane == lane else release.removesuffix(f"-{lane}")


def _lane(reference: str) -> Lane | None:
    """Returns the lane, None for a release's name. Raises InvalidName for anything else."""
    try:
        return Lane.parse(reference)
    except InvalidLane:
        if parse_name(reference) is None:
            raise InvalidName(
                f"{reference!r} is not a lane, a release or a file",
                remedy="write it such as coco-1, zookeeper-coco-1, lane.yaml or lane.tar.gz",
            ) from None
        return None
