"""Releases: rendered, checked, and brought to a target.

Everything goes one way: chart, lane and values → held against the schema → rendered by Helm → read → checked →
recorded → installed → compared with what was checked. Rendering happens here and nowhere else.
"""

from __future__ import annotations

import dataclasses
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
)
from sidelane.lane import Lane
from sidelane.naming import parse_name, release_name
from sidelane.process import together
from sidelane.record import Record
from sidelane.rendering import Renderer, Rendering, release_of
from sidelane.targets import Options, Release, Stored, Target
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
            remedy="mend the chart or its values; see each with `sidelane check`",
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
    progress: Progress = quiet,
) -> Release:
    """Creates a lane's release of a chart; the same content again is ``unchanged``.

    Raises ReleaseConflict when it is there with other content, naming what differs and the next free Build.
    """
    values = accepted(values, lane, chart)
    progress(f"rendering {chart.name} {chart.version} for {lane}")
    async with target.installing(release_of(chart, lane, values), chart, lane, options) as create:
        rendering, origin, facts = await together(renderer.render(chart, lane, values), _origin(chart), target.facts())
        checked(rendering)
        statement = await _statement(renderer, rendering, origin, facts)
        progress(f"installing {rendering.release}" + (" and waiting until it is ready" if options.wait else ""))
        try:
            return await create(rendering, statement)
        except ReleaseExists:
            progress(f"comparing with {rendering.release}, which is there")
            return await _same_or_refused(target, rendering)


async def _origin(chart: Chart) -> Origin:
    """Where this process works, and where the chart lies when somebody keeps it in git too."""
    from sidelane.record import origin  # noqa: PLC0415 - Helm is started first

    folder = chart.path if chart.path.is_dir() else chart.path.parent
    return await origin.of([Path.cwd(), *([] if chart.travels else [folder])])


async def _statement(renderer: Renderer, rendering: Rendering, origin: Origin, facts: Facts | None) -> str:
    from sidelane.record import statement  # noqa: PLC0415 - see rendering.py

    return statement.make(
        rendering,
        namespace=facts.namespace if facts else renderer.namespace or "default",
        origin=origin,
        tools=statement.Tools(helm=str(await renderer.helm.version())),
        facts=facts,
    )


async def _same_or_refused(target: Target, rendering: Rendering) -> Release:
    stored = await target.stored(rendering.release)
    differences = stored.differences(rendering)
    status = stored.release.status
    if not differences and status == "deployed":
        return _unchanged(stored, rendering)
    if not differences:
        raise ReleaseConflict(
            f"the release {rendering.release} is there with this content, and its status is {status}",
            remedy=f"if no other process works on it, `sidelane uninstall {rendering.release}` and install it again",
        )
    where = await _next_free(target, rendering)
    raise ReleaseConflict(
        f"the release {rendering.release} is there with other content:\n  " + "\n  ".join(differences),
        differences=differences,
        remedy=f"a deployed lane is never changed: install it as {where}",
    )


def _unchanged(stored: Stored, rendering: Rendering) -> Release:
    chart = rendering.chart
    return dataclasses.replace(
        stored.release, chart=f"{chart.name}-{chart.version}", app_version=chart.app_version, change="unchanged"
    )


async def _next_free(target: Target, rendering: Rendering) -> str:
    lane, subject = rendering.lane, rendering.release.removesuffix(f"-{rendering.lane}")
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
    stored = await target.stored(name)
    if reuse_values:
        values = coalesce(stored.values, values)
    values = accepted(values, lane, chart)
    progress(f"rendering {chart.name} {chart.version} for {lane}, as it is and as it would be")
    before, after = await together(renderer.render(chart, lane, stored.values), renderer.render(chart, lane, values))
    _guard(chart, stored, before, after)
    if not stored.differences(after) and stored.release.status == "deployed":
        return _unchanged(stored, after)
    checked(after)
    progress(f"upgrading {name}")
    return await target.upgrade(after, stored.record or await target.record(name), options)


def _guard(chart: Chart, stored: Stored, before: Rendering, after: Rendering) -> None:
    """Refuses all but operational values: of the chart, it must still render what is deployed; of the values, the rest
    must be what it was.
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


async def record(target: Target, name: str) -> Record:
    """The record of a release. Raises ReleaseNotFound."""
    stored = await target.stored(name)
    text = stored.record or await target.record(name)
    if text is None:
        raise ReleaseNotFound(
            f"the release {name} has no record", remedy="plain Helm leaves none; Sidelane makes it with the release"
        )
    return Record.read(text)


def _changed(old: object, new: object, operational: frozenset[str], path: str = "") -> Iterator[str]:
    """The values that differ and may not, each by its path with dots."""
    if path in operational or old == new:
        return
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        yield path
        return
    for key in sorted({*old, *new}):
        yield from _changed(old.get(key), new.get(key), operational, f"{path}.{key}".lstrip("."))


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
