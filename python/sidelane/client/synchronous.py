"""Client, its Routes and its Shifts: the verbs of the asynchronous ones for scripts, which wait for each result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, overload

from sidelane.client.asynchronous import AsyncClient
from sidelane.client.asynchronous_routes import AsyncRoutes
from sidelane.client.asynchronous_shifts import AsyncShifts
from sidelane.client.faces import Waits, documented_as, waiting, with_arguments_of
from sidelane.naming.lane import Lane

if TYPE_CHECKING:
    from sidelane.lanes.lane_status import LaneStatus
    from sidelane.releases.provenance import Record
    from sidelane.releases.stores import Release


class Routes(Waits[AsyncRoutes]):
    """AsyncRoutes for scripts: the same arguments and the same verbs. Available as ``client.routes``."""

    _written: ClassVar = "AsyncClient(...).routes"

    set = waiting(AsyncRoutes.set)
    show = waiting(AsyncRoutes.show)
    list = waiting(AsyncRoutes.list)
    history = waiting(AsyncRoutes.history)
    undo = waiting(AsyncRoutes.undo)
    shift = waiting(AsyncRoutes.shift)
    shift_back = waiting(AsyncRoutes.shift_back)
    set_together = waiting(AsyncRoutes.set_together)
    undo_together = waiting(AsyncRoutes.undo_together)


class Shifts(Waits[AsyncShifts]):
    """AsyncShifts for scripts: the same arguments and the same verbs. Available as ``client.shifts``."""

    _written: ClassVar = "AsyncClient(...).shifts"

    start = waiting(AsyncShifts.start)
    status = waiting(AsyncShifts.status)
    go_on = waiting(AsyncShifts.go_on)
    back = waiting(AsyncShifts.back)
    promote = waiting(AsyncShifts.promote)


class Client(Waits[AsyncClient]):
    """AsyncClient for scripts: the same arguments and the same verbs, which wait for each result."""

    @with_arguments_of(AsyncClient.__init__)
    def __init__(self, **settings: Any) -> None:
        super().__init__(AsyncClient(**settings))

    @property
    def routes(self) -> Routes:
        """The routes of the namespace, and the verbs that change them."""
        return Routes(self._asynchronous.routes)

    @property
    def shifts(self) -> Shifts:
        """The shifts of many routes in lockstep."""
        return Shifts(self._asynchronous.shifts)

    install = waiting(AsyncClient.install)
    upgrade = waiting(AsyncClient.upgrade)
    uninstall = waiting(AsyncClient.uninstall)
    list = waiting(AsyncClient.list)
    wait = waiting(AsyncClient.wait)
    where = waiting(AsyncClient.where)
    render = waiting(AsyncClient.render)
    check = waiting(AsyncClient.check)
    check_all = waiting(AsyncClient.check_all)
    check_deployed = waiting(AsyncClient.check_deployed)
    side_by_side = waiting(AsyncClient.side_by_side)
    plan = waiting(AsyncClient.plan)
    apply = waiting(AsyncClient.apply)
    retire = waiting(AsyncClient.retire)
    outdated = waiting(AsyncClient.outdated)
    guard_status = waiting(AsyncClient.guard_status)
    guard_role = waiting(AsyncClient.guard_role)
    verify = waiting(AsyncClient.verify)
    repair = waiting(AsyncClient.repair)
    diff = waiting(AsyncClient.diff)
    bundle = waiting(AsyncClient.bundle)
    replay = waiting(AsyncClient.replay)
    graph = waiting(AsyncClient.graph)

    # The types of their results depend on their arguments, which generated verbs cannot express.
    @overload
    def status(self, what: str, lane: Lane | str | None = None) -> Release: ...
    @overload
    def status(self, what: Lane) -> LaneStatus: ...
    @overload
    def status(self, *, lane: Lane | str) -> LaneStatus: ...
    @documented_as(AsyncClient.status)
    def status(self, what: Any = None, lane: Lane | str | None = None) -> Release | LaneStatus:
        return self._wait(self._asynchronous.status, what, lane)

    @overload
    def record(self, what: str, lane: Lane | str | None = None) -> Record: ...
    @overload
    def record(self, what: Lane) -> tuple[Record, ...]: ...
    @overload
    def record(self, *, lane: Lane | str) -> tuple[Record, ...]: ...
    @documented_as(AsyncClient.record)
    def record(self, what: Any = None, lane: Lane | str | None = None) -> Record | tuple[Record, ...]:
        return self._wait(self._asynchronous.record, what, lane)
