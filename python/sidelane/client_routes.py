"""The SDK's verbs for routes: a part of AsyncClient's face.

client.route("svc1", "2-coco-1", {"v1": 90, "v2": 10})
client.route("svc1", "2-coco-1", {"v2": 100})          # blue/green: one write
client.undo_route("svc1", "2-coco-1")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sidelane.connection import lane_of
from sidelane.naming.lane import Lane

if TYPE_CHECKING:
    from sidelane.routes.changes import Router
    from sidelane.routes.notes import Change
    from sidelane.routes.routed import Routed
    from sidelane.routes.shift import Shift


class HasRouter(Protocol):
    """What these verbs need of a client."""

    @property
    def _router(self) -> Router: ...


class RouteVerbs:
    """Routes, by the service's name and the lane of its stable name: svc1 in 2-coco-1 is ``http://svc1-2-coco-1``."""

    async def route(
        self: HasRouter,
        service: str,
        lane: Lane | str,
        weights: Mapping[str, int] | None = None,
        *,
        mode: str | None = None,
        values: Mapping[str, Any] | None = None,
        by: str | None = None,
        allow_unready: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Routed:
        """Leads a service's stable name there, and makes it where there is none. What is not given stays as it is.

        weights: by target: ``v2``, ``2-coco-2/v2`` in another lane, ``2-coco-2`` for a component without versions.
        mode: service, istio or gateway. values: more of the chart `route`: matches, mirror, timeout, ports … by: who
        changes it, for the history; without it SIDELANE_CHANGED_BY, whom CI names, or user@host. allow_unready: targets
        need not have ready pods for their share. overwrite: take back what somebody changed in the objects themselves.
        dry_run: look and check, and write nothing.

        Raises InvalidRoute, InvalidValues, TargetNotReady, RouteChanged, TargetBusy, and HelmError's family.
        """
        from sidelane.routes.model import Split  # noqa: PLC0415 - see client.py

        own = lane_of(lane)
        return await self._router.set(
            service,
            own,
            None if weights is None else Split.of(weights, own),
            values={**(values or {}), **({"mode": mode} if mode else {})},
            by=by,
            unready=allow_unready,
            overwrite=overwrite,
            dry_run=dry_run,
        )

    async def routes(self: HasRouter, lane: Lane | str | None = None) -> tuple[Routed, ...]:
        """Every route of the namespace, or those of one lane."""
        return await self._router.list(None if lane is None else lane_of(lane))

    async def routed(self: HasRouter, service: str, lane: Lane | str) -> Routed:
        """A route with its targets as they are now. Raises ReleaseNotFound."""
        return await self._router.show(service, lane_of(lane))

    async def route_history(self: HasRouter, service: str, lane: Lane | str) -> tuple[Change, ...]:
        """Every change of a route that is kept, the oldest first: when, by whom, where to. Raises ReleaseNotFound."""
        return await self._router.history(service, lane_of(lane))

    async def undo_route(
        self: HasRouter,
        service: str,
        lane: Lane | str,
        *,
        to: int | None = None,
        by: str | None = None,
        allow_unready: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Routed:
        """Brings back where a route led before its last change, or at a revision, exactly as it was.

        One ready pod of each target is enough. Twice goes back twice. overwrite: take back what somebody changed in the
        objects themselves, and what a process left that died. Raises Refused when there is nothing before.
        """
        return await self._router.undo(
            service, lane_of(lane), to=to, by=by, unready=allow_unready, overwrite=overwrite, dry_run=dry_run
        )

    async def shift_route(
        self: HasRouter,
        service: str,
        lane: Lane | str,
        to: str,
        *,
        steps: Sequence[int] | None = None,
        every: str = "2m",
        between: str = "10s",
        checks: Sequence[str] = (),
        go_on: bool = False,
        by: str | None = None,
        tell: Callable[[Shift], None] = lambda _: None,
    ) -> Shift:
        """Moves requests to a target step by step, each of ``every``, and asks the checks every ``between``.

        to: the target, as in ``route``. steps: its percentages; the others share the rest as they did before. Without
        them 5, 25, 50 and 100; in mode service, which can't split, 100 alone; with go_on those of the shift. checks:
        such as ``http[limit=500ms,failures=3] http://svc1-v2-2-coco-1/healthz`` (routes/gates.py); that the target is
        ready is always asked where something runs. go_on: with a shift that was interrupted, from the step where it
        stands. tell: told of each step, and of the end.

        When a check fails, the weights from before the shift are put back and GateFailed is raised. Raises also as
        ``route`` does.
        """
        from sidelane.helm.durations import seconds  # noqa: PLC0415 - see client.py
        from sidelane.routes import gates, shift  # noqa: PLC0415

        own = lane_of(lane)
        plan = shift.plan(to, steps, seconds(every), seconds(between), own)
        asked = [gates.Gate.parse(check) for check in checks]
        return await shift.run(self._router, service, own, plan, asked, go_on=go_on, by=by, tell=tell)

    async def end_shift(
        self: HasRouter, service: str, lane: Lane | str, *, by: str | None = None, overwrite: bool = False
    ) -> Routed:
        """Puts back where a route led before the shift that it is in. Raises Refused when it is in none.

        overwrite: as in ``undo_route``.
        """
        from sidelane.routes import shift  # noqa: PLC0415 - see client.py

        return await shift.back(self._router, service, lane_of(lane), by=by, overwrite=overwrite)
