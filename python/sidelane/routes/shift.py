"""Moving requests step by step, with gates between: of one route, or of many in lockstep.

The state of a shift is in its routes' own histories (marks.py). So after an interruption the shift can continue or be
undone, also from another machine (courses.py). Each step is written to all routes or to none (together.py).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, NoReturn

from sidelane.errors import GateFailed, InvalidInput, Refused, RouteChanged, SidelaneError, TargetBusy
from sidelane.manifest import Manifest
from sidelane.releases.stores.holding import holder
from sidelane.routes import marks, ready
from sidelane.routes.announcing import Announcement, Announcer
from sidelane.routes.changes import Router
from sidelane.routes.courses import Course
from sidelane.routes.gates import Gate, Restarts, readiness
from sidelane.routes.notices import Notices
from sidelane.routes.progress import Shift, Step
from sidelane.routes.standing import every
from sidelane.routes.staying import stay_values
from sidelane.routes.terms import Terms
from sidelane.routes.together import RoutedTogether, all_or_none, each_alone

#: The seconds after the planned end of a step until other machines may consider this process dead; with a manual gate.
_GRACE = 900
_WAITS = 24 * 3600
#: The kind of an event → the reason of the Kubernetes Event.
_REASONS = {"step": "ShiftStep", "failed": "ShiftGateFailed", "ended": "ShiftEnded"}


async def run(
    router: Router,
    course: Course,
    gates: Sequence[Gate],
    *,
    by: str | None = None,
    tell: Callable[[Shift], None] = lambda _: None,
    notify: Sequence[str] = (),
) -> Shift:
    """Runs a shift from the first step of its course.

    tell: called after each step, and at the end, also after an error. notify: addresses that get each event. Raises
    GateFailed once the earlier weights are restored, and as ``Router.set`` does.
    """
    shift = _shift_of(course)
    notices = Notices(notify)
    shift.unsent = notices.unsent
    announcer = await router.place.announcer()
    run = _Run(router, course, by, tell, notices, announcer)
    runs = not any(backend.ready is None for moving in course.routes for backend in moving.backends.values())
    restarts = Restarts(run.restarts)
    shift.gates = [readiness(run.look, runs=runs), *([restarts.gate] if runs else []), *gates]
    try:
        await run.steps(shift, restarts)
        await run.end(shift)
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
        run.report(shift, "ended", f"{shift.outcome}: {shift.why}" if shift.why else shift.outcome)
        await notices.finish()
        if announcer is not None:
            shift.unsent.extend(await announcer.finish())


def _shift_of(course: Course) -> Shift:
    routes = course.routes
    return Shift(
        course.id,
        str(course.plan.move),
        {moving.name: moving.before.split.to_json() for moving in routes},
        {moving.name: moving.now.split.to_json() for moving in routes},
        {moving.name: moving.member.base for moving in routes},
        course.steps,
    )


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
    notices: Notices
    announcer: Announcer | None

    def report(self, shift: Shift, kind: str, text: str) -> None:
        """Tells everybody about an event."""
        event = shift.happened(kind, text)
        self.notices.send(event)
        if self.announcer is not None and shift.steps:  # before the first step nothing has happened to the routes
            bad = kind == "failed" or (kind == "ended" and shift.outcome != "done")
            routes = (moving.now for moving in self.course.routes)
            self.announcer.write(Announcement.on(routes, _REASONS[kind], event.text, warning=bad))
        self.tell(shift)

    async def steps(self, shift: Shift, restarts: Restarts) -> None:
        """Makes the remaining steps. Raises GateFailed once the weights from before the shift are restored."""
        for number in range(self.course.first, len(self.course.steps) + 1):
            await self.follow_promotion(shift)
            written = await self.written(number, waits=any(gate.manual for gate in shift.gates))
            for moving, routed, prepared in zip(self.course.routes, written.routes, written.prepared, strict=True):
                moving.follow(routed, prepared)
                shift.now[moving.name] = routed.route.split.to_json()
            revisions = {moving.name: moving.revision for moving in self.course.routes}
            shift.steps.append(Step(self.course.steps[number - 1], dict(shift.now), revisions, written.seconds))
            of = f"step {number} of {len(self.course.steps)}, {shift.steps[-1].percent} % of {len(shift.now)} routes"
            self.report(shift, "step", of)
            await restarts.begin()
            if not await self.passed(shift, number):
                self.report(shift, "failed", f"a check failed at {shift.steps[-1].percent} %: {shift.why}")
                await self.put_back(shift)

    async def restarts(self) -> Mapping[str, int] | None:
        """Returns the restarts of the pods of all targets that get more requests."""
        move = self.course.plan.move
        labels = [
            ready.pods(moving.now, to, moving.backends)
            for moving in self.course.routes
            for to in move.destinations(moving.before)
        ]
        return await self.router.place.restarts(labels)

    async def follow_promotion(self, shift: Shift) -> bool:
        """Tells whether a person has promoted the present step; a promotion is a revision of the first route."""
        first = self.course.routes[0]
        if not shift.steps or not any(gate.manual for gate in shift.gates):
            return False
        changes = await self.router.history(*first.named)
        mark = marks.current(changes)
        if mark is None or (mark.id, mark.promoted) != (self.course.id, True) or mark.step != self.at(shift):
            return False
        first.revision = max(change.revision for change in changes if change.held)
        return True

    def at(self, shift: Shift) -> int:
        """Returns the number of the present step, counted from 1."""
        return self.course.first + len(shift.steps) - 1

    async def written(self, number: int, *, waits: bool) -> RoutedTogether:
        """Writes a step to all routes, or to none. Raises Refused, and as ``Router.set`` does."""
        plan, percent = self.course.plan, self.course.steps[number - 1]
        until = int(time.time() + plan.every + (_WAITS if waits else _GRACE))
        context = self.course.mark(number, holder().token, until).text
        read = await self.router.read(moving.named for moving in self.course.routes)
        wanted = (
            self.router.setting(
                *moving.named,
                values={**plan.move.values(moving.before, moving.values, percent), **stay_values(plan.stay)},
                terms=Terms(self.by, moving.revision, context=context, always=True),
                read=read,
            )
            for moving in self.course.routes
        )
        try:
            return await all_or_none(self.router, wanted)
        except (RouteChanged, TargetBusy):
            await self.require_alone()
            raise

    async def end(self, shift: Shift) -> None:
        """Marks the end in every route's history. Raises the first error, once all routes were tried."""
        self.router.progress(f"marking the end of shift {shift.id}")
        mark = self.course.mark(len(self.course.steps), holder().token, int(time.time()))
        context = mark._replace(ended=True).text
        read = await self.router.read(moving.named for moving in self.course.routes)
        wanted = (
            self.router.setting(
                *moving.named,
                terms=Terms(self.by, moving.revision, unready=True, context=context, always=True),
                read=read,
            )
            for moving in self.course.routes
        )
        for result in await each_alone(self.router, wanted):
            if isinstance(result, BaseException):
                raise result

    async def require_alone(self) -> None:
        """Raises Refused if another shift holds one of the routes."""
        for standing in await every(self.router, [moving.named for moving in self.course.routes]):
            if standing.mark.id != self.course.id and not standing.ended:
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
        waiting = 0.0
        while True:
            self.router.progress(
                f"step {number} of {len(self.course.steps)}, {self.leads(shift)}: {_asked(shift.gates)}"
            )
            rest = self.course.plan.every - (time.monotonic() - begin)
            await asyncio.sleep(min(self.course.plan.between, rest) if rest > 0 else waiting)
            passed = await asyncio.gather(*(gate.passes(environment) for gate in shift.gates))
            step.seconds = time.monotonic() - begin
            if not all(passed):
                gate = shift.gates[passed.index(False)]
                shift.why = f"{gate.text}: {gate.said}"
                step.outcome = "failed"
                return False
            if step.seconds >= self.course.plan.every and await self.opened(shift):
                step.outcome = "passed"
                return True
            waiting = self.course.plan.between  # a manual gate holds the step longer than planned

    async def opened(self, shift: Shift) -> bool:
        """Tells whether every manual gate lets the present step end."""
        if not any(gate.manual for gate in shift.gates):
            return True
        return await self.follow_promotion(shift)

    def leads(self, shift: Shift) -> str:
        """Returns the weights of the only route, or the percentage of all routes."""
        if len(shift.now) == 1:
            (weights,) = shift.now.values()
            return ", ".join(f"{target}={weight}" for target, weight in weights.items())
        return f"{shift.steps[-1].percent} % of {len(shift.now)} routes {shift.move}"

    async def put_back(self, shift: Shift) -> NoReturn:
        """Restores the weights from before the shift. Raises GateFailed, with the result."""
        self.router.progress(f"restoring the weights from before the shift: {shift.why}")
        read = await self.router.read((moving.named for moving in self.course.routes), histories=True)
        wanted = (
            self.router.undoing(
                *moving.named,
                to=moving.member.base,
                terms=Terms(self.by, moving.revision, unready=True),
                read=read,
            )
            for moving in self.course.routes
        )
        results = await each_alone(self.router, wanted)
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
