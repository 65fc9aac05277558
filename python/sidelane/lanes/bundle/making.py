"""Bundle a lane, only if its charts render the deployed objects, byte for byte."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from sidelane.charts import sources
from sidelane.charts.chart import Chart
from sidelane.charts.files import files
from sidelane.errors import ChartNotFound, Refused
from sidelane.helm.client import Helm
from sidelane.lanes.bundle import archives, offline
from sidelane.lanes.bundle.archives import Bundle, Bundled
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context
from sidelane.releases.provenance import Record
from sidelane.releases.provenance.cluster import Facts, of_helm
from sidelane.releases.stores import Release, Stored
from sidelane.releases.stores.ours import required_of_lane, route_of
from sidelane.routes import changes
from sidelane.support.files import packed
from sidelane.support.secrets import secret_paths


async def bundle(context: Context, lane: Lane, file: Path, *, charts: Sequence[str | os.PathLike[str]] = ()) -> Bundle:
    """Writes a lane as deployed now into a file. charts: the locations of its charts; Sidelane's own are known. Returns
    the bundle with its digest. Raises as ``make`` does.
    """
    async with AsyncExitStack() as stack:
        known = [await stack.enter_async_context(context.chart(chart)) for chart in charts]
        made = await make(context, lane, known)
    return replace(made, digest=archives.write(made, file))


async def make(context: Context, lane: Lane, known: Sequence[Chart]) -> Bundle:
    """Returns the bundle of a lane as deployed now, routes last. known: its charts, besides Sidelane's own.

    Raises ReleaseNotFound; ChartNotFound for a chart that is missing or differs from the deployed one; Refused when a
    release holds secrets, or when its chart, rendered without a cluster, differs from the deployed objects, because no
    replay could reproduce them.
    """
    target, helm = context.target, context.helm
    releases = sorted(
        await required_of_lane(target, lane),
        key=lambda release: (release.updated is not None and release.updated.timestamp(), release.name),
    )
    facts = await target.facts() or await of_helm(helm, target.namespace or "default")
    made: list[Bundled] = []
    routes: list[Bundled] = []
    for release, stored in zip(releases, await target.stored_all([each.name for each in releases]), strict=True):
        context.progress(f"bundling {release.name}")
        record = stored.record or await target.record(release.name)
        # The listed release, because Helm's status leaves out a release's chart.
        chart = _chart_of(release, Record.read(record) if record else None, (*known, *sources.bundled()))
        bundled = await _bundled(context, lane, replace(stored, record=record), facts, chart)
        (made if route_of(stored) is None else routes).append(bundled)
    return Bundle(
        lane=lane,
        namespace=facts.namespace,
        kubernetes=facts.kubernetes,
        api_versions=facts.api_versions,
        helm=str(await helm.version()),
        releases=(*made, *routes),
    )


async def _bundled(context: Context, lane: Lane, stored: Stored, facts: Facts, chart: Chart) -> Bundled:
    """Returns one bundled release, if its chart reproduces it without a cluster. Raises Refused."""
    release, helm = stored.release, context.helm
    if not context.connection.allow_secrets:
        _refuse_secrets(stored)
    package = await _package(helm, chart)
    values = stored.values if route_of(stored) is None else changes.own(stored)
    bundled = Bundled(release.name, package, values, stored.text, release.namespace, stored.record)
    with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
        unpacked = offline.unpacked(package, Path(folder))
        rendering = await offline.renderer_for(helm, facts).render(unpacked, lane, values, release=release.name)
    offline.require_same(rendering, bundled, f"{chart.name} {chart.version}, rendered without a cluster,")
    return bundled


def _chart_of(release: Release, record: Record | None, known: Sequence[Chart]) -> Chart:
    """Finds the chart of a release by its record's digest, or without a record by its name and version."""
    named = [chart for chart in known if str(chart.ref) == release.chart]
    for chart in named:
        if record is None or chart.digest == record.chart_digest:
            return chart
    problem = f"the chart {release.chart} of {release.name} is missing"
    if named:
        problem = f"the chart {release.chart} differs from the one that {release.name} was made from"
    raise ChartNotFound(
        problem, remedy=f"give its location with --chart; its digest is in `sidelane record {release.name}`"
    )


def _refuse_secrets(stored: Stored) -> None:
    secrets = [f"has the Secret {item.name}" for item in stored.manifest.objects if item.kind == "Secret"]
    secrets += [f"has the secret value {path}" for path in secret_paths(dict(stored.values))]
    if secrets:
        raise Refused(
            f"{stored.release.name} {', and '.join(secrets)}, and a bundle must not hold secrets",
            remedy="give the chart an existing Secret's name, or add --allow-secrets and protect the bundle",
        )


async def _package(helm: Helm, chart: Chart) -> bytes:
    """Returns the chart as a package whose bytes depend only on its content."""
    with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
        path = await helm.package(chart.path, Path(folder)) if chart.path.is_dir() else chart.path
        return packed({f"{chart.name}/{name}": content for name, content in sorted(files(path))})
