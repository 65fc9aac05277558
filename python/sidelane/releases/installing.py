"""Install, finish and upgrade releases.

Every release takes the same steps: chart, lane and values → validated against the schema → rendered by Helm → read →
checked → recorded → installed → compared with the checked content. All renderings for installation happen here.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.held import BY_CONTRACT
from sidelane.charts.rendering import Renderer, Rendering, inputs_digest, release_of
from sidelane.charts.sources import is_bundled
from sidelane.charts.values import accepted
from sidelane.errors import (
    CheckFailed,
    Refused,
    ReleaseExists,
)
from sidelane.naming.lane import Lane
from sidelane.releases.basis import NOTHING, Basis
from sidelane.releases.context import Context
from sidelane.releases.stores import MakeRecord, Options, Release, Stored, Target
from sidelane.support.concurrency import together

if TYPE_CHECKING:
    from sidelane.checks.findings import Report
    from sidelane.releases.comparing import Comparison
    from sidelane.releases.provenance.origin import Origin

#: The longest wait for another process that works on a release, in seconds.
PATIENCE: Final = 15.0


def checked(rendering: Rendering) -> Report:
    """Checks a rendering against its chart's conventions. Raises CheckFailed with every finding that is an error."""
    from sidelane.checks.engine import check  # noqa: PLC0415 - see charts/rendering.py
    from sidelane.releases import checking  # noqa: PLC0415

    own = checking.of_installation(rendering.chart)
    report = check(rendering.manifest, conventions=own, lane=rendering.lane, release=rendering.release)
    if not report.clean:
        findings = tuple(str(finding) for finding in report.findings if finding.severity == "error")
        raise CheckFailed(
            f"{rendering.chart.name} breaks {checking.words(own)}:\n  " + "\n  ".join(findings),
            findings=findings,
            remedy=checking.remedy(rendering.chart, own),
        )
    return report


async def install(
    context: Context,
    chart: Chart,
    lane: Lane,
    values: Mapping[str, Any],
    *,
    options: Options,
    basis: Basis = NOTHING,
    rendered: Rendering | None = None,
    keep: bool = True,
) -> Release:
    """Creates a lane's release of a chart; the same content again is ``unchanged``, or ``finished`` if a dead process
    left it incomplete.

    basis: stored with the release, besides its inputs. rendered: a rendering that is already checked. keep: operational
    values that are not given may differ in the release. Raises ReleaseConflict for a release with other content, with
    the differences, and the next free Build or the upgrade that changes it.
    """
    values = accepted(values, lane, chart)
    name = release_of(chart, lane, values)
    options = options._replace(progress=context.progress)
    basis = basis._replace(inputs=inputs_digest(chart, name, values, 1))
    context.progress(f"rendering {chart.name} {chart.version} for {lane}")
    renderer = context.renderer(chart)
    async with context.target.installing(name, chart, lane, options, basis) as create:
        render = _ready(rendered) if rendered else renderer.render(chart, lane, values)
        rendering, origin, namespace = await together(render, _origin(chart), context.target.chosen())
        if rendered is None:
            checked(rendering)
        if not renderer.upgrades:  # a directory; on a cluster Helm's result is compared with this rendering
            await _require_steady(renderer, rendering)
        record = await _record(renderer, rendering, origin, namespace, basis)
        context.progress(
            f"installing {rendering.release}" + (" and waiting until it is ready" if options.waits else "")
        )
        try:
            return await create(rendering, record)
        except ReleaseExists:
            context.progress(f"comparing with the existing {rendering.release}")
            return await _same_or_refused(context, rendering, record, options, basis, keep=keep)


async def _ready(rendering: Rendering) -> Rendering:
    return rendering


async def _require_steady(renderer: Renderer, rendering: Rendering) -> None:
    """Raises Refused for a chart that renders differently each time, because it would never be ``unchanged``."""
    if not rendering.chart.may_vary:
        return
    again = await renderer.render(rendering.chart, rendering.lane, rendering.values)
    objects = {(obj.identity, obj.canonical()) for obj in again.manifest.installed}
    odd = {obj.source for obj in rendering.manifest.installed if (obj.identity, obj.canonical()) not in objects}
    if odd:
        raise Refused(
            f"the chart {rendering.chart.name} renders differently each time: {', '.join(sorted(odd))}",
            remedy="set the value that it generates (by randAlphaNum, now …) in the values instead",
        )


async def _origin(chart: Chart) -> Origin:
    """Returns the origin of the process's folder, and of the chart's folder if that is in git too."""
    from sidelane.releases.provenance import origin  # noqa: PLC0415 - Helm is started first

    folder = chart.path if chart.path.is_dir() else chart.path.parent
    # The path is not resolved, because the working folder of this process may be gone.
    return await origin.of([Path(), *([] if chart.travels else [folder])])


async def _record(renderer: Renderer, rendering: Rendering, origin: Origin, namespace: str, basis: Basis) -> MakeRecord:
    from sidelane.releases.provenance import statement  # noqa: PLC0415 - see charts/rendering.py

    tools = statement.Tools(helm=str(await renderer.helm.version()))
    return lambda facts: statement.make(
        rendering,
        namespace=namespace,
        origin=origin,
        tools=tools,
        facts=facts,
        basis=basis,
    )


async def _same_or_refused(
    context: Context, rendering: Rendering, record: MakeRecord, options: Options, basis: Basis, *, keep: bool
) -> Release:
    target, renderer = context.target, context.renderer(rendering.chart)
    stored = await _settled(context, rendering.release)
    release = stored.release
    from sidelane.releases import comparing, refusals  # noqa: PLC0415 - a new release does not need them

    if release.status == "uninstalling":
        raise refusals.stuck(release)
    comparison = await comparing.compare(
        renderer, stored, rendering.chart, rendering.lane, rendering.values, rendered=rendering, keep=keep
    )
    if comparison.answer != "same" or release.status != "deployed":
        await _require_ours(target, stored, remedy=refusals.elsewhere(release.name))
    if comparison.answer != "same":
        raise await refusals.differs(target, comparison)
    if release.status == "deployed":
        await ready(target, stored, options)
        unchanged = _with_chart(release, comparison, "unchanged")
        return unchanged if context.is_directory else await _with_drift(context, stored, unchanged)
    if release.status == "failed" or await target.abandoned([release]):
        context.progress(f"finishing {release.name}, which was left {release.status}")
        finished = await _finished(context, stored, rendering, record, options=options, basis=basis)
        return _with_chart(finished, comparison, "finished")
    raise refusals.stuck(release)


async def _with_drift(context: Context, stored: Stored, release: Release) -> Release:
    from sidelane.releases import verify  # noqa: PLC0415 - a new release does not need it

    return dataclasses.replace(release, drift=await verify.odd(context, stored))


async def _settled(context: Context, name: str) -> Stored:
    """Returns the release when no process works on it, or after the longest wait: a killed installation leaves a Helm
    that ends a little later.
    """
    until = time.monotonic() + PATIENCE
    while True:
        stored = await context.target.stored(name)
        busy = stored.release.is_pending and not await context.target.abandoned([stored.release])
        if not busy or time.monotonic() > until:
            return stored
        context.progress(f"waiting for another process that works on {name}")
        await asyncio.sleep(0.5)


async def _require_ours(target: Target, stored: Stored, *, remedy: str) -> None:
    from sidelane.releases.stores import ours  # noqa: PLC0415 - Helm is started first

    await ours.require(target, stored, remedy=remedy)


async def _finished(
    context: Context, stored: Stored, rendering: Rendering, record: MakeRecord, *, options: Options, basis: Basis
) -> Release:
    """Finishes an incomplete release. Install hooks run only during an installation, so a release that has some is
    installed again from the beginning.
    """
    if stored.release.revision > 1:
        return await upgrade(
            context, rendering.chart, rendering.lane, rendering.values, keep=True, options=options, basis=basis
        )
    if not any("-install" in str(obj.annotations.get("helm.sh/hook")) for obj in stored.manifest.objects):
        return await context.target.finish(stored.release, options)
    await context.target.clear(stored.release, options)
    async with context.target.installing(rendering.release, rendering.chart, rendering.lane, options, basis) as create:
        return await create(rendering, record)


def _with_chart(release: Release, comparison: Comparison, change: str) -> Release:
    """Returns the release with its chart's name, which Helm's status leaves out, and with the kept values."""
    chart = comparison.rendering.chart
    return dataclasses.replace(
        release, chart=str(chart.ref), app_version=chart.app_version, change=change, kept_values=comparison.kept_values
    )


async def upgrade(
    context: Context,
    chart: Chart,
    lane: Lane,
    values: Mapping[str, Any],
    *,
    reuse_values: bool = False,
    keep: bool = False,
    options: Options,
    basis: Basis = NOTHING,
) -> Release:
    """Changes only the operational values of a release; values that change nothing are ``unchanged``.

    The values replace all earlier ones, as with Helm; ``reuse_values`` merges them over those of the release, and
    ``keep`` keeps the release's operational ones that are not given. Raises ReleaseConflict with each value or field
    that must not change.
    """
    name = release_of(chart, lane, values)
    options = options._replace(progress=context.progress)
    stored = await _whole(context, name, options)
    if chart.held == BY_CONTRACT and not is_bundled(chart):
        from sidelane.releases import checking  # noqa: PLC0415 - the charts of Sidelane do not need it

        chart = checking.as_recorded(chart, stored.record or await context.target.record(name))
    if reuse_values:
        values = coalesce(stored.values, values)
    values, renderer = accepted(values, lane, chart), context.renderer(chart)
    if not renderer.upgrades and chart.may_vary:  # a directory; on a cluster Helm's result is compared
        await _require_steady(renderer, await renderer.render(chart, lane, values))
    context.progress(f"rendering {chart.name} {chart.version} for {lane}, before and after the upgrade")
    from sidelane.releases import comparing  # noqa: PLC0415 - an installation does not need it

    comparison = await comparing.compare(renderer, stored, chart, lane, values, keep=keep)
    if refusal := comparison.refusal():
        from sidelane.releases import refusals  # noqa: PLC0415 - a successful upgrade does not need it

        raise await refusals.beside(context.target, comparison, refusal)
    if comparison.answer == "same" and stored.release.status == "deployed":
        await ready(context.target, stored, options)
        return _with_chart(stored.release, comparison, "unchanged")
    return await _upgraded(context, comparison, options, basis)


async def _whole(context: Context, name: str, options: Options) -> Stored:
    """Returns a stored release of Sidelane's, after finishing a failed or incomplete one."""
    stored = await context.target.stored(name)
    await _require_ours(context.target, stored, remedy="change it with Helm, which created it")
    if stored.release.status == "failed" or await context.target.abandoned([stored.release]):
        context.progress(f"finishing {name}, which was left {stored.release.status}")
        await context.target.finish(stored.release, options)
        stored = await context.target.stored(name)
    return stored


async def _upgraded(context: Context, comparison: Comparison, options: Options, basis: Basis) -> Release:
    """Upgrades a release to the compared rendering."""
    # An installation does not need them.
    from sidelane.releases.comparing import upgraded  # noqa: PLC0415
    from sidelane.releases.owned import takes_over  # noqa: PLC0415

    wanted, stored, target = comparison.rendering, comparison.stored, context.target
    name, chart, renderer = stored.release.name, wanted.chart, context.renderer(wanted.chart)
    # The rendering for upgrades is checked, during which the chart may read the cluster.
    after = await upgraded(renderer, chart, wanted.lane, wanted.values) if renderer.upgrades else wanted
    checked(after)
    context.progress(f"upgrading {name}" + (" and waiting until it is ready" if options.waits else ""))
    release = await target.upgrade(
        after,
        stored.record or await target.record(name),
        options,
        basis=basis._replace(inputs=inputs_digest(chart, name, wanted.values, stored.release.revision + 1)),
        take_over=await takes_over(target, renderer, comparison, after),
    )
    return dataclasses.replace(release, changes=comparison.differences, kept_values=comparison.kept_values)


async def ready(target: Target, stored: Stored, options: Options) -> None:
    """Waits for an installed release, if the options request it. Raises TimedOut, NotReady."""
    if options.waits:
        await target.ready([stored], stored.release.name, options)
