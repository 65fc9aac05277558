"""A lane is bundled, and a bundle is replayed: both only when the chart renders what is deployed, byte for byte."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from sidelane.charts import sources
from sidelane.charts.rendering import Renderer, Rendering, documents
from sidelane.charts.sources import Chart
from sidelane.errors import ChartNotFound, Refused, ReleaseConflict, ReleaseNotFound
from sidelane.helm.client import Helm
from sidelane.lanes.bundle import archives
from sidelane.lanes.bundle.archives import Bundle, Bundled
from sidelane.manifest import diff_objects
from sidelane.manifest.autoscaled import without_their_replicas
from sidelane.naming.lane import Lane
from sidelane.naming.route import Known, known_of
from sidelane.releases import installing
from sidelane.releases.basis import Basis
from sidelane.releases.context import Context
from sidelane.releases.provenance import Record
from sidelane.releases.provenance.cluster import Facts, of_helm
from sidelane.releases.stores import Options, Release, Stored, Target, no_release
from sidelane.releases.stores.ours import of_lane, route_of
from sidelane.routes import changes, finding
from sidelane.routes.changes import Router
from sidelane.routes.model import about
from sidelane.routes.places import place_of
from sidelane.routes.terms import Terms
from sidelane.support.secrets import secret_paths


@dataclass(frozen=True)
class Replayed:
    """A bundle that was deployed again: each release, and the digest of its objects, which is the bundle's."""

    lane: Lane
    releases: tuple[Release, ...]
    digests: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The result as programs read it."""
        both = zip(self.releases, self.digests, strict=True)
        return {"lane": str(self.lane), "releases": [{**one.to_json(), "digest": digest} for one, digest in both]}


async def bundle(context: Context, lane: Lane, file: Path, *, charts: Sequence[str | os.PathLike[str]] = ()) -> Bundle:
    """Writes a lane as it is deployed now into a file. charts: where its charts may be; those that travel with Sidelane
    are known. Returns the bundle with its digest. Raises what ``make`` raises.
    """
    async with AsyncExitStack() as stack:
        known = [await stack.enter_async_context(context.chart(chart)) for chart in charts]
        made = await make(context, lane, known)
    return replace(made, digest=archives.write(made, file))


async def make(context: Context, lane: Lane, known: Sequence[Chart]) -> Bundle:
    """A lane as it is deployed now, its routes last. known: its charts, beside those that travel with Sidelane.

    Raises ReleaseNotFound; ChartNotFound for a chart that is not among these as it was deployed; Refused when a release
    holds secrets, or when its chart, rendered without a cluster, is not what is deployed: no replay could make that.
    """
    target, helm = context.target, context.helm
    found = sorted(
        await of_lane(target, lane),
        key=lambda release: (release.updated is not None and release.updated.timestamp(), release.name),
    )
    if not found:
        raise await no_release(target, lane)
    facts = await target.facts() or await of_helm(helm, target.namespace or "default")
    made: list[Bundled] = []
    routes: list[Bundled] = []
    for release in found:
        context.progress(f"bundling {release.name}")
        stored = await target.stored(release.name)
        record = stored.record or await target.record(release.name)
        chart = _chart_of(release, Record.read(record) if record else None, (*known, *sources.bundled()))
        if not context.connection.allow_secrets:
            _refuse_secrets(stored)
        package = await _package(helm, chart)
        is_route = route_of(stored) is not None
        values = changes.own(stored) if is_route else stored.values
        one = Bundled(release.name, package, values, stored.text, release.namespace, record)
        with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
            unpacked = _unpack(package, Path(folder))
            rendering = await _offline(helm, facts).render(unpacked, lane, values, release=release.name)
        _same(rendering, one, f"{chart.name} {chart.version}, rendered without a cluster,")
        (routes if is_route else made).append(one)
    return Bundle(
        lane=lane,
        namespace=facts.namespace,
        kubernetes=facts.kubernetes,
        api_versions=facts.api_versions,
        helm=str(await helm.version()),
        releases=(*made, *routes),
    )


async def replay(context: Context, file: str, *, options: Options) -> Replayed:
    """Deploys the bundle in a file again, into the context's namespace or else the bundle's. Raises what ``again``
    raises, and what reading a bundle raises.
    """
    opened = archives.read(file)
    at = context if context.connection.namespace else context.in_namespace(opened.namespace)
    with at.advising():
        return await again(at, opened, options=options)


async def again(context: Context, opened: Bundle, *, options: Options) -> Replayed:
    """Deploys a bundle again: no network but the cluster's is needed, and nothing of where it came from.

    Every release is rendered first, as it was and as it will be here, and nothing is installed unless all are what they
    were. In another namespace than the bundle's the objects can only be equal but for that. Routes are made last, as
    routes are: with a history instead of a record, and only to what is there and ready. A route that is there and leads
    elsewhere is not set back. Raises Refused, naming what differs, and what install and ``Router.set`` raise.
    """
    target, helm = context.target, context.helm
    with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
        ready: list[Rendering] = []
        for number, one in enumerate(opened.releases):
            context.progress(f"rendering {one.name}")
            chart = _unpack(one.chart, Path(folder, str(number)))
            as_it_was = _offline(helm, Facts(opened.namespace, opened.kubernetes, opened.api_versions))
            is_route = known_of(obj.labels for obj in one.manifest.objects) is not None
            here = await as_it_was.render(chart, opened.lane, one.values, release=one.name)
            _same(here, one, f"Helm {await helm.version()}, where Helm {opened.helm} made the bundle,")
            if await target.facts() is not None:
                at_home = context.renderer(chart)._replace(server=not is_route and chart.asks_the_cluster)
                here = await at_home.render(chart, opened.lane, one.values, release=one.name)
                if target.namespace == opened.namespace:
                    _same(here, one, "this cluster, with its own version and APIs,")
            elif target.namespace != opened.namespace:
                elsewhere = as_it_was._replace(namespace=target.namespace)
                here = await elsewhere.render(chart, opened.lane, one.values, release=one.name)
            installing.checked(here)
            ready.append(here)
        known = {one.release: known_of(obj.labels for obj in one.manifest.objects) for one in ready}
        routes = {name: route for name, route in known.items() if route is not None}
        for rendering in ready:
            if rendering.release in routes:
                await _refuse_to_set_back(target, rendering, routes[rendering.release])
        # A route leads to what is ready.
        options = options._replace(wait=options.wait or bool(routes))
        done: dict[str, Release] = {}
        for rendering in ready:
            if rendering.release not in routes:
                done[rendering.release] = await installing.install(
                    context,
                    rendering.chart,
                    opened.lane,
                    rendering.values,
                    options=options,
                    rendered=rendering,
                    basis=Basis(bundle=opened.digest),
                    keep=False,
                )
        for rendering in ready:
            if (route := routes.get(rendering.release)) is not None:
                done[rendering.release] = await _routed(Router.of(context, rendering.chart), rendering, route)
    digests = tuple(rendering.manifest.digest() for rendering in ready)
    return Replayed(opened.lane, tuple(done[rendering.release] for rendering in ready), digests)


async def _refuse_to_set_back(target: Target, rendering: Rendering, route: Known) -> None:
    """Raises ReleaseConflict when a route is there and leads elsewhere, and NotOurs when its name is taken."""
    try:
        stored = await finding.named(place_of(target), *route)
    except ReleaseNotFound:
        return
    if differences := stored.differences(rendering):
        raise ReleaseConflict(
            f"the route {rendering.release} is there and is not the bundle's:\n  " + "\n  ".join(differences),
            differences=differences,
            remedy=f"see {about(rendering.release, 'show')}; remove it with `sidelane uninstall {rendering.release}`, "
            "and replay again",
        )


async def _routed(router: Router, rendering: Rendering, route: Known) -> Release:
    routed = await router.set(
        *route, values=rendering.values, terms=Terms(context="replayed from a bundle"), release=rendering.release
    )
    chart = f"{rendering.chart.name}-{rendering.chart.version}"
    return replace(routed.release, chart=chart, change=routed.change)


def _offline(helm: Helm, facts: Facts) -> Renderer:
    """How it is rendered without the cluster that it was rendered for."""
    return Renderer(
        helm, facts.namespace, kube_version=facts.kubernetes.removeprefix("v"), api_versions=facts.api_versions
    )


def _same(rendering: Rendering, one: Bundled, who: str) -> None:
    if sorted(documents(rendering.text)) == sorted(documents(one.text)):
        return
    both = without_their_replicas(one.manifest.objects, rendering.manifest.objects)
    if found := tuple(diff_objects(*both, names=("what is deployed", "what is rendered"))):
        raise Refused(
            f"{who} makes {one.name} otherwise:\n  " + "\n  ".join(found),
            remedy="use what it was made with, or deploy it as a lane of its own",
        )


def _chart_of(release: Release, record: Record | None, known: Sequence[Chart]) -> Chart:
    """The chart that a release was made from: by its record's digest, and without a record by its name and version."""
    named = [chart for chart in known if f"{chart.name}-{chart.version}" == release.chart]
    for chart in named:
        if record is None or chart.digest == record.chart_digest:
            return chart
    problem = f"the chart {release.chart} of {release.name} is not here"
    if named:
        problem = f"the chart {release.chart} that is here is not the one that {release.name} was made from"
    raise ChartNotFound(
        problem, remedy=f"name where it is with --chart; its digest is in `sidelane record {release.name}`"
    )


def _refuse_secrets(stored: Stored) -> None:
    secrets = [f"has the Secret {item.name}" for item in stored.manifest.objects if item.kind == "Secret"]
    secrets += [f"is given {path}" for path in secret_paths(dict(stored.values))]
    if secrets:
        raise Refused(
            f"{stored.release.name} {', and '.join(secrets)}, and a bundle is a file that is passed on",
            remedy="give the chart an existing Secret's name, or add --allow-secrets and keep the bundle as one",
        )


async def _package(helm: Helm, chart: Chart) -> bytes:
    """The chart as a package whose bytes depend on its content alone."""
    with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
        path = await helm.package(chart.path, Path(folder)) if chart.path.is_dir() else chart.path
        return archives.packed({f"{chart.name}/{name}": content for name, content in sorted(sources.files(path))})


def _unpack(package: bytes, folder: Path) -> Chart:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "chart.tgz"
    path.write_bytes(package)
    return Chart.load(path)
