"""Moving requests step by step, with gates between: of one route, or of many in lockstep.

The state of a shift is in its routes' own histories (marks.py). So after an interruption the shift can continue or be
undone, also from another machine (courses.py). Each step is written to all routes or to none (together.py).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from sidelane.errors import GateFailed, InvalidInput, Refused, RouteChanged, SidelaneError, TargetBusy
from sidelane.manifest import Manifest
from sidelane.releases.stores.holding import holder
from sidelane.routes import ready
from sidelane.routes.changes import Router
from sidelane.routes.courses import Course, Moving
from sidelane.routes.gates import Gate, readiness
from sidelane.routes.places import AT_ONCE
from sidelane.routes.standing import every
from sidelane.routes.terms import Terms
from sidelane.routes.together import RoutedTogether, all_or_none
from sidelane.support.concurrency import outcomes

#: The seconds after the planned end of a step until other machines may consider this process dead.
_GRACE = 900


@dataclass
class Step:
    """One step of a shift. weights, revisions: of each route, by its stable name. apart: the seconds from the begin of
    the step's first write to the end of its last one. outcome: ``passed``, ``failed``, or empty while it lasts.
    """

    percent: int
    weights: Mapping[str, Mapping[str, int]]
    revisions: Mapping[str, int]
    apart: float
    seconds: float = 0.0
    outcome: str = ""

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        return {
            "percent": self.percent,
            "weights": {route: dict(weights) for route, weights in self.weights.items()},
            "revisions": dict(self.revisions),
            "secondsApart": round(self.apart, 3),
            "seconds": round(self.seconds, 3),
            "outcome": self.outcome,
        }


@dataclass
class Shift:
    """The course of a shift. move: ``to v2``, or ``from 2-coco-1 to 2-coco-2``. before, now: the weights of each route,
    by its stable name. outcome: ``done``, ``put back``, ``refused`` if a step was not allowed, ``ended by another
    change``, or ``interrupted``.
    """

    id: str
    move: str
    before: Mapping[str, Mapping[str, int]]
    now: dict[str, Mapping[str, int]]
    began_at: Mapping[str, int]
    planned: tuple[int, ...] = ()
    steps: list[Step] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    outcome: str = "interrupted"
    why: str = ""

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the shift."""
        return {
            "id": self.id,
            "move": self.move,
            "outcome": self.outcome,
            "why": self.why,
            "routes": [
                {"route": name, "before": dict(self.before[name]), "now": dict(self.now[name]),
                 "beganAtRevision": self.began_at[name]}
                for name in self.before
            ],
            "steps": [step.to_json() for step in self.steps],
            "checks": [gate.to_json() for gate in self.gates],
        }  # fmt: skip


async def run(
    router: Router,
    course: Course,
    gates: Sequence[Gate],
    *,
    by: str | None = None,
    tell: Callable[[Shift], None] = lambda _: None,
) -> Shift:
    """Runs a shift from the first step of its course.

    tell: called after each step, and at the end, also after an error. Raises GateFailed once the earlier weights are
    restored, and as ``Router.set`` does.
    """
    routes = course.routes
    shift = Shift(
        course.id,
        str(course.plan.move),
        {moving.name: moving.before.split.to_json() for moving in routes},
        {moving.name: moving.now.split.to_json() for moving in routes},
        {moving.name: moving.member.base for moving in routes},
        course.steps,
    )
    run = _Run(router, course, by, tell)
    runs = not any(backend.ready is None for moving in routes for backend in moving.backends.values())
    shift.gates = [readiness(run.look, runs=runs), *gates]
    try:
        await run.steps(shift)
        shift.outcome = "done"
        return shift
    except GateFailed:
        raise  # put_back has set the outcome
    except (Refused, InvalidInput) as error:
        shift.outcome = "ended by another change" if isinstance(error, RouteChanged) else "refused"
        shift.why = error.problem
        raise
    finally:
        if shift.outcome not in ("done", "put back"):
            holder().leaves_work = True  # shows the processes of this machine that nobody runs the shift any more
        tell(shift)


def _asked(gates: Sequence[Gate]) -> str:
    asked, failed = (sum(counts) for counts in zip(*((gate.asked, gate.failed) for gate in gates), strict=True))
    bad = next((f"; {gate.text}: {gate.problem}" for gate in gates if gate.problem), "")
    return f"{asked} answers of its checks, {failed} bad{bad}"


class _Run(NamedTuple):
    """One run of a shift."""

    router: Router
    course: Course
    by: str | None
    tell: Callable[[Shift], None]

    async def steps(self, shift: Shift) -> None:
        """Makes the remaining steps. Raises GateFailed once the weights from before the shift are restored."""
        for number in range(self.course.first, len(self.course.steps) + 1):
            written = await self.written(number)
            for moving, routed, prepared in zip(self.course.routes, written.routes, written.prepared, strict=True):
                moving.follow(routed, prepared)
                shift.now[moving.name] = routed.route.split.to_json()
            revisions = {moving.name: moving.revision for moving in self.course.routes}
            shift.steps.append(Step(self.course.steps[number - 1], dict(shift.now), revisions, written.seconds))
            self.tell(shift)
            if not await self.passed(shift, number):
                await self.put_back(shift)

    async def written(self, number: int) -> RoutedTogether:
        """Writes a step to all routes, or to none. Raises Refused, and as ``Router.set`` does."""
        plan, percent = self.course.plan, self.course.steps[number - 1]
        until = int(time.time() + plan.every + _GRACE)
        context = self.course.mark(number, holder().token, until).text
        try:
            return await all_or_none(
                self.router,
                (
                    self.router.setting(
                        moving.member.service,
                        moving.member.lane,
                        values=plan.move.values(moving.before, moving.values, percent),
                        terms=Terms(self.by, moving.revision, context=context, always=True),
                    )
                    for moving in self.course.routes
                ),
            )
        except (RouteChanged, TargetBusy):
            await self.require_alone()
            raise

    async def require_alone(self) -> None:
        """Raises Refused if another shift holds one of the routes."""
        for standing in await every(self.router, [moving.named for moving in self.course.routes]):
            if standing.mark.id != self.course.id and not standing.mark.ended:
                raise Refused(f"another shift came first: {standing}", remedy="see `sidelane shift status`") from None

    async def passed(self, shift: Shift, number: int) -> bool:
        """Returns True if every gate passes for the whole duration of the step."""
        step, begin = shift.steps[-1], time.monotonic()
        environment = {
            "SIDELANE_SHIFT": shift.id,
            "SIDELANE_ROUTE": ",".join(shift.before),
            "SIDELANE_TARGET": shift.move.rpartition(" ")[2],
            "SIDELANE_PERCENT": str(step.percent),
        }
        for gate in shift.gates:
            gate.anew()
        while True:
            self.router.progress(
                f"step {number} of {len(self.course.steps)}, {self.leads(shift)}: {_asked(shift.gates)}"
            )
            rest = self.course.plan.every - (time.monotonic() - begin)
            await asyncio.sleep(max(0.0, min(self.course.plan.between, rest)))
            passed = await asyncio.gather(*(gate.passes(environment) for gate in shift.gates))
            step.seconds = time.monotonic() - begin
            if not all(passed):
                gate = shift.gates[passed.index(False)]
                shift.why = f"{gate.text}: {gate.said}"
                step.outcome = "failed"
                return False
            if step.seconds >= self.course.plan.every:
                step.outcome = "passed"
                return True

    def leads(self, shift: Shift) -> str:
        """Returns the weights of the only route, or the percentage of all routes."""
        if len(shift.now) == 1:
            (weights,) = shift.now.values()
            return ", ".join(f"{target}={weight}" for target, weight in weights.items())
        return f"{shift.steps[-1].percent} % of {len(shift.now)} routes {shift.move}"

    async def put_back(self, shift: Shift) -> NoReturn:
        """Restores the weights from before the shift. Raises GateFailed, with the result."""
        self.router.progress(f"restoring the weights from before the shift: {shift.why}")
        results = await outcomes(map(self.put_one_back, self.course.routes), AT_ONCE)
        failed = []
        for moving, result in zip(self.course.routes, results, strict=True):
            if isinstance(result, SidelaneError):
                failed.append(f"{moving.name}: {result.problem}")
            elif isinstance(result, BaseException):
                raise result
            else:
                shift.now[moving.name] = moving.before.split.to_json()
        if failed:
            raise GateFailed(
                f"a check failed ({shift.why}), and the earlier weights could not be restored: {'; '.join(failed)}",
                shift=shift,
                remedy="see `sidelane shift status`",
            )
        shift.outcome = "put back"
        only = len(results) == 1
        restored = str(self.course.routes[0].before.split) if only else f"each of {len(results)} routes"
        raise GateFailed(
            f"a check failed at {shift.steps[-1].percent} % {re.sub('^to', 'for', shift.move)}, and {restored} is "
            f"restored: {shift.why}",
            shift=shift,
            remedy="see the check's answer; the targets stay deployed, for inspection",
        )

    async def put_one_back(self, moving: Moving) -> None:
        terms = Terms(self.by, moving.revision, unready=True)
        await self.router.undo(moving.member.service, moving.member.lane, to=moving.member.base, terms=terms)

    async def look(self) -> None:
        """Checks the shift's targets, and compares the routes' objects with their releases, in one look.

        Raises TargetNotReady, RouteChanged.
        """
        routes = self.course.routes
        objects = [obj for moving in routes if moving.manifest for obj in moving.manifest.objects]
        services = set().union(*(ready.services(moving.now) for moving in routes))
        sight = await self.router.place.look(Manifest(tuple(objects)), services)
        if sight.drift:
            raise RouteChanged("another process changed its objects: " + "; ".join(sight.drift))
        for moving in routes:
            only = self.course.plan.move.destinations(moving.before)
            ready.require(moving.now, int(moving.values["port"]), sight.backends, only=only)
