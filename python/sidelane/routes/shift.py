"""Moving requests to a target step by step, with gates between.

The state of a shift is in the route's own history: each step's note has the shift's first revision, its target and its
steps. So after an interruption the shift can continue or be undone, also from another machine.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, NoReturn

from sidelane.errors import GateFailed, InvalidInput, InvalidRoute, Refused, RouteChanged, SidelaneError
from sidelane.naming.lane import Lane
from sidelane.routes import ready
from sidelane.routes.changes import Router
from sidelane.routes.gates import Gate, readiness
from sidelane.routes.model import Destination, Split, about, route_release
from sidelane.routes.notes import Change
from sidelane.routes.routed import Routed
from sidelane.routes.terms import Terms

#: The beginning of a shift's note; notes.py has the rest.
_MARK: Final = re.compile(r"shift of revision (\d+) to (\S+), step (\d+) of ([0-9,]+)")


#: The default steps: in mode service all requests go to one target.
_STEPS: Final = {"service": (100,)}
_ANY_MODE: Final = (5, 25, 50, 100)


class Plan(NamedTuple):
    """A requested shift. steps: rising percentages of requests; empty for the defaults of the route's mode. every: the
    seconds that a step lasts; between: the seconds between two questions to the gates.
    """

    to: Destination
    steps: tuple[int, ...]
    every: float
    between: float


@dataclass
class Step:
    """One step of a shift. outcome: ``passed``, ``failed``, or empty while it lasts."""

    percent: int
    weights: Mapping[str, int]
    revision: int
    seconds: float = 0.0
    outcome: str = ""

    def to_json(self) -> dict[str, object]:
        return {**self.__dict__, "weights": dict(self.weights), "seconds": round(self.seconds, 3)}


@dataclass
class Shift:
    """The course of a shift. outcome: ``done``, ``put back``, ``refused`` if a step was not allowed, ``ended by another
    change``, or ``interrupted``.
    """

    route: str
    to: str
    began_at: int
    before: Mapping[str, int]
    steps: list[Step] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    outcome: str = "interrupted"
    why: str = ""
    now: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the shift."""
        return {
            "route": self.route,
            "to": self.to,
            "outcome": self.outcome,
            "why": self.why,
            "before": dict(self.before),
            "now": dict(self.now),
            "beganAtRevision": self.began_at,
            "steps": [step.to_json() for step in self.steps],
            "checks": [gate.to_json() for gate in self.gates],
        }


def plan(to: str, steps: Sequence[int] | None, every: float, between: float, lane: Lane) -> Plan:
    """Parses a requested shift. steps: None for the defaults of the route's mode.

    Raises InvalidRoute for steps that do not rise within 1 to 100, and for times that are not positive.
    """
    if steps is None:
        steps = ()
    elif not steps or any(not 1 <= step <= 100 for step in steps) or list(steps) != sorted(set(steps)):
        raise InvalidRoute(
            f"the steps {','.join(map(str, steps)) or '(none)'} must rise, within 1 to 100",
            remedy="write them such as 5,25,50,100",
        )
    if between <= 0 or every < 0:
        raise InvalidRoute("--every and --between must be positive durations", remedy="write them such as 2m and 10s")
    return Plan(Destination.parse(to).within(lane), tuple(steps), every, between)


class Standing(NamedTuple):
    """The state of a shift, from its last note: ``step`` of ``steps`` was made, counted from 1."""

    began_at: int
    to: str
    step: int
    steps: tuple[int, ...]

    @property
    def mark(self) -> str:
        """The text of this state in a note."""
        steps = ",".join(map(str, self.steps))
        return f"shift of revision {self.began_at} to {self.to}, step {self.step} of {steps}"

    @property
    def ended(self) -> bool:
        return self.step == len(self.steps)

    def __str__(self) -> str:
        return f"a shift to {self.to} is at step {self.step} of {len(self.steps)} ({self.steps[self.step - 1]} %)"


def standing(changes: Sequence[Change]) -> Standing | None:
    """Returns the shift that a route is in, None when its last change is not part of a shift."""
    held = [change for change in changes if change.held]
    match = _MARK.fullmatch(held[-1].context) if held else None
    if match is None:
        return None
    steps = tuple(map(int, match[4].split(",")))
    standing = Standing(int(match[1]), match[2], int(match[3]), steps)
    return standing if 1 <= standing.step <= len(steps) else None


async def run(
    router: Router,
    service: str,
    lane: Lane,
    wanted: Plan,
    gates: Sequence[Gate],
    *,
    go_on: bool = False,
    by: str | None = None,
    tell: Callable[[Shift], None] = lambda _: None,
) -> Shift:
    """Runs a shift, or continues an interrupted one from its current step.

    tell: called after each step, and at the end, also after an error. Raises GateFailed once the earlier weights are
    restored, and as ``Router.set`` does.
    """
    routed, changes = await asyncio.gather(router.show(service, lane), router.history(service, lane))
    now = standing(changes)
    if not wanted.steps:
        usual = _STEPS.get(routed.route.mode, _ANY_MODE)
        wanted = wanted._replace(steps=now.steps if go_on and now is not None else usual)
    if go_on:
        began, base = await _taken_up(router, service, lane, wanted, now)
    else:
        began, base = _begun(routed, wanted, now)
    shift = Shift(routed.route.name, str(wanted.to), began.began_at, base.to_json(), gates=list(gates))
    shift.now = routed.route.split.to_json()
    run = _Run(router, service, lane, wanted, by, tell)
    shift.gates.insert(0, readiness(run.look, runs=_runs(routed)))
    try:
        await run.steps(shift, began, base, routed.revision)
        shift.outcome = "done"
        return shift
    except GateFailed:
        raise  # put_back has set the outcome
    except (Refused, InvalidInput) as error:
        shift.outcome = "ended by another change" if isinstance(error, RouteChanged) else "refused"
        shift.why = error.problem
        raise
    finally:
        tell(shift)


def _runs(routed: Routed) -> bool:
    """Tells whether the route's targets run; False in a directory."""
    backends = (routed.backends or {}).values()
    return not backends or any(backend.ready is not None for backend in backends)


def _begun(routed: Routed, wanted: Plan, now: Standing | None) -> tuple[Standing, Split]:
    if now is not None and not now.ended:
        raise Refused(f"{routed.route.release}: {now}", remedy="continue it with --go-on, or undo it with --back")
    if routed.release.status != "deployed":
        raise Refused(
            f"the last change of {routed.route.release} is {routed.release.status}",
            remedy=f"see {about(routed.route.release)}, and undo it with {about(routed.route.release, 'undo')}",
        )
    return Standing(routed.revision, str(wanted.to), 1, wanted.steps), routed.route.split


async def _taken_up(
    router: Router, service: str, lane: Lane, wanted: Plan, now: Standing | None
) -> tuple[Standing, Split]:
    if now is None or (now.to, now.steps) != (str(wanted.to), wanted.steps):
        release = route_release(service, lane)
        raise Refused(f"no matching shift is in progress for {release}", remedy=f"see {about(release)}, or start one")
    return now, (await router.at(service, lane, now.began_at)).split


async def back(router: Router, service: str, lane: Lane, *, by: str | None = None, overwrite: bool = False) -> Routed:
    """Restores the weights from before the current shift. Raises Refused when no shift is in progress."""
    now = standing(await router.history(service, lane))
    if now is None:
        release = route_release(service, lane)
        raise Refused(f"no shift is in progress for {release}", remedy=f"see {about(release)}")
    return await router.undo(service, lane, to=now.began_at, terms=Terms(by, unready=True, overwrite=overwrite))


def _asked(gates: Sequence[Gate]) -> str:
    asked, failed = (sum(counts) for counts in zip(*((gate.asked, gate.failed) for gate in gates), strict=True))
    bad = next((f"; {gate.text}: {gate.problem}" for gate in gates if gate.problem), "")
    return f"{asked} answers of its checks, {failed} bad{bad}"


class _Run(NamedTuple):
    """One run of a shift."""

    router: Router
    service: str
    lane: Lane
    wanted: Plan
    by: str | None
    tell: Callable[[Shift], None]

    async def steps(self, shift: Shift, began: Standing, base: Split, revision: int) -> None:
        """Makes the remaining steps. Raises GateFailed once the weights from before the shift are restored."""
        for number in range(began.step, len(self.wanted.steps) + 1):
            percent = self.wanted.steps[number - 1]
            terms = Terms(self.by, revision, context=began._replace(step=number).mark)
            routed = await self.router.set(self.service, self.lane, base.moved(self.wanted.to, percent), terms=terms)
            revision = routed.revision
            shift.now = routed.route.split.to_json()
            shift.steps.append(Step(percent, shift.now, revision))
            self.tell(shift)
            if not await self.passed(shift, number):
                await self.put_back(shift, revision)

    async def passed(self, shift: Shift, number: int) -> bool:
        """Returns True if every gate passes for the whole duration of the step."""
        step, begin = shift.steps[-1], time.monotonic()
        environment = {
            "SIDELANE_ROUTE": shift.route,
            "SIDELANE_TARGET": shift.to,
            "SIDELANE_PERCENT": str(step.percent),
        }
        for gate in shift.gates:
            gate.anew()
        weights = ", ".join(f"{target}={weight}" for target, weight in step.weights.items())
        while True:
            self.router.progress(f"step {number} of {len(self.wanted.steps)}, {weights}: {_asked(shift.gates)}")
            rest = self.wanted.every - (time.monotonic() - begin)
            await asyncio.sleep(max(0.0, min(self.wanted.between, rest)))
            passed = await asyncio.gather(*(gate.passes(environment) for gate in shift.gates))
            step.seconds = time.monotonic() - begin
            if not all(passed):
                gate = shift.gates[passed.index(False)]
                shift.why = f"{gate.text}: {gate.said}"
                step.outcome = "failed"
                return False
            if step.seconds >= self.wanted.every:
                step.outcome = "passed"
                return True

    async def put_back(self, shift: Shift, revision: int) -> NoReturn:
        """Restores the weights from before the shift. Raises GateFailed, with the result."""
        self.router.progress(f"restoring the weights from before the shift: {shift.why}")
        try:
            terms = Terms(self.by, revision, unready=True)
            routed = await self.router.undo(self.service, self.lane, to=shift.began_at, terms=terms)
        except SidelaneError as error:
            raise GateFailed(
                f"a check failed ({shift.why}), and the earlier weights could not be restored: {error.problem}",
                shift=shift,
                remedy=error.remedy or f"see {about(route_release(self.service, self.lane), 'show')}",
            ) from error
        shift.outcome, shift.now = "put back", routed.route.split.to_json()
        raise GateFailed(
            f"a check failed at {shift.steps[-1].percent} % for {shift.to}, and {routed.route.split} is restored: "
            f"{shift.why}",
            shift=shift,
            remedy=f"see the check's answer; {shift.to} stays deployed, for inspection",
        )

    async def look(self) -> None:
        """Checks the shift's target, and compares the route's objects with its release.

        Raises TargetNotReady, RouteChanged.
        """
        shown = await self.router.show(self.service, self.lane)
        if shown.drift:
            raise RouteChanged("another process changed its objects: " + "; ".join(shown.drift))
        ready.require(shown.route, int(shown.values["port"]), shown.backends or {}, only=self.wanted.to)
