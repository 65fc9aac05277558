"""The releases and routes of a deployment file, resolved without the target."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from sidelane.charts import sources
from sidelane.charts.chart import Chart
from sidelane.charts.references import is_remote
from sidelane.charts.rendering import release_of
from sidelane.charts.values import accepted, with_service
from sidelane.errors import InvalidDeployment, SidelaneError
from sidelane.lanes.deployment.file import Deployment, Wanted
from sidelane.lanes.deployment.order import levels
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context
from sidelane.routes.model import Route, Split, route_release


@dataclass(frozen=True)
class Part:
    """One release of the file, resolved without the target. name and needs are release names; values hold the lane and
    are validated.
    """

    wanted: Wanted
    chart: Chart
    name: str
    values: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    level: int = 0


@dataclass(frozen=True)
class RouteStep:
    """The planned action for a service's route: create, after the releases; or kept, for an existing route, which only
    `sidelane route` changes, so that applying a file again does not reset its weights.
    """

    service: str
    release: str
    action: Literal["create", "kept"]
    split: Split = field(repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def to_json(self) -> dict[str, object]:
        return {"service": self.service, "release": self.release, "action": self.action}


@asynccontextmanager
async def charts_of(context: Context, deployment: Deployment) -> AsyncIterator[list[Chart]]:
    """Returns the chart of each release of a deployment file, in its order. Each chart is fetched once."""
    async with AsyncExitStack() as stack:
        charts: dict[tuple[str | None, ...], Chart] = {}
        for wanted in deployment.releases:
            if (key := _key(wanted)) not in charts:
                held = {"given": wanted.conventions}
                opened = context.installable(wanted.chart, wanted.version, wanted.repo, held)
                charts[key] = await stack.enter_async_context(opened)
        yield [charts[_key(wanted)] for wanted in deployment.releases]


def _key(wanted: Wanted) -> tuple[str | None, ...]:
    return wanted.chart, wanted.version, wanted.repo, wanted.conventions


def parts(deployment: Deployment, charts: Sequence[Chart]) -> tuple[Part, ...]:
    """Returns the releases of a file. found: their charts, in the same order.

    Raises InvalidDeployment with every mistake of every release at once.
    """
    mistakes: list[str] = []
    made: dict[str, Part] = {}
    for wanted, chart in zip(deployment.releases, charts, strict=True):
        try:
            part = _part(wanted, chart, deployment.lane)
        except SidelaneError as error:
            mistakes.append(f"{wanted.where}: {error}")
            continue
        if part.name in made:
            mistakes.append(f"{wanted.where}: {part.name} is a duplicate of {made[part.name].wanted.where}")
        made[part.name] = part
    if mistakes:
        raise InvalidDeployment(
            "the file is invalid:\n  " + "\n  ".join(mistakes), errors=tuple(mistakes), remedy="fix it there"
        )
    order = levels({name: part.needs for name, part in made.items()})
    return tuple(dataclasses.replace(part, level=order[name]) for name, part in made.items())


def _part(wanted: Wanted, chart: Chart, lane: Lane) -> Part:
    if wanted.repo is None and not is_remote(wanted.chart):
        sources.of_version(chart, wanted.version)  # Helm checks this only for charts that it fetches, not for paths
    given = with_service(wanted.values, chart, name=wanted.name, service_version=wanted.service_version)
    values = accepted(given, lane, chart)
    needs = tuple(f"{need}-{lane}" for need in wanted.needs)
    return Part(wanted, chart, release_of(chart, lane, values), values, needs)


def route_steps(deployment: Deployment) -> list[RouteStep]:
    """Returns the routes of a file, to be created."""
    lane = deployment.lane
    return [
        RouteStep(
            item["service"],
            route_release(item["service"], lane),
            "create",
            Split.of(item["weights"], lane),
            {**(item.get("values") or {}), **{key: item[key] for key in ("mode", "targetService") if key in item}},
        )
        for item in deployment.routes
    ]


def routes(deployment: Deployment, chart: Chart) -> list[tuple[Chart, Mapping[str, Any]]]:
    """Returns the chart and the values for each route of a file. Raises InvalidValues."""
    lane = deployment.lane
    made = [
        {**_with_pods(step, lane), "name": step.service, "targets": step.split.to_values()}
        for step in route_steps(deployment)
    ]
    return [(chart, accepted(values, lane, chart)) for values in made]


def _with_pods(step: RouteStep, lane: Lane) -> Mapping[str, Any]:
    """Returns the values of a route with labels for the pods of Services that a pattern names. Only the target knows
    the real ones, which the route gets when it is created: those of the naming contract stand for them.
    """
    if not step.values.get("targetService"):
        return step.values
    named = {**step.values, "name": step.service, "targets": step.split.to_values()}
    route = Route.from_values({"mode": "service", **named}, lane)
    pods = {route.service_of(to): to.pods(step.service, lane) for to in step.split.weights}
    return {**step.values, "selectors": {**pods, **(step.values.get("selectors") or {})}}
