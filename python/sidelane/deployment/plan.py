"""What a deployment file would do to a target, found out without changing anything."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from sidelane import charts
from sidelane.charts import Chart
from sidelane.deployment.file import Deployment, Wanted
from sidelane.deployment.order import levels
from sidelane.errors import InvalidDeployment, ReleaseConflict, SidelaneError
from sidelane.lane import Lane
from sidelane.releases import Progress, checked, guard, next_free, quiet
from sidelane.rendering import Renderer, Rendering, inputs_digest, release_of
from sidelane.targets import Release, Target
from sidelane.values import accepted, with_service

T = TypeVar("T")

#: create: it is not there. unchanged: it is there with this content. scale: operational values alone differ. finish: it
#: was left half-made, or failed, with this content. refused: it can't be what the file says.
Action = Literal["create", "unchanged", "scale", "finish", "refused"]


@dataclass(frozen=True)
class Part:
    """One release of the file, with all that is known of it before the target is asked. name and needs are release
    names; values hold the lane and are held against the schema.
    """

    wanted: Wanted
    chart: Chart
    name: str
    values: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    level: int = 0


@dataclass(frozen=True)
class Step:
    """What would happen to one release, and why: what differs, or what is in the way, a line each."""

    release: str
    chart: str
    action: Action
    why: tuple[str, ...] = ()
    part: Part = field(repr=False, compare=False, kw_only=True)
    #: The release that is there.
    there: Release | None = field(default=None, repr=False, compare=False, kw_only=True)
    #: What was rendered and checked, to be installed as it is; None where it has to be rendered again.
    rendering: Rendering | None = field(default=None, repr=False, compare=False, kw_only=True)

    def to_json(self) -> dict[str, object]:
        return {"release": self.release, "chart": self.chart, "action": self.action, "why": list(self.why)}


@dataclass(frozen=True)
class Plan:
    """What would happen to a lane. routes: the services whose routes are applied after the releases. remedy: what to
    do about what is refused.
    """

    lane: Lane
    namespace: str | None
    steps: tuple[Step, ...]
    routes: tuple[Mapping[str, Any], ...] = ()
    remedy: str = ""

    @property
    def refused(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action == "refused")

    def to_json(self) -> dict[str, object]:
        """The plan as programs read it."""
        return {
            "lane": str(self.lane),
            "namespace": self.namespace,
            "releases": [step.to_json() for step in self.steps],
            "routes": [dict(route) for route in self.routes],
            "remedy": self.remedy,
        }


def parts(deployment: Deployment, found: Sequence[Chart]) -> tuple[Part, ...]:
    """The releases of a file, whose charts are ``found``, in the same order.

    Raises InvalidDeployment with every mistake of every release at once.
    """
    mistakes: list[str] = []
    made: dict[str, Part] = {}
    for wanted, chart in zip(deployment.releases, found, strict=True):
        try:
            part = _part(wanted, chart, deployment.lane)
        except SidelaneError as error:
            mistakes.append(f"{wanted.where}: {error}")
            continue
        if part.name in made:
            mistakes.append(f"{wanted.where}: {part.name} is there already, as {made[part.name].wanted.where}")
        made[part.name] = part
    if mistakes:
        raise InvalidDeployment(
            "the file can't be deployed:\n  " + "\n  ".join(mistakes), errors=tuple(mistakes), remedy="mend it there"
        )
    order = levels({name: part.needs for name, part in made.items()})
    return tuple(dataclasses.replace(part, level=order[name]) for name, part in made.items())


def _part(wanted: Wanted, chart: Chart, lane: Lane) -> Part:
    if wanted.repo is None and not charts.is_remote(wanted.chart):
        charts.of_version(chart, wanted.version)  # Helm holds what it fetches to it, and a path to nothing
    given = with_service(wanted.values, chart, name=wanted.name, service_version=wanted.service_version)
    values = accepted(given, lane, chart)
    needs = tuple(f"{need}-{lane}" for need in wanted.needs)
    return Part(wanted, chart, release_of(chart, lane, values), values, needs)


async def plan(
    target: Target,
    renderer: Callable[[Chart], Renderer],
    deployment: Deployment,
    found: Sequence[Chart],
    *,
    parallel: int,
    progress: Progress = quiet,
) -> Plan:
    """What the file would do. What is known to be made from the very same chart and values is not rendered again.

    found: the chart of each release. parallel: how many are rendered at a time. Raises InvalidDeployment, CheckFailed
    and what Helm raises.
    """
    lane = deployment.lane
    wanted = parts(deployment, found)
    progress(f"asking for the releases of {lane}")
    there = {release.name: release for release in await target.releases()}
    here = [(part, there[part.name]) for part in wanted if part.name in there]
    digests = {
        part.name: inputs_digest(part.chart, part.name, part.values, release.revision)
        for part, release in here
        if release.status == "deployed"
    }
    same = await target.made_from(digests) if digests else frozenset()
    abandoned = await target.abandoned([release for _, release in here])
    at_once = asyncio.Semaphore(parallel)

    async def step(part: Part) -> Step:
        if part.name in same:
            return dataclasses.replace(_step(part, "unchanged"), there=there[part.name])
        async with at_once:
            progress(f"rendering {part.name}")
            rendering = await renderer(part.chart).render(part.chart, lane, part.values)
            checked(rendering)
            if part.name not in there:
                return _step(part, "create", rendering=_to_keep(rendering))
            held = there[part.name].is_pending and part.name not in abandoned
            return await _compared(target, renderer(part.chart), part, rendering, held=held)

    steps = await all_of(step(part) for part in wanted)
    remedy = ""
    if refused := [step for step in steps if step.action == "refused"]:
        where = await next_free(target, refused[0].release, lane)
        remedy = f"a deployed lane is never changed: deploy it as {where}" if refused else ""
    return Plan(lane, deployment.namespace, tuple(steps), deployment.routes, remedy)


async def _compared(target: Target, renderer: Renderer, part: Part, rendering: Rendering, *, held: bool) -> Step:
    """What would happen to a release that is there, and is not known to be made from the same."""
    stored = await target.stored(part.name)
    release = stored.release
    differences = stored.differences(rendering)
    if held:
        return _step(part, "refused", (f"another process is working on it: its status is {release.status}",))
    if not differences and release.status == "deployed":
        return dataclasses.replace(_step(part, "unchanged"), there=release)
    if not differences and _may_be_finished(release):
        return _step(part, "finish", (f"it was left {release.status}",), rendering=_to_keep(rendering))
    if release.status != "deployed" and (release.revision == 1 or not _may_be_finished(release)):
        why = f"it was left {release.status} with other content, and what to do with that is not for a file to say"
        return _step(part, "refused", (why, *differences))
    try:
        guard(part.chart, stored, await renderer.render(part.chart, rendering.lane, stored.values), rendering)
    except ReleaseConflict as conflict:
        return _step(part, "refused", (conflict.problem.partition("\n")[0].rstrip(":"), *differences))
    return _step(part, "scale", differences)


def _may_be_finished(release: Release) -> bool:
    return release.is_pending or release.status == "failed"


def _step(part: Part, action: Action, why: tuple[str, ...] = (), *, rendering: Rendering | None = None) -> Step:
    chart = part.chart
    # A chart that asks the cluster may render otherwise once what it needs is there.
    again = rendering is not None and chart.asks_the_cluster and part.needs
    kept = None if again else rendering
    return Step(part.name, f"{chart.name}-{chart.version}", action, why, part=part, rendering=kept)


def _to_keep(rendering: Rendering) -> Rendering:
    """The rendering without the objects that were read of it: many may wait for their turn."""
    return dataclasses.replace(rendering)


async def all_of(work: Iterable[Awaitable[T]]) -> list[T]:
    """The results of work that runs side by side; the first error ends the rest, and then is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
