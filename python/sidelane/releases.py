"""Releases: rendered, checked, and brought to a target.

Everything goes one way: chart, lane and values → held against the schema → rendered by Helm → read → checked →
recorded → installed → compared with what was checked. Rendering happens here and nowhere else.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sidelane.charts import Chart, coalesce
from sidelane.errors import (
    CheckFailed,
    InvalidLane,
    InvalidName,
    Refused,
    ReleaseConflict,
    ReleaseExists,
    ReleaseNotFound,
    TargetBusy,
)
from sidelane.lane import Lane
from sidelane.naming import parse_name, release_name
from sidelane.record import Record
from sidelane.rendering import Renderer, Rendering, inputs_digest, release_of
from sidelane.targets import Options, Release, Stored, Target
from sidelane.tasks import together
from sidelane.values import accepted

if TYPE_CHECKING:
    from sidelane.check import Report
    from sidelane.record.cluster import Facts
    from sidelane.record.origin import Origin

#: Told what is being done, one short line at a time.
Progress = Callable[[str], None]


def quiet(_: str) -> None:
    """The progress that is told to nobody."""


def checked(rendering: Rendering) -> Report:
    """The naming contract held against a rendering. Raises CheckFailed with every finding that is an error."""
    from sidelane.check import check  # noqa: PLC0415 - see rendering.py

    report = check(rendering.manifest, lane=rendering.lane)
    if not report.clean:
        findings = tuple(str(finding) for finding in report.findings if finding.severity == "error")
        raise CheckFailed(
            f"{rendering.chart.name} breaks the naming contract:\n  " + "\n  ".join(findings),
            findings=findings,
            remedy="fix the chart or its values",
        )
    return report


async def install(
    target: Target,
    renderer: Renderer,
    chart: Chart,
    lane: Lane,
    values: Mapping[str, Any],
    *,
    options: Options,
    rendered: Rendering | None = None,
    retry: bool = False,
    bundle: str = "",
    progress: Progress = quiet,
) -> Release:
    """Creates a lane's release of a chart; the same content again is ``unchanged``, or ``finished`` where a process
    that is gone left it half-made.

    rendered: what was rendered and checked before, to be installed. retry: finish what failed, too. bundle: the digest
    of the bundle that it is made again from. Raises ReleaseConflict when it is there with other content, naming what
    differs and the next free Build.
    """
    values = accepted(values, lane, chart)
    name = release_of(chart, lane, values)
    options = options._replace(inputs=inputs_digest(chart, name, values, 1), progress=progress)
    progress(f"rendering {chart.name} {chart.version} for {lane}")
    async with target.installing(name, chart, lane, options) as create:
        render = _ready(rendered) if rendered else renderer.render(chart, lane, values)
        rendering, origin, facts = await together(render, _origin(chart), target.facts())
        if rendered is None:
            checked(rendering)
        statement = await _statement(renderer, rendering, origin, facts, bundle=bundle, options=options)
        progress(f"installing {rendering.release}" + (" and waiting until it is ready" if options.waits else ""))
        try:
            return await create(rendering, statement)
        except ReleaseExists:
            progress(f"comparing with {rendering.release}, which is there")
            return await _same_or_refused(
                target, renderer, rendering, statement, options, retry=retry, progress=progress
            )


async def _ready(rendering: Rendering) -> Rendering:
    return rendering


async def _origin(chart: Chart) -> Origin:
    """Where this process works, and where the chart lies when somebody keeps it in git too."""
    from sidelane.record import origin  # noqa: PLC0415 - Helm is started first

    folder = chart.path if chart.path.is_dir() else chart.path.parent
    # As it was named, and not as it is resolved: the folder that this process works in may be gone.
    return await origin.of([Path(), *([] if chart.travels else [folder])])


async def _statement(
    renderer: Renderer, rendering: Rendering, origin: Origin, facts: Facts | None, *, bundle: str, options: Options
) -> str:
    from sidelane.record import statement  # noqa: PLC0415 - see rendering.py

    return statement.make(
        rendering,
        namespace=facts.namespace if facts else renderer.namespace or "default",
        origin=origin,
        tools=statement.Tools(helm=str(await renderer.helm.version())),
        facts=facts,
        bundle=bundle,
        needs=options.needs,
        level=options.level,
    )


async def _same_or_refused(
    target: Target,
    renderer: Renderer,
    rendering: Rendering,
    statement: str,
    options: Options,
    *,
    retry: bool,
    progress: Progress,
) -> Release:
    stored = await target.stored(rendering.release)
    differences = stored.differences(rendering)
    status = stored.release.status
    if not differences and status == "deployed":
        await ready(target, stored, options)
        return _with_chart(stored.release, rendering, "unchanged")
    if not differences and ((retry and status == "failed") or await target.abandoned([stored.release])):
        progress(f"finishing {rendering.release}, which was left {status}")
        release = await _finished(target, renderer, stored, rendering, statement=statement, options=options)
        return _with_chart(release, rendering, "finished")
    if not differences and stored.release.is_pending:
        raise TargetBusy(
            f"another process is working on {rendering.release}, or was until a short time ago",
            remedy="try again when it has ended",
        )
    if not differences:
        raise ReleaseConflict(
            f"the release {rendering.release} is there with this content, and its status is {status}",
            remedy=f"if no other process works on it, `sidelane uninstall {rendering.release}` and install it again",
        )
    where = await next_free(target, rendering.release, rendering.lane)
    raise ReleaseConflict(
        f"the release {rendering.release} is there with other content:\n  " + "\n  ".join(differences),
        differences=differences,
        remedy=f"a deployed lane is never changed: install it as {where}",
    )


async def _finished(
    target: Target, renderer: Renderer, stored: Stored, rendering: Rendering, *, statement: str, options: Options
) -> Release:
    """What was left half-made, whole. Hooks of an installation run when it is installed and at no other time, so what
    has some is made again from the beginning.
    """
    if stored.release.revision > 1:
        return await upgrade(target, renderer, rendering.chart, rendering.lane, rendering.values, options=options)
    if not any("-install" in str(one.annotations.get("helm.sh/hook")) for one in stored.manifest.objects):
        return await target.finish(stored.release, options)
    await target.clear(stored.release, options)
    async with target.installing(rendering.release, rendering.chart, rendering.lane, options) as create:
        return await create(rendering, statement)


def _with_chart(release: Release, rendering: Rendering, change: str) -> Release:
    """The release with its chart's name, which Helm's status leaves out."""
    chart = rendering.chart
    return dataclasses.replace(
        release, chart=f"{chart.name}-{chart.version}", app_version=chart.app_version, change=change
    )


async def next_free(target: Target, release: str, lane: Lane) -> str:
    """Where a change of a release may go, in words: ``coco-2, the next free Build``."""
    subject = release.removesuffix(f"-{lane}")
    there = filter(None, (parse_name(release.name) for release in await target.releases()))
    taken = [int(other.build) for name, other in there if (name, other.version) == (subject, lane.version)]
    try:
        return f"{Lane(lane.version, max([*taken, int(lane.build)]) + 1)}, the next free Build"
    except InvalidLane:
        return "a new Version: this one has no higher Build"


async def upgrade(
    target: Target,
    renderer: Renderer,
    chart: Chart,
    lane: Lane,
    values: Mapping[str, Any],
    *,
    reuse_values: bool = False,
    options: Options,
    progress: Progress = quiet,
) -> Release:
    """Changes the operational values of a release, and nothing else; values that change nothing are ``unchanged``.

    The values are the whole of the user's, as with Helm; ``reuse_values`` lays them over those of the release.
    Raises ReleaseConflict, naming each value or field that may not change.
    """
    name = release_of(chart, lane, values)
    options = options._replace(progress=progress)
    stored = await target.stored(name)
    if stored.release.status == "failed" or await target.abandoned([stored.release]):
        progress(f"finishing {name}, which was left {stored.release.status}")
        await target.finish(stored.release, options)
        stored = await target.stored(name)
    if reuse_values:
        values = coalesce(stored.values, values)
    values = accepted(values, lane, chart)
    progress(f"rendering {chart.name} {chart.version} for {lane}, as it is and as it would be")
    before, after = await together(renderer.render(chart, lane, stored.values), renderer.render(chart, lane, values))
    guard(chart, stored, before, after)
    if not stored.differences(after) and stored.release.status == "deployed":
        await ready(target, stored, options)
        return _with_chart(stored.release, after, "unchanged")
    checked(after)
    progress(f"upgrading {name}" + (" and waiting until it is ready" if options.waits else ""))
    inputs = inputs_digest(chart, name, values, stored.release.revision + 1)
    record = stored.record or await target.record(name)
    return await target.upgrade(after, record, options._replace(inputs=inputs))


def guard(chart: Chart, stored: Stored, before: Rendering, after: Rendering) -> None:
    """Refuses all but operational values: of the chart, it must still render what is deployed; of the values, the rest
    must be what it was. Raises ReleaseConflict.
    """
    name = stored.release.name
    remedy = "install the change in a lane of its own: the next free Build"
    if changed := stored.differences(before):
        raise ReleaseConflict(
            f"the chart {chart.name} {chart.version} is not the one that {name} was deployed with:\n  "
            + "\n  ".join(changed),
            differences=changed,
            remedy=remedy,
        )
    old, new = coalesce(chart.defaults, before.values), coalesce(chart.defaults, after.values)
    if refused := tuple(_changed(old, new, chart.operational_values)):
        may = ", ".join(sorted(chart.operational_values)) or "none"
        raise ReleaseConflict(
            f"{name} is deployed, and these values can't change: {', '.join(refused)} (operational values: {may})",
            differences=refused,
            remedy=remedy,
        )


async def ready(target: Target, stored: Stored, options: Options) -> None:
    """Waits for a release that is installed already, if the options say so. Raises TimedOut, NotReady."""
    if options.waits:
        await target.ready([stored], stored.release.name, options)


async def record(target: Target, name: str) -> Record:
    """The record of a release. Raises ReleaseNotFound."""
    stored = await target.stored(name)
    text = stored.record or await target.record(name)
    if text is None:
        raise ReleaseNotFound(
            f"the release {name} has no record", remedy="plain Helm leaves none; Sidelane makes it with the release"
        )
    return Record.read(text)


def _changed(old: Any, new: Any, may: frozenset[str], path: str = "") -> Iterator[str]:
    """Every value that differs and may not, by its path, down to what is no mapping."""
    if path in may:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _changed(old.get(key), new.get(key), may, f"{path}.{key}" if path else key)
    elif _written(old) != _written(new):
        yield path


def _written(value: Any) -> str:
    """JSON in which 1 and true differ, as they do in a manifest, and in Python do not."""
    return json.dumps(value, sort_keys=True)


def named(name: str, lane: Lane | None) -> str:
    """The release that is meant: a release's own name, or a chart's name and the lane. Raises InvalidName, Refused."""
    parsed = parse_name(name)
    if parsed is None and lane is None:
        raise InvalidName(
            f"{name!r} does not end in a lane",
            remedy="name the whole release, or the lane with --lane or SIDELANE_LANE",
        )
    if parsed is None:
        return release_name(name, cast("Lane", lane))
    if lane not in (None, parsed[1]):
        raise Refused(
            f"{name!r} is of lane {parsed[1]}, and the lane asked for is {lane}", remedy="leave one of them out"
        )
    return name
