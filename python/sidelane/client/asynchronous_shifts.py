"""AsyncShifts: the verbs of `sidelane shift`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sidelane.client.faces import advising
from sidelane.naming.lane import Lane
from sidelane.naming.subject import lane_of
from sidelane.releases.context import Context

if TYPE_CHECKING:
    from sidelane.routes.changes import Router
    from sidelane.routes.progress import Shift
    from sidelane.routes.returning import ShiftStatus, ShiftUndone
    from sidelane.routes.standing import Standing


@advising
class AsyncShifts:
    """Shifts of many routes in lockstep: from one lane to another, step by step. Available as ``client.shifts``.

    Every step is written to all routes or to none, and a failed gate takes all of them back. The state of a shift is in
    the histories of its routes, so any machine can continue or undo it.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def _router(self) -> Router:
        from sidelane.routes.changes import Router  # noqa: PLC0415 - verbs of releases do not need it

        return Router.of(self._context)

    async def start(
        self,
        old: Lane | str,
        new: Lane | str,
        *,
        services: Sequence[str] = (),
        steps: Sequence[int] | None = None,
        every: str = "2m",
        between: str = "10s",
        gates: Sequence[str] = (),
        stay: str | None = None,
        notify: Sequence[str] = (),
        by: str | None = None,
        tell: Callable[[Shift], None] = lambda _: None,
    ) -> Shift:
        """Moves the requests of every route that leads to one lane to the same versions in another lane.

        Args:
            old: the lane whose requests move.
            new: the lane that gets them.
            services: move only the routes of these services.
            steps: the percentages of the old lane's requests that move. The default is 5, 25, 50 and 100, or 100 if a
                route has the mode service, which cannot split.
            every: the duration of a step, such as ``2m``.
            between: the interval between two runs of the gates.
            gates: such as ``http[limit=500ms] http://svc1-v1-2-coco-2/healthz``. A gate with ``{service}`` in it is
                asked for each service; ``manual`` holds each step until ``promote``. They run in this process. The
                targets' readiness and the restarts of their pods are always checked where something runs.
            stay: keep each caller on its target during the shift: by a ``cookie``, or by a ``header`` that the caller
                sends back; ``none`` for no stay, None for each route's own. Percentages are then shares of new
                sessions, and the step of 100 moves all. Mode service does not support it.
            notify: addresses of receivers that get each step, failure and end as a CloudEvent. A receiver that fails
                does not stop the shift.
            by: the author of the changes, for the histories.
            tell: called with the shift after each step, and at its end.

        Returns:
            The shift with its steps and the answers of its gates.

        Raises:
            GateFailed: a gate failed; every route is as it was before.
            Refused: no route leads to the old lane, or one of them is in another shift.
            InvalidRoute, TargetNotReady, RouteChanged, TargetBusy, HelmError: as in ``client.routes.set``; every route
                is as it was before the step.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1}, mode="istio")
            >>> client.shifts.start("2-coco-1", "live-1", steps=[10, 100], every="0s", between="1ms").outcome
            'done'

        """
        from sidelane.helm.durations import seconds  # noqa: PLC0415 - see _router
        from sidelane.routes import courses, moving, shift  # noqa: PLC0415
        from sidelane.routes.gates import parsed  # noqa: PLC0415

        router = self._router
        move = moving.ToLane(lane_of(old), lane_of(new))
        plan = courses.plan(move, steps, seconds(every), seconds(between), stay)
        named = await courses.leading(router, move, services)
        asked = parsed(gates, [service for service, _ in named])
        return await shift.run(router, await courses.begun(router, plan, named), asked, by=by, tell=tell, notify=notify)

    async def status(self) -> ShiftStatus:
        """Returns the shifts of the namespace: those in progress, and those that nothing followed.

        Returns:
            ``shifts`` has each shift with the state of each of its routes; ``incomplete`` the releases of routes that a
            dead process left in their first write.

        Raises:
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.shifts.status().shifts
            ()

        """
        from sidelane.routes import returning  # noqa: PLC0415 - see _router

        return await returning.status(self._router)

    async def go_on(
        self,
        which: str = "",
        *,
        every: str = "2m",
        between: str = "10s",
        gates: Sequence[str] = (),
        notify: Sequence[str] = (),
        overwrite: bool = False,
        by: str | None = None,
        tell: Callable[[Shift], None] = lambda _: None,
    ) -> Shift:
        """Continues an interrupted shift from its current step, which is first written to all of its routes.

        Args:
            which: the shift's identifier, if several are in progress.
            every: as in ``start``.
            between: as in ``start``.
            gates: as in ``start``; gates are not stored with the shift.
            notify: as in ``start``.
            overwrite: continue also if the process that ran the shift may be alive.
            by: as in ``start``.
            tell: as in ``start``.

        Returns:
            The shift.

        Raises:
            Refused: no shift is in progress.
            TargetBusy: another process runs the shift.
            RouteChanged: others changed one of its routes.
            GateFailed, InvalidRoute, TargetNotReady, HelmError: as in ``start``.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1}, mode="istio")
            >>> _ = client.shifts.start("2-coco-1", "live-1", steps=[100], every="0s", between="1ms")
            >>> client.shifts.go_on(every="0s", between="1ms").outcome
            'done'

        """
        from sidelane.helm.durations import seconds  # noqa: PLC0415 - see _router
        from sidelane.routes import courses, shift, standing  # noqa: PLC0415
        from sidelane.routes.gates import parsed  # noqa: PLC0415

        router = self._router
        now = standing.chosen(await standing.every(router), which)
        asked = parsed(gates, [stand.member.service for stand in now.routes])
        course = await courses.resumed(router, now, seconds(every), seconds(between), overwrite=overwrite)
        return await shift.run(router, course, asked, by=by, tell=tell, notify=notify)

    async def back(
        self,
        which: str = "",
        *,
        by: str | None = None,
        overwrite: bool = False,
    ) -> ShiftUndone:
        """Restores every route of a shift as it was before. Routes that others changed since stay as they are.

        Args:
            which: the shift's identifier, if several are in progress.
            by: as in ``start``.
            overwrite: also undo direct changes of the routes' objects, and changes whose process may be alive.

        Returns:
            The restored routes, and those that others changed.

        Raises:
            Refused: no shift is in progress.
            TargetNotReady, RouteChanged, TargetBusy, HelmError: as in ``client.routes.undo``.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1}, mode="istio")
            >>> _ = client.shifts.start("2-coco-1", "live-1", steps=[100], every="0s", between="1ms")
            >>> [str(each.route) for each in client.shifts.back().routes]
            ['v1=1']

        """
        from sidelane.routes import returning  # noqa: PLC0415 - see _router

        return await returning.back_of(self._router, which, by=by, overwrite=overwrite)

    async def promote(self, which: str = "", *, by: str | None = None) -> Standing:
        """Lets the present step of a shift with the gate ``manual`` end.

        Args:
            which: the shift's identifier, if several are in progress.
            by: as in ``start``.

        Returns:
            The shift.

        Raises:
            Refused: no shift is in progress.
            RouteChanged: others changed one of its routes.
            TargetBusy, HelmError: as in ``client.routes.set``.

        Example:
            >>> client.shifts.promote().mark.step  # doctest: +SKIP
            1

        """
        from sidelane.routes import returning  # noqa: PLC0415 - see _router

        return await returning.promote(self._router, which, by=by)
