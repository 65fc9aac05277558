"""Replay a bundle, only if its charts render the deployed objects, byte for byte."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidelane.charts.rendering import Rendering
from sidelane.errors import ReleaseConflict
from sidelane.lanes.bundle import archives, offline
from sidelane.lanes.bundle.archives import Bundle, Bundled
from sidelane.naming.lane import Lane
from sidelane.naming.route import Known, known_of
from sidelane.releases import checking, installing
from sidelane.releases.basis import Basis
from sidelane.releases.context import Context
from sidelane.releases.provenance.cluster import Facts
from sidelane.releases.stores import Options, Release, Target
from sidelane.routes import finding
from sidelane.routes.changes import Router
from sidelane.routes.model import about
from sidelane.routes.places import place_of
from sidelane.routes.terms import Terms


@dataclass(frozen=True)
class Replayed:
    """The result of a replay: each release, and the digest of its objects, which is the bundle's."""

    lane: Lane
    releases: tuple[Release, ...]
    digests: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the result."""
        both = zip(self.releases, self.digests, strict=True)
        return {
            "lane": str(self.lane),
            "releases": [{**release.to_json(), "digest": digest} for release, digest in both],
        }


async def replay(context: Context, file: str, *, options: Options, require_guard: bool = False) -> Replayed:
    """Deploys the bundle in a file again, into the context's namespace or else the bundle's. Raises as ``again`` does,
    and as reading a bundle does; with require_guard Refused, without any change, unless the namespace is guarded.
    """
    opened = archives.read(file)
    at = context if context.connection.namespace else context.in_namespace(opened.namespace)
    with at.advising():
        if require_guard:
            from sidelane.releases import guarding  # noqa: PLC0415 - few need it

            await guarding.require(at)
        return await again(at, opened, options=options)


async def again(context: Context, opened: Bundle, *, options: Options) -> Replayed:
    """Deploys a bundle again; it needs only the bundle and the cluster's network.

    First it renders every release, for the bundle's cluster and for this one, and installs nothing if any object
    differs. In another namespace than the bundle's, only the namespace may differ. Routes are created last, with a
    history instead of a record, and only to targets that are ready. An existing route with other targets is not
    changed. Raises Refused with the differences, and as install and ``Router.set`` do.
    """
    with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:
        ready = [
            await _rendered(context, opened, release, Path(folder, str(number)))
            for number, release in enumerate(opened.releases)
        ]
        known = {rendering.release: known_of(obj.labels for obj in rendering.manifest.objects) for rendering in ready}
        routes = {name: route for name, route in known.items() if route is not None}
        if routes:
            await _refuse_to_set_back(context.target, ready, routes)
        done = await _installed(context, opened, ready, routes, options)
    digests = tuple(rendering.manifest.digest() for rendering in ready)
    return Replayed(opened.lane, tuple(done[rendering.release] for rendering in ready), digests)


async def _rendered(context: Context, opened: Bundle, bundled: Bundled, folder: Path) -> Rendering:
    """Renders and checks one release for this cluster. Raises Refused if it differs from the bundle."""
    context.progress(f"rendering {bundled.name}")
    target, helm = context.target, context.helm
    chart = checking.as_recorded(offline.unpacked(bundled.chart, folder), bundled.record)
    as_it_was = offline.renderer_for(helm, Facts(opened.namespace, opened.kubernetes, opened.api_versions))
    here = await as_it_was.render(chart, opened.lane, bundled.values, release=bundled.name)
    offline.require_same(here, bundled, f"Helm {await helm.version()} (Helm {opened.helm} made the bundle)")
    if await target.facts() is not None:
        is_route = known_of(obj.labels for obj in bundled.manifest.objects) is not None
        at_home = context.renderer(chart)._replace(server=not is_route and chart.asks_the_cluster)
        here = await at_home.render(chart, opened.lane, bundled.values, release=bundled.name)
        if target.namespace == opened.namespace:
            offline.require_same(here, bundled, "rendering for this cluster")
    elif target.namespace != opened.namespace:
        elsewhere = as_it_was._replace(namespace=target.namespace)
        here = await elsewhere.render(chart, opened.lane, bundled.values, release=bundled.name)
    installing.checked(here)
    return here


async def _installed(
    context: Context, opened: Bundle, ready: Sequence[Rendering], routes: Mapping[str, Known], options: Options
) -> dict[str, Release]:
    """Installs the rendered releases, routes last. Returns the releases by name."""
    # The targets of a route must be ready.
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
                basis=Basis(bundle=opened.digest),
                rendered=rendering,
                keep=False,
            )
    for rendering in ready:
        if (route := routes.get(rendering.release)) is not None:
            done[rendering.release] = await _routed(Router.of(context, rendering.chart), rendering, route)
    return done


async def _refuse_to_set_back(target: Target, ready: Sequence[Rendering], routes: Mapping[str, Known]) -> None:
    """Raises ReleaseConflict for an existing route with other targets, and NotOurs when its name is taken."""
    found = await finding.several(place_of(target), routes.values())
    for rendering in (each for each in ready if each.release in routes):
        there = found.get(*routes[rendering.release])
        if there is None or not (differences := there.now.differences(rendering)):
            continue
        raise ReleaseConflict(
            f"the route {rendering.release} exists and differs from the bundle's:\n  " + "\n  ".join(differences),
            differences=differences,
            remedy=f"see {about(rendering.release, 'show')}; remove it with `sidelane uninstall {rendering.release}`, "
            "then replay again",
        )


async def _routed(router: Router, rendering: Rendering, route: Known) -> Release:
    routed = await router.set(
        *route, values=rendering.values, terms=Terms(context="replayed from a bundle"), release=rendering.release
    )
    return replace(routed.release, chart=str(rendering.chart.ref), change=routed.change)
