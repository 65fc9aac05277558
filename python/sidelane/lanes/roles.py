"""The least rights of a verb for a chart, a deployment file or a bundle, as a Role."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from sidelane.charts import sources
from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.rendering import Renderer
from sidelane.charts.values import accepted, with_service
from sidelane.errors import InvalidInput
from sidelane.lanes import deployment
from sidelane.lanes.bundle import archives
from sidelane.lanes.deployment.parts import charts_of, parts, routes
from sidelane.manifest import Object
from sidelane.naming.lane import Lane
from sidelane.releases import least_rights
from sidelane.releases.context import Context

#: The kinds of a route depend on its mode, and neither on its service nor on its lane.
_ROUTE: Final[dict[str, Any]] = {"name": "svc1", "targets": [{"serviceVersion": "v1", "weight": 1}]}
_LANE: Final = Lane("any", 1)


class Subject(NamedTuple):
    """The subject of a verb. what: a chart, a deployment file (.yaml) or a bundle (.tar.gz); empty for the chart of
    routes. lane, values, name, service_version, version, repo: of a chart, as for an installation.
    """

    what: str | os.PathLike[str] = ""
    lane: Lane | None = None
    values: Mapping[str, Any] = {}
    name: str | None = None
    service_version: str | None = None
    version: str | None = None
    repo: str | None = None


async def role(context: Context, verb: str, subject: Subject) -> dict[str, Any]:
    """Returns the Role of a verb, such as ``apply`` or ``route-set``.

    Raises InvalidInput for an unknown verb, and for a missing chart or lane; and as rendering does.
    """
    namespace = context.namespace
    objects: list[Object] = []
    if least_rights.reads_objects(verb):
        if verb in least_rights.ROUTING and not subject.what:
            subject = subject._replace(what="route")
        found, objects = await _objects(context, verb, subject)
        namespace = namespace or found
    rights = least_rights.of_verb(verb, objects, namespace or "default")
    return least_rights.role(f"sidelane-{verb}", rights)


async def _objects(context: Context, verb: str, subject: Subject) -> tuple[str | None, list[Object]]:
    """Returns the namespace that a file or a bundle names, and the objects of all its releases."""
    what = os.fspath(subject.what)
    if not what:
        raise InvalidInput(
            f"the rights for {verb} depend on the kinds of the objects",
            remedy=f"name a chart, a deployment file or a bundle: `sidelane guard role {verb} lane.yaml`",
        )
    if what.endswith((".yaml", ".yml")):
        return await _of_file(context, Path(what))
    if what.endswith(".tar.gz"):
        bundle = archives.read(what)
        return bundle.namespace, [obj for release in bundle.releases for obj in release.manifest.objects]
    async with context.installable(what, subject.version, subject.repo) as chart:
        given = with_service(subject.values, chart, name=subject.name, service_version=subject.service_version)
        lane = subject.lane
        if chart.name == "route" and sources.is_bundled(chart):
            given, lane = coalesce(_ROUTE, given), lane or _LANE
        if lane is None:
            raise InvalidInput("a chart has no objects without a lane", remedy="add --lane, such as --lane 2-coco-1")
        return None, await _rendered(context, chart, lane, given)


async def _of_file(context: Context, file: Path) -> tuple[str | None, list[Object]]:
    """Returns the namespace of a deployment file, and the objects of its releases and routes."""
    wanted = deployment.read(file)
    async with charts_of(context, wanted) as charts:
        made = [(part.chart, part.values) for part in parts(wanted, charts)]
        made += routes(wanted, sources.find("route")) if wanted.routes else []
        each = [await _rendered(context, chart, wanted.lane, values) for chart, values in made]
    return wanted.namespace, [obj for objects in each for obj in objects]


async def _rendered(context: Context, chart: Chart, lane: Lane, values: Mapping[str, Any]) -> list[Object]:
    renderer = Renderer(context.helm, context.namespace)
    return list((await renderer.render(chart, lane, accepted(values, lane, chart))).manifest.objects)
