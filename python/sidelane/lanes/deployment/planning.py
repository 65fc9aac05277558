"""The plan of a deployment file's changes to a target, without making them."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from sidelane.charts.chart import Chart
from sidelane.charts.rendering import Rendering, inputs_digest
from sidelane.errors import NotOurs, ReleaseNotFound
from sidelane.lanes.deployment.file import Deployment
from sidelane.lanes.deployment.parts import Part, RouteStep, charts_of, parts, route_steps
from sidelane.naming.lane import Lane
from sidelane.releases import pasted
from sidelane.releases.comparing import compare
from sidelane.releases.context import Context
from sidelane.releases.installing import PATIENCE, checked
from sidelane.releases.refusals import elsewhere, next_free
from sidelane.releases.stores import Release, Stored, Target
from sidelane.releases.stores.ours import is_ours, not_ours, of_lane
from sidelane.routes import finding
from sidelane.routes.places import place_of
from sidelane.support.advice import Place
from sidelane.support.concurrency import all_of

#: The number of releases at a time: Helm waits for the API server for half of its time.
PARALLEL: Final = 2 * (os.cpu_count() or 1)

#: create: it does not exist. unchanged: it has this content. scale: only operational values differ. finish: it failed
#: or is incomplete, with this content. refused: it cannot get the file's content.
Action = Literal["create", "unchanged", "scale", "finish", "refused"]


@dataclass(frozen=True)
class Step:
    """The planned action for one release, and its reasons: the differences or obstacles, one line each. kept:
    operational values that would stay because they are not in the file, one line each.
    """

    release: str
    chart: str
    action: Action
    why: tuple[str, ...] = ()
    kept_values: tuple[str, ...] = ()
    part: Part = field(repr=False, compare=False, kw_only=True)
    #: The existing release.
    there: Release | None = field(default=None, repr=False, compare=False, kw_only=True)
    #: The checked rendering to install; None if it must be rendered again.
    rendering: Rendering | None = field(default=None, repr=False, compare=False, kw_only=True)

    def to_json(self) -> dict[str, object]:
        said: dict[str, object] = {"release": self.release, "chart": self.chart, "action": self.action}
        said["why"] = list(self.why)
        return {**said, "keptValues": list(self.kept_values)} if self.kept_values else said


@dataclass(frozen=True)
class Plan:
    """The plan for a lane's releases and then its routes. remedy: the next step for refused releases.

    extra: releases and routes of the lane that are not in the file. They stay: a file never removes a release by
    leaving it out. reset: operational values that are not in the file are reset to the chart's defaults.
    """

    lane: Lane
    namespace: str | None
    steps: tuple[Step, ...]
    routes: tuple[RouteStep, ...] = ()
    remedy: str = ""
    extra: tuple[Release, ...] = ()
    reset: bool = False

    def whole(self, place: Place) -> Plan:
        """Returns the plan with this place added to its commands."""
        steps = (dataclasses.replace(step, why=tuple(map(place.whole, step.why))) for step in self.steps)
        return dataclasses.replace(self, steps=tuple(steps), remedy=place.whole(self.remedy))

    @property
    def refused(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action == "refused")

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the plan."""
        namespace = {} if self.namespace is None else {"namespace": self.namespace}
        return {
            "lane": str(self.lane),
            **namespace,
            "releases": [step.to_json() for step in self.steps],
            "routes": [route.to_json() for route in self.routes],
            "extra": [
                {"release": release.name, "chart": release.chart, "status": release.status} for release in self.extra
            ],
            "remedy": self.remedy,
        }


async def plan(context: Context, deployment: Deployment, *, parallel: int | None = None, reset: bool = False) -> Plan:
    """Plans the changes of a file in its namespace, with the drift of unchanged releases.

    parallel: the number of releases at a time. reset: see Plan. Raises InvalidDeployment, CheckFailed and Helm's
    errors.
    """
    at = context.in_namespace(deployment.namespace)
    with at.advising():
        async with charts_of(at, deployment) as charts:
            made = await planned(at, deployment, charts, parallel=parallel, reset=reset)
            return (await _with_drift(at, made)).whole(at.connection.place)


async def planned(
    context: Context, deployment: Deployment, charts: Sequence[Chart], *, parallel: int | None, reset: bool
) -> Plan:
    """Plans the changes of a file. Releases known to have the same chart and values are not rendered again. charts: the
    chart of each release.
    """
    target, lane = context.target, deployment.lane
    wanted = parts(deployment, charts)
    context.progress(f"asking for the releases of {lane}")
    routes = route_steps(deployment)
    named = {part.name for part in wanted} | {routed.release for routed in routes}
    everything, held = await _settled(context, named)
    there = {name: release for name, release in everything.items() if name in named}
    routes = [await _kept(target, routed, lane, everything) for routed in routes]
    named |= {routed.release for routed in routes}
    of_the_lane = await of_lane(target, lane, tuple(everything.values()))
    extra = tuple(release for release in of_the_lane if release.name not in named)
    same = await _same(target, wanted, there)
    stored = await _stored(target, (part.name for part in wanted if part.name in there and part.name not in same))
    at_once = asyncio.Semaphore(parallel or PARALLEL)

    async def step(part: Part) -> Step:
        if part.name in same:
            return dataclasses.replace(_step(part, "unchanged"), there=there[part.name])
        async with at_once:
            context.progress(f"rendering {part.name}")
            rendering = await context.renderer(part.chart).render(part.chart, lane, part.values)
            checked(rendering)
            if part.name not in there:
                return _step(part, "create", rendering=_to_keep(rendering))
            return await _compared(context, part, stored[part.name], rendering, held=part.name in held, keep=not reset)

    steps = await all_of(step(part) for part in wanted)
    refused = [step for step in steps if step.action == "refused"]
    remedy = await _remedy(target, deployment, named) if refused else ""
    return Plan(lane, deployment.namespace, tuple(steps), tuple(routes), remedy, extra, reset)


async def _stored(target: Target, names: Iterable[str]) -> dict[str, Stored]:
    return {stored.release.name: stored for stored in await target.stored_all(tuple(names))}


async def _remedy(target: Target, deployment: Deployment, names: Iterable[str]) -> str:
    """Returns the remedy: the next free lane, with the command that applies the file there."""
    free = await next_free(target, names, deployment.lane)
    return pasted.beside(free, f"{deployment.apply} --build {free.build}" if free else None)


async def _same(target: Target, wanted: Sequence[Part], there: Mapping[str, Release]) -> frozenset[str]:
    """Returns the names of the parts known to be deployed from the same chart and values."""
    digests = {
        part.name: inputs_digest(part.chart, part.name, part.values, there[part.name].revision)
        for part in wanted
        if part.name in there and there[part.name].status == "deployed"
    }
    return await target.made_from(digests) if digests else frozenset()


async def _with_drift(context: Context, plan: Plan) -> Plan:
    """Returns the plan with the drift of unchanged releases."""
    unchanged = [step.release for step in plan.steps if step.action == "unchanged"]
    if not unchanged or context.is_directory:
        return plan
    from sidelane.releases import verify  # noqa: PLC0415 - a new lane does not need it

    drift = await verify.drifted(context, unchanged)
    if not drift:
        return plan
    steps = (dataclasses.replace(step, why=drift.get(step.release, step.why)) for step in plan.steps)
    remedy = f"{len(drift)} drifted: {verify.remedy(drift, plan.namespace or context.namespace)}"
    return dataclasses.replace(plan, steps=tuple(steps), remedy="\n".join(filter(None, (plan.remedy, remedy))))


async def _kept(target: Target, step: RouteStep, lane: Lane, everything: Mapping[str, Release]) -> RouteStep:
    """Returns the step of a route, ``kept`` if the route exists, whatever the name of its release."""
    if step.release in everything and everything[step.release].chart_ref.is_route:
        return dataclasses.replace(step, action="kept")
    if not any(release.chart_ref.is_route for release in everything.values()):
        return step
    try:
        stored = await finding.named(place_of(target), step.service, lane)
    except (ReleaseNotFound, NotOurs):  # the creation of the route reports the second
        return step
    return dataclasses.replace(step, action="kept", release=stored.now.release.name)


async def _settled(context: Context, names: Collection[str]) -> tuple[dict[str, Release], frozenset[str]]:
    """Returns every release by name, and those of these names that another process works on. A busy release gets a
    moment to end: a killed run leaves a Helm that ends a little later.
    """
    target, until = context.target, time.monotonic() + PATIENCE
    while True:
        there = {release.name: release for release in await target.releases()}
        wanted = [there[name] for name in names if name in there]
        abandoned = await target.abandoned(wanted)
        held = frozenset(release.name for release in wanted if release.is_pending) - abandoned
        if not held or time.monotonic() > until:
            return there, held
        context.progress(f"waiting for another process that works on {min(held)}")
        await asyncio.sleep(0.5)


async def _compared(
    context: Context, part: Part, stored: Stored, rendering: Rendering, *, held: bool, keep: bool
) -> Step:
    """Plans an existing release that is not known to have the same inputs."""
    target, renderer = context.target, context.renderer(part.chart)
    release = stored.release
    if held:
        return _step(part, "refused", (f"another process is working on it: its status is {release.status}",))
    comparison = await compare(renderer, stored, part.chart, rendering.lane, part.values, rendered=rendering, keep=keep)
    if comparison.answer == "same" and release.status == "deployed":
        return dataclasses.replace(_step(part, "unchanged"), there=release, kept_values=comparison.kept_values)
    if not await is_ours(target, stored):
        return _step(part, "refused", (str(not_ours(release.name, remedy=elsewhere(release.name))),))
    if comparison.answer == "same" and _may_be_finished(release):
        finish = _step(part, "finish", (f"it was left {release.status}",), rendering=_to_keep(rendering))
        return dataclasses.replace(finish, kept_values=comparison.kept_values)
    if release.status != "deployed" and (release.revision == 1 or not _may_be_finished(release)):
        why = (
            f"its status is {release.status}, and it has other content: `sidelane status {part.name}` shows it, and "
            f"`sidelane uninstall {part.name}` removes it"
        )
        return _step(part, "refused", (why, *comparison.differences))
    if comparison.answer == "other":
        return _step(part, "refused", (comparison.why, *comparison.differences))
    return dataclasses.replace(_step(part, "scale", comparison.differences), kept_values=comparison.kept_values)


def _may_be_finished(release: Release) -> bool:
    return release.is_pending or release.status == "failed"


def _step(part: Part, action: Action, why: tuple[str, ...] = (), *, rendering: Rendering | None = None) -> Step:
    chart = part.chart
    # A chart that reads the cluster may render differently once its needs exist.
    again = rendering is not None and chart.asks_the_cluster and part.needs
    to_install = None if again else rendering
    return Step(part.name, str(chart.ref), action, why, part=part, rendering=to_install)


def _to_keep(rendering: Rendering) -> Rendering:
    """Returns the rendering without its parsed objects, to save memory: many may wait for their turn."""
    return dataclasses.replace(rendering)
