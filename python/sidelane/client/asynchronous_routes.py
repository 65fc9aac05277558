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
    from sidelane.routes.progress import Shift
    from sidelane.routes.routed import Routed
    from sidelane.routes.together import RoutedTogether


@advising
class AsyncRoutes:
    """Routes: the targets of services' stable names. Available as ``client.routes``.

    A route is identified by its service and the lane of its stable name: svc1 in 2-coco-1 is ``http://svc1-2-coco-1``.
    Only routes change in place.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def _router(self) -> Router:
        from sidelane.routes.changes import Router  # noqa: PLC0415 - verbs of releases do not need it

        return Router.of(self._context)

    async def set(
        self,
        service: str,
        lane: Lane | str,
        weights: Mapping[str, int] | None = None,
        *,
        mode: str | None = None,
        stay: str | None = None,
        target_service: str | None = None,
        values: Mapping[str, Any] | None = None,
        by: str | None = None,
        allow_unready: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Routed:
        """Sets the targets of a service's stable name, and creates its route if it has none.

        Omitted arguments change nothing. The change is one write, which is refused if another process changed the route
        in between.

        Args:
            service: the service's name, such as ``svc1``.
            lane: the lane of the stable name.
            weights: the share of each target: ``v2``, ``2-coco-2/v2`` in another lane, ``2-coco-2`` for a component
                without versions.
            mode: ``service``, ``istio`` or ``gateway``.
            stay: keep each caller on its target while requests are split: by a ``cookie``, or by a ``header`` that the
                caller sends back; ``none`` to choose anew for each request. Mode service does not support it.
            target_service: the pattern of the targets' own Services, such as ``{name}-{lane}-api``, for charts that
                name them in their own way; placeholders: ``{name}``, ``{lane}``, ``{serviceVersion}``. Empty for
                the naming contract's names.
            values: further values of the chart `route`: matches, mirror, timeout, ports and others.
            by: the author of the change, for the history. The default is SIDELANE_CHANGED_BY, the CI's user, or
                user@host.
            allow_unready: allow targets whose pods are not ready for their share.
            overwrite: also undo direct changes of the route's objects.
            dry_run: check the change without making it.

        Returns:
            The route with the present state of its targets. ``change`` is created, changed or unchanged.

        Raises:
            InvalidRoute, InvalidValues: the targets, weights or values are invalid.
            TargetNotReady: a target is missing, or has too few ready pods for its share.
            RouteChanged, TargetBusy: another process changes the route.
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
            values=_asked(values, mode, stay, target_service),
            terms=Terms(by, unready=allow_unready, overwrite=overwrite, dry_run=dry_run),
        )

    async def show(self, service: str, lane: Lane | str) -> Routed:
        """Returns a route with the present state of its targets.

        Args:
            service: the service's name.
            lane: the lane of the stable name.

        Returns:
            The route. ``backends`` has the Services of its targets, with their ready pods; ``drift`` has a line for
            each direct change of its objects.

        Raises:
            ReleaseNotFound: the service has no route in this lane.
            NotOurs: the release with the route's name is not a route.

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
            The routes, sorted by the names of their releases.

        Raises:
            HelmError: Helm or the cluster failed.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1})
            >>> [each.route.name for each in client.routes.list()]
            ['svc1-2-coco-1']

        """
        return await self._router.list(None if lane is None else lane_of(lane))

    async def history(self, service: str, lane: Lane | str) -> tuple[Change, ...]:
        """Returns every change in a route's history, oldest first.

        Args:
            service: the service's name.
            lane: the lane of the stable name.

        Returns:
            The changes: each with its revision, time, author and targets.

        Raises:
            ReleaseNotFound: the service has no route in this lane.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1}, by="alice")
            >>> [(each.revision, each.by, each.leads) for each in client.routes.history("svc1", "2-coco-1")]
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

        One ready pod of each target is enough. A second call goes back one more change.

        Args:
            service: the service's name.
            lane: the lane of the stable name.
            to: restore this revision instead.
            by: as in ``set``.
            allow_unready: allow targets without a ready pod.
            overwrite: also undo direct changes of the route's objects, and an unfinished change of a dead process.
            dry_run: check the change without making it.

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
        stay: str | None = None,
        notify: Sequence[str] = (),
        go_on: bool = False,
        by: str | None = None,
        tell: Callable[[Shift], None] = lambda _: None,
    ) -> Shift:
        """Moves requests to a target step by step, and restores the weights if a check fails.

        Args:
            service: the service's name.
            lane: the lane of the stable name.
            to: the target, as in ``set``.
            steps: the target's percentages; the other targets share the rest as before. The default is 5, 25, 50 and
                100; in mode service, which cannot split, 100; with go_on the steps of the shift.
            every: the duration of a step, such as ``2m``.
            between: the interval between two runs of the checks.
            checks: such as ``http[limit=500ms,failures=3] http://svc1-v2-2-coco-1/healthz``; see routes/gates.py. The
                target's readiness is always checked where something runs.
            stay: as in ``set``, from the first step on. Percentages are then shares of new sessions, and the step of
                100 moves all. With go_on the shift keeps its own.
            notify: addresses of receivers that get each step, failure and end as a CloudEvent. A receiver that fails
                does not stop the shift.
            go_on: continue an interrupted shift from its current step.
            by: as in ``set``.
            tell: called with the shift after each step, and at its end.

        Returns:
            The shift with its steps and the answers of its checks.

        Raises:
            GateFailed: a check failed; the weights from before the shift are restored.
            Refused: a shift is in progress, or with go_on no matching one.
            InvalidRoute, TargetNotReady, RouteChanged, TargetBusy, HelmError: as in ``set``.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1}, mode="istio")
            >>> client.routes.shift("svc1", "2-coco-1", "v2", steps=[10, 100], every="0s", between="1ms").outcome
            'done'

        """
        from sidelane.helm.durations import seconds  # noqa: PLC0415 - see _router
        from sidelane.routes import courses, moving, shift  # noqa: PLC0415
        from sidelane.routes.destination import Destination  # noqa: PLC0415
        from sidelane.routes.gates import parsed  # noqa: PLC0415

        own, router = lane_of(lane), self._router
        move = moving.ToTarget(Destination.parse(to).within(own))
        plan = courses.plan(move, steps, seconds(every), seconds(between), stay)
        asked = parsed(checks, [service])
        if go_on:
            course = await courses.continued(router, plan, service, own)
        else:
            course = await courses.begun(router, plan, [(service, own)])
        return await shift.run(router, course, asked, by=by, tell=tell, notify=notify)

    async def shift_back(
        self, service: str, lane: Lane | str, *, by: str | None = None, overwrite: bool = False
    ) -> Routed:
        """Restores the weights from before the current shift of a route.

        Args:
            service: the service's name.
            lane: the lane of the stable name.
            by: as in ``set``.
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
        from sidelane.routes import courses, returning  # noqa: PLC0415 - see _router

        router, own = self._router, lane_of(lane)
        done = await returning.back(router, await courses.of_one(router, service, own), by=by, overwrite=overwrite)
        return done.require_all()[0]

    async def set_together(
        self,
        services: Sequence[str],
        lane: Lane | str,
        weights: Mapping[str, int] | None = None,
        *,
        mode: str | None = None,
        stay: str | None = None,
        target_service: str | None = None,
        values: Mapping[str, Any] | None = None,
        by: str | None = None,
        allow_unready: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> RoutedTogether:
        """Sets the same targets for several services' stable names: all of them, or none.

        Nothing is written before every change is allowed. When a write fails, the routes already written go back.

        Args:
            services: the services' names.
            lane: the lane of the stable names.
            weights: as in ``set``.
            mode: as in ``set``.
            stay: as in ``set``.
            target_service: as in ``set``.
            values: as in ``set``.
            by: as in ``set``.
            allow_unready: as in ``set``.
            overwrite: as in ``set``.
            dry_run: as in ``set``.

        Returns:
            The routes, and the time between the first and the last write.

        Raises:
            InvalidRoute, InvalidValues, TargetNotReady, RouteChanged, TargetBusy, HelmError: as in ``set``.

        Example:
            >>> done = client.routes.set_together(["svc1"], "2-coco-1", {"v1": 1})
            >>> [str(each.route) for each in done.routes]
            ['v1=1']

        """
        from sidelane.routes.model import Split  # noqa: PLC0415 - see _router
        from sidelane.routes.terms import Terms  # noqa: PLC0415
        from sidelane.routes.together import all_or_none  # noqa: PLC0415

        own, router = lane_of(lane), self._router
        split = None if weights is None else Split.of(weights, own)
        more = _asked(values, mode, stay, target_service)
        terms = Terms(by, unready=allow_unready, overwrite=overwrite, dry_run=dry_run)
        names = tuple(dict.fromkeys(services))
        read = await router.read((service, own) for service in names)
        wanted = (router.setting(service, own, split, values=more, terms=terms, read=read) for service in names)
        return await all_or_none(router, wanted)

    async def undo_together(
        self,
        services: Sequence[str],
        lane: Lane | str,
        *,
        by: str | None = None,
        allow_unready: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> RoutedTogether:
        """Restores several routes as each was before its last change: all of them, or none.

        Args:
            services: the services' names.
            lane: the lane of the stable names.
            by: as in ``undo``.
            allow_unready: as in ``undo``.
            overwrite: as in ``undo``.
            dry_run: as in ``undo``.

        Returns:
            The routes, and the time between the first and the last write.

        Raises:
            Refused, ReleaseNotFound, TargetNotReady, RouteChanged, TargetBusy, HelmError: as in ``undo``.

        Example:
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v1": 1})
            >>> _ = client.routes.set("svc1", "2-coco-1", {"v2": 1})
            >>> [str(each.route) for each in client.routes.undo_together(["svc1"], "2-coco-1").routes]
            ['v1=1']

        """
        from sidelane.routes.changes import undone  # noqa: PLC0415 - see _router
        from sidelane.routes.terms import Terms  # noqa: PLC0415
        from sidelane.routes.together import all_or_none  # noqa: PLC0415

        own, router = lane_of(lane), self._router
        terms = Terms(by, unready=allow_unready, overwrite=overwrite, dry_run=dry_run)
        names = tuple(dict.fromkeys(services))
        read = await router.read(((service, own) for service in names), histories=True)
        done = await all_or_none(router, (router.undoing(service, own, terms=terms, read=read) for service in names))
        return done._replace(routes=tuple(map(undone, done.routes)))


def _asked(
    values: Mapping[str, Any] | None, mode: str | None, stay: str | None, target_service: str | None
) -> dict[str, Any]:
    """Returns the chart's values that a change of a route asks for."""
    from sidelane.charts.chart import coalesce  # noqa: PLC0415 - see _router
    from sidelane.routes.staying import stay_values  # noqa: PLC0415

    named = {} if target_service is None else {"targetService": target_service}
    return coalesce(values or {}, {**({"mode": mode} if mode else {}), **stay_values(stay), **named})
