"""Create and upgrade a release on a cluster, with its record."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sidelane.charts.chart import Chart
from sidelane.charts.rendering import Rendering
from sidelane.errors import ClusterDenied, NotWhatWasChecked, ReleaseExists
from sidelane.helm.flags import Flags
from sidelane.helm.running import Halt
from sidelane.naming.labels import GUARD, LANE
from sidelane.naming.lane import Lane
from sidelane.releases.basis import Basis
from sidelane.releases.provenance import Record, carried
from sidelane.releases.stores import Create, MakeRecord, Options, Release, Stored, leases
from sidelane.releases.stores.answers import parts_of, release_of
from sidelane.releases.stores.recording import Install

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget

T = TypeVar("T")


@asynccontextmanager
async def installing(
    target: ClusterTarget, name: str, chart: Chart, lane: Lane, options: Options, basis: Basis
) -> AsyncIterator[Create]:
    """Starts a Helm, which waits for its values; the block gets the function that creates the release with it."""
    with carried.carrying(chart) as carrier:
        async with _naming_rights(target, options), leases.working(target, name, options, basis) as labels:
            begun = functools.partial(
                target.helm.installing,
                name,
                carrier.path,
                namespace=target.namespace,
                create_namespace=options.create_namespace,
                # The lane, so that users of plain Helm find its releases with `helm list --selector`.
                flags=Flags({**labels, LANE: str(lane)}, wait=options.waits, timeout=options.timeout),
            )
            async with begun() as install:

                async def create(rendering: Rendering, record: MakeRecord | None) -> Release:
                    write = functools.partial(carrier.write, name, str(lane))

                    async def made(install: Install) -> Mapping[str, Any]:
                        work = functools.partial(install, rendering.values)
                        return await _waited(target, rendering, options, "install", work)

                    async with _undoing(target, name, options):
                        answer = await target.recording.made(
                            name, record, write=write, make=made, install=install, begun=begun
                        )
                    return _warned(answer, as_checked(answer, rendering, "created"))

                yield create


async def upgrade(
    target: ClusterTarget,
    rendering: Rendering,
    record: str | None,
    options: Options,
    *,
    basis: Basis,
    take_over: bool,
) -> Release:
    """Replaces the release of the rendering's name. Raises as ``Target.upgrade`` does."""
    name = rendering.release
    with carried.carrying(rendering.chart) as carrier:
        if record is not None:
            present = (await target.stored(name)).record_data if carried.is_large(record) else None
            carrier.write(name, str(rendering.lane), record, present)
        async with leases.working(target, name, options, basis) as labels, _undoing(target, name, options):
            answer = await _waited(
                target,
                rendering,
                options,
                "upgrade",
                lambda halt: target.helm.upgrade(
                    name,
                    carrier.path,
                    rendering.values,
                    namespace=target.namespace,
                    flags=Flags(labels, wait=options.waits, timeout=options.timeout),
                    over="owners" if take_over else "",
                    halt=halt,
                ),
            )
    return as_checked(answer, rendering, "upgraded")


def as_checked(answer: Mapping[str, Any], rendering: Rendering, change: str) -> Release:
    """Returns the release that Helm reports. Raises NotWhatWasChecked if its content is not the checked rendering's."""
    release = release_of(answer, change=change)
    stored = Stored(release, {}, *parts_of(answer))
    if differences := stored.differences(rendering, just_made=True):
        raise NotWhatWasChecked(
            f"Helm installed {release.name} with other content than was checked:\n  " + "\n  ".join(differences),
            remedy=f"{', '.join(stored.sources(rendering))} renders differently each time, by randAlphaNum, now or "
            f"the like; `sidelane uninstall {release.name}`, and fix the chart",
        )
    return release


def _warned(answer: Mapping[str, Any], release: Release) -> Release:
    """Adds a warning if the guard does not refuse changes in the namespace, whose labels are in the record."""
    text = parts_of(answer).statement
    labels = Record.read(text).namespace_labels if text else None
    if labels is None or labels.get(GUARD) == "deny":
        return release
    warning = (
        f"the namespace {release.namespace} has no label {GUARD}=deny, so everyone with write access can change the "
        f"lane; see `sidelane guard status -n {release.namespace}`"
    )
    return dataclasses.replace(release, warnings=(warning,))


@asynccontextmanager
async def _naming_rights(target: ClusterTarget, options: Options) -> AsyncIterator[None]:
    """After ClusterDenied, first reports a missing permission to create the namespace."""
    try:
        yield
    except ClusterDenied:
        if options.create_namespace:
            from sidelane.releases.stores.rights import require_namespaces  # noqa: PLC0415 - few need it

            await require_namespaces(target.helm)
        raise


async def _waited(
    target: ClusterTarget,
    rendering: Rendering,
    options: Options,
    verb: str,
    work: Callable[[Halt | None], Awaitable[T]],
) -> T:
    """Runs the work, a call of Helm, and shows progress while Helm waits."""
    objects = rendering.manifest.objects
    # Helm waits for hooks also without --wait.
    if not options.waits and not any(f"-{verb}" in str(obj.annotations.get("helm.sh/hook")) for obj in objects):
        return await work(None)
    return await target.waits.over_helm(rendering.release, objects, rendering.values, options, work, hooks=verb)


@asynccontextmanager
async def _undoing(target: ClusterTarget, name: str, options: Options) -> AsyncIterator[None]:
    """Undoes the changes of the block's Helm when the block fails, if the options request it. Helm's own rollback
    would leave nothing to read the reasons from.
    """
    try:
        yield
    except ReleaseExists:
        raise  # another process owns it
    except BaseException as error:  # also a signal
        if options.rollback_on_failure:
            from sidelane.releases.stores import undo  # noqa: PLC0415 - few need it

            await undo.undo(target, name, error, options)
        raise
