"""AsyncRoutes: the verbs of `sidelane route`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sidelane.client.faces import advising
from sidelane.naming.lane import Lane
from sidelane.naming.subject import lane_of
from sidelane.releases.context import Context

if TYPE_CHECKING:
    from sidelane.routes.changes import Router
    from sidelane.routes.notes import Change
    from sidelane.routes.routed import Routed
    from sidelane.routes.shift import Shift


@advising
class AsyncRoutes:
    """Routes: where the stable names of services lead. Reached as ``client.routes``.

    A route is known by its service and the lane of its stable name: svc1 in 2-coco-1 is ``http://svc1-2-coco-1``. It
    is the only thing that changes in place.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def _router(self) -> Router:
        from sidelane.routes.changes import Router  # noqa: PLC0415 - verbs of releases need none of it

        return Router.of(self._context)

    async def set(
        self,
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
        """Leads a service's stable name to targets, and creates its route if it has none.

        What is not given stays as it is. The change is one write, which is refused if somebody else changed the route
        in between.

        Args:
            service: the service's name, such as ``svc1``.
            lane: the lane of the stable name.
            weights: the share of each target: ``v2``, ``2-coco-2/v2`` in another lane, ``2-coco-2`` for a component
                without versions.
            mode: ``service``, ``istio`` or ``gateway``.
            values: further values of the chart `route`: matches, mirror, timeout, ports and others.
            by: who changes it, for the history. The default is SIDELANE_CHANGED_BY, the user that CI names, or
                user@host.
            allow_unready: lead there although pods are not ready for their share.
            overwrite: replace what somebody changed in the objects themselves.
            dry_run: look and check, and write nothing.

        Returns:
            The route with its targets as they are now. ``change`` is created, changed or unchanged.

        Raises:
            InvalidRoute, InvalidValues: the targets, weights or values are invalid.
            TargetNotReady: a target is not there, or has too few ready pods for its share.
            RouteChanged, TargetBusy: somebody else changes the route.
            HelmError: Helm or the cluster failed.

        Example:
            >>> client.routes.set("svc1", "2-coco-1", {"v1": 90, "v2": 10}, mode="istio").to_json()["weights"]
            {'v1': 90, 'v2': 10}

        """
        from sidelane.routes.model import Split  # noqa: PLC0415 - see _router
        from sidelane.routes.terms import Terms  # noqa: PLC0415

        own = lane_of(lane)
        return await self._router.set(
            service,
            own,
            None if weights is None else Split.of(weights, own),
            values={**(values or {}), **({"mode": mode} if mode else {})},
            terms=Terms(by, unready=allow_unready, overwrite=overwrite, dry_run=dry_run),
        )

    async def show(self, service: str, lane: Lane | str) -> Routed:
        """Returns a route with its targets as they are now.

        Args:
            service: the service's name.
            lane: the lane of the stable name.

        Returns:
            The route. ``backends`` has the Services that it leads to, with their ready pods; ``drift`` has a line for
            each change that somebody made to its objects.

        Raises:
            ReleaseNotFound: the service has no route in this lane.
            NotOurs: a release of the route's name is something else.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1})
            >>> str(client.routes.show("svc1", "2-coco-1").route)
            'v1=1'

        """
        return await self._router.show(service, lane_of(lane))

    async def list(self, lane: Lane | str | None = None) -> tuple[Routed, ...]:
        """Returns every route of the namespace.

        Args:
            lane: return those whose stable name is in this lane.

        Returns:
            The routes, by the names of their releases.

        Raises:
            HelmError: Helm or the cluster failed.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1})
            >>> [one.route.name for one in client.routes.list()]
            ['svc1-2-coco-1']

        """
        return await self._router.list(None if lane is None else lane_of(lane))

    async def history(self, service: str, lane: Lane | str) -> tuple[Change, ...]:
        """Returns every change of a route that its history keeps, the oldest first.

        Args:
            service: the service's name.
            lane: the lane of the stable name.

        Returns:
            The changes: each with its revision, time, author and targets.

        Raises:
            ReleaseNotFound: the service has no route in this lane.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1}, by="alice")
            >>> [(one.revision, one.by, one.leads) for one in client.routes.history("svc1", "2-coco-1")]
            [(1, 'alice', 'v1=1')]

        """
        return await self._router.history(service, lane_of(lane))

    async def undo(
        self,
        service: str,
        lane: Lane | str,
        *,
        to: int | None = None,
        by: str | None = None,
        allow_unready: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Routed:
        """Restores the targets of a route from before its last change, exactly as they were.

        One ready pod of each target is enough. Called twice, it goes back twice.

        Args:
            service: the service's name.
            lane: the lane of the stable name.
            to: restore this revision instead.
            by: who changes it, as in ``set``.
            allow_unready: lead there although no pod is ready.
            overwrite: replace what somebody changed in the objects themselves, and what a process left that died.
            dry_run: look and check, and write nothing.

        Returns:
            The route. ``change`` is undone or unchanged.

        Raises:
            Refused: the history has no earlier revision, or not this one.
            ReleaseNotFound, TargetNotReady, RouteChanged, TargetBusy, HelmError: as in ``set``.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1})
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v2": 1})
            >>> str(client.routes.undo("svc1", "2-coco-1").route)
            'v1=1'

        """
        from sidelane.routes.terms import Terms  # noqa: PLC0415 - see _router

        terms = Terms(by, unready=allow_unready, overwrite=overwrite, dry_run=dry_run)
        return await self._router.undo(service, lane_of(lane), to=to, terms=terms)

    async def shift(
        self,
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
        """Moves requests to a target step by step, and puts the weights back if a check fails.

        Args:
            service: the service's name.
            lane: the lane of the stable name.
            to: the target, as in ``set``.
            steps: the target's percentages; the other targets share the rest as before. The default is 5, 25, 50 and
                100; in mode service, which can't split, 100; with go_on the steps of the shift.
            every: how long a step lasts, such as ``2m``.
            between: the time between two questions to the checks.
            checks: such as ``http[limit=500ms,failures=3] http://svc1-v2-2-coco-1/healthz``; see routes/gates.py. The
                target's readiness is always checked where something runs.
            go_on: continue a shift that was interrupted, from the step where it stands.
            by: who changes it, as in ``set``.
            tell: called with the shift after each step, and at its end.

        Returns:
            The shift with its steps and the answers of its checks.

        Raises:
            GateFailed: a check failed; the weights from before the shift are back.
            Refused: a shift is in progress, or with go_on none that matches.
            InvalidRoute, TargetNotReady, RouteChanged, TargetBusy, HelmError: as in ``set``.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1}, mode="istio")
            >>> client.routes.shift("svc1", "2-coco-1", "v2", steps=[10, 100], every="0s", between="1ms").outcome
            'done'

        """
        from sidelane.helm.durations import seconds  # noqa: PLC0415 - see _router
        from sidelane.routes import gates, shift  # noqa: PLC0415

        own = lane_of(lane)
        plan = shift.plan(to, steps, seconds(every), seconds(between), own)
        asked = [gates.Gate.parse(check) for check in checks]
        return await shift.run(self._router, service, own, plan, asked, go_on=go_on, by=by, tell=tell)

    async def shift_back(
        self, service: str, lane: Lane | str, *, by: str | None = None, overwrite: bool = False
    ) -> Routed:
        """Restores the weights from before the shift that a route is in.

        Args:
            service: the service's name.
            lane: the lane of the stable name.
            by: who changes it, as in ``set``.
            overwrite: as in ``undo``.

        Returns:
            The route.

        Raises:
            Refused: no shift is in progress.
            ReleaseNotFound, RouteChanged, TargetBusy, HelmError: as in ``undo``.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1}, mode="istio")
            >>> _ = client.routes.shift("svc1", "2-coco-1", "v2", steps=[10], every="0s", between="1ms")
            >>> str(client.routes.shift_back("svc1", "2-coco-1").route)
            'v1=1'

        """
        from sidelane.routes import shift  # noqa: PLC0415 - see _router

        return await shift.back(self._router, service, lane_of(lane), by=by, overwrite=overwrite)
