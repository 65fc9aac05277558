"""The begin of a shift, and its continuation after an interruption."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sidelane.charts.rendering import read_manifest
from sidelane.errors import InvalidRoute, Refused
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.routes import finding
from sidelane.routes.changes import Router
from sidelane.routes.finding import Found
from sidelane.routes.marks import Mark, Member
from sidelane.routes.model import Route, about, route_release
from sidelane.routes.moving import Move
from sidelane.routes.places import AT_ONCE, Backend
from sidelane.routes.routed import Routed
from sidelane.routes.standing import Standing, completed, every, mark_of
from sidelane.routes.writing import Prepared
from sidelane.support.concurrency import some_at_a_time

#: The default steps. A Service has one target: in mode service all requests move at once.
_STEPS: Final = (5, 25, 50, 100)
_AT_ONCE_ONLY: Final = (100,)


class Plan(NamedTuple):
    """A requested shift. steps: rising percentages of requests; empty for the defaults of the routes' modes. every: the
    seconds that a step lasts; between: the seconds between two questions to the gates. stay: cookie, header or none for
    all routes; None for each route's own.
    """

    move: Move
    steps: tuple[int, ...]
    every: float
    between: float
    stay: str | None = None


def plan(move: Move, steps: Sequence[int] | None, every: float, between: float, stay: str | None = None) -> Plan:
    """Checks a requested shift. steps: None for the defaults of the routes' modes.

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
    return Plan(move, tuple(steps), every, between, stay)


@dataclass
class Moving:
    """One route in a shift. before, values: its state and values before the shift. now, revision: at present. manifest:
    the objects of its last write.
    """

    member: Member
    before: Route
    values: Mapping[str, Any]
    now: Route
    revision: int
    backends: Mapping[str, Backend] = field(default_factory=dict)
    manifest: Manifest | None = None

    @property
    def name(self) -> str:
        return self.member.name

    @property
    def named(self) -> tuple[str, Lane]:
        """The service and the lane."""
        return self.member.service, self.member.lane

    def follow(self, routed: Routed, prepared: Prepared) -> None:
        """Takes over the result of a write."""
        self.now, self.revision, self.backends = routed.route, routed.revision, routed.backends or {}
        if prepared.rendering is not None:
            self.manifest = read_manifest(prepared.rendering.text, routed.release.namespace, routed.release.name)


class Course(NamedTuple):
    """A shift that can run. first: its first step to write, counted from 1."""

    id: str
    plan: Plan
    routes: tuple[Moving, ...]
    first: int = 1

    @property
    def steps(self) -> tuple[int, ...]:
        return self.plan.steps

    def mark(self, step: int, holder: str, until: int) -> Mark:
        """Returns the mark of a step."""
        members = tuple(moving.member for moving in self.routes)
        return Mark(self.id, self.plan.move, step, self.steps, members, holder, until, stay=self.plan.stay)


async def leading(router: Router, move: Move, services: Sequence[str] = ()) -> tuple[tuple[str, Lane], ...]:
    """Returns the routes that send requests where a move takes them from. services: only these. Raises Refused."""
    named = [
        (stored_route.route.service, stored_route.route.lane)
        for stored_route in await finding.every(router.place)
        if move.moves(router.routed(stored_route.stored, stored_route.route.lane).route)
        and (not services or stored_route.route.service in services)
    ]
    missing = sorted(set(services) - {service for service, _ in named})
    if missing or not named:
        whose = f" of {', '.join(missing)}" if missing else ""
        whence = str(move).rpartition(" to ")[0]
        raise Refused(f"no route{whose} has requests to move {whence}", remedy="see `sidelane graph`")
    return tuple(named)


async def begun(router: Router, wanted: Plan, named: Iterable[tuple[str, Lane]]) -> Course:
    """Returns a new shift of these routes. Raises Refused if one of them is in a shift, or has a failed change."""
    named = tuple(named)
    found = await router.read(named, histories=True)
    await _require_free(router, found)
    routes = await some_at_a_time((_begun(router, found, service, lane) for service, lane in named), AT_ONCE)
    if not wanted.steps:
        modes = {moving.before.mode for moving in routes}
        wanted = wanted._replace(steps=_AT_ONCE_ONLY if "service" in modes else _STEPS)
    return Course(secrets.token_hex(3), wanted, tuple(routes))


async def _require_free(router: Router, found: Found) -> None:
    """Raises Refused if one of these routes is in a shift that has not ended."""
    for route in found.wanted:
        mark = mark_of(await found.require(*route))
        if mark is None or mark[0].ended:
            continue
        for shift in await every(router, [route]):
            if not shift.ended:
                raise Refused(
                    f"{route_release(*route)}: {shift}",
                    remedy="continue it with --continue, or undo it with --back; see `sidelane shift status`",
                )


async def _begun(router: Router, found: Found, service: str, lane: Lane) -> Moving:
    routed = await router.shown((await found.require(service, lane)).now, lane)
    if routed.release.status != "deployed":
        raise Refused(
            f"the last change of {routed.route.release} is {routed.release.status}",
            remedy=f"see {about(routed.route.release)}, and undo it with {about(routed.route.release, 'undo')}",
        )
    member = Member(service, lane, routed.revision)
    return Moving(member, routed.route, routed.values, routed.route, routed.revision, routed.backends or {})


async def of_one(router: Router, service: str, lane: Lane) -> Standing:
    """Returns the shift that only this route is in. Raises Refused if there is none, or if it has more routes."""
    release = route_release(service, lane)
    shifts = await every(router, [(service, lane)])
    if not shifts:
        raise Refused(f"no shift is in progress for {release}", remedy=f"see {about(release)}")
    if len(shifts[0].routes) > 1:
        raise Refused(
            f"{release} is one of {len(shifts[0].routes)} routes of shift {shifts[0].mark.id}, which stay together",
            remedy="use `sidelane shift --continue` or `sidelane shift --back`",
        )
    return shifts[0]


async def continued(router: Router, wanted: Plan, service: str, lane: Lane) -> Course:
    """Returns the interrupted shift of one route, if it is the wanted one. Raises Refused, InvalidRoute."""
    if wanted.stay is not None:
        raise InvalidRoute(
            f"the stay {wanted.stay} is given for a shift that continues, which keeps its own",
            remedy="leave --stay out, or begin the shift again after --back",
        )
    shifts = await every(router, [(service, lane)])
    same = [shift for shift in shifts if shift.mark.move == wanted.move and wanted.steps in ((), shift.mark.steps)]
    if not same:
        release = route_release(service, lane)
        raise Refused(f"no matching shift is in progress for {release}", remedy=f"see {about(release)}, or start one")
    return await resumed(router, await of_one(router, service, lane), wanted.every, wanted.between, overwrite=False)


async def resumed(router: Router, standing: Standing, lasting: float, between: float, *, overwrite: bool) -> Course:
    """Returns an interrupted shift from its current step, which is written again to all of its routes.

    lasting: the seconds that a step lasts. Raises TargetBusy if another process runs the shift, and RouteChanged if a
    route was changed by others.
    """
    if not overwrite:
        standing.require_free()
    standing.require_unchanged()
    work = (completed(router, stand, overwrite=overwrite) for stand in standing.routes)
    revisions = await some_at_a_time(work, AT_ONCE)
    members = [stand.member for stand in standing.routes]
    found = await router.read(((member.service, member.lane) for member in members), histories=True)
    resumed = (_resumed(router, found, *pair) for pair in zip(members, revisions, strict=True))
    routes = await some_at_a_time(resumed, AT_ONCE)
    mark = standing.mark
    return Course(mark.id, Plan(mark.move, mark.steps, lasting, between, mark.stay), tuple(routes), mark.step)


async def _resumed(router: Router, found: Found, member: Member, revision: int) -> Moving:
    history = await found.require(member.service, member.lane)
    routed = await router.shown(history.now, member.lane)
    then = router.routed(await router.at_revision(history, member.base), member.lane)
    return Moving(member, then.route, then.values, routed.route, revision, routed.backends or {})
