"""The shifts that routes are in, from their histories: the state after an interruption, and who holds a shift."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sidelane.errors import Refused, ReleaseNotFound, RouteChanged, TargetBusy
from sidelane.naming.lane import Lane
from sidelane.naming.route import Known
from sidelane.releases.stores import Release
from sidelane.releases.stores.holding import may_work
from sidelane.routes import finding, marks, notes
from sidelane.routes.changes import Router
from sidelane.routes.finding import Found
from sidelane.routes.marks import Mark, Member
from sidelane.routes.notes import Change
from sidelane.routes.places import History


class Stand(NamedTuple):
    """One route of a shift at present. at: its step; 0 if it is as before the shift; None if another change followed,
    or the route is gone. release: None if the route is gone. ended: it has the mark of the shift's end.
    """

    member: Member
    at: int | None
    release: Release | None
    changes: tuple[Change, ...] = ()
    ended: bool = False

    @property
    def incomplete(self) -> bool:
        """True if the last change was not finished: its process still works, or is dead."""
        return bool(self.changes) and not self.changes[-1].held

    @property
    def held(self) -> Change:
        """The last change that took effect."""
        return next(change for change in reversed(self.changes) if change.held)

    def __str__(self) -> str:
        if self.release is None:
            return "the route was removed"
        if self.at is None:
            last = self.held
            when = f" at {last.when:%Y-%m-%d %H:%M:%S}" if last.when else ""
            return f"{last.by or 'plain Helm'} changed it{when}: {last.leads or last.note}"
        text = f"at step {self.at}{', ended' * self.ended}" if self.at else "as before the shift"
        return f"{text}; its last change is incomplete ({self.changes[-1].status})" if self.incomplete else text


class Standing(NamedTuple):
    """A shift at present. mark: the latest one. by: its author."""

    mark: Mark
    by: str
    routes: tuple[Stand, ...]

    @property
    def ended(self) -> bool:
        """True if every route has made the last step and the last gates have passed, apart from routes that others
        changed. The first route that has the mark of the end proves it for all.
        """
        made = (self.mark.step, None)
        return self.mark.ended and all(stand.at in made and not stand.incomplete for stand in self.routes)

    @property
    def is_held(self) -> bool:
        """True if another process may still run this shift."""
        return not self.mark.ended and may_work(self.mark.holder, self.mark.until)

    def __str__(self) -> str:
        return f"{self.mark}, by {self.by}"

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        mark = self.mark
        return {
            "id": mark.id,
            "move": str(mark.move),
            "step": mark.step,
            "steps": list(mark.steps),
            "percent": mark.steps[mark.step - 1],
            "promoted": mark.promoted,
            "by": self.by,
            "ended": self.ended,
            "running": self.is_held,
            "routes": [{"route": stand.member.name, "at": stand.at, "state": str(stand)} for stand in self.routes],
        }

    def require_unchanged(self) -> None:
        """Raises RouteChanged if a route was changed by others since the shift."""
        changed = [f"{stand.member.name}: {stand}" for stand in self.routes if stand.at is None]
        if changed:
            raise RouteChanged(
                "another process changed routes of the shift, and nothing was overwritten:\n  " + "\n  ".join(changed),
                remedy="take the other routes back with --back, or set them",
            )

    def require_free(self) -> None:
        """Raises TargetBusy if another process may still run this shift."""
        if self.is_held:
            raise TargetBusy(
                f"{self}, and that process is still running",
                remedy="wait until it ends, undo the shift with --back, or add --overwrite if that process is dead",
            )


def mark_of(history: History) -> tuple[Mark, str] | None:
    """Returns the mark of the shift that a route is in, and its author."""
    changes = notes.changes_of(history.revisions)
    mark = marks.current(changes)
    if mark is None:
        return None
    by = next((change.by for change in reversed(changes) if marks.read(change.context) == mark), "")
    return mark, by


async def every(router: Router, among: Iterable[tuple[str, Lane]] | None = None) -> tuple[Standing, ...]:
    """Returns the shifts of these routes, or of all routes of the place: those in progress, and those whose end is the
    last change of their routes. Raises ReleaseNotFound.
    """
    if among is None:
        among = [stored_route.route for stored_route in await finding.every(router.place)]
    found = await router.read(among, histories=True)
    latest: dict[str, tuple[Mark, str]] = {}
    for pair in filter(None, [mark_of(await found.require(*route)) for route in found.wanted]):
        if pair[0].id not in latest or _order(latest[pair[0].id][0]) < _order(pair[0]):
            latest[pair[0].id] = pair
    members = {Known(member.service, member.lane) for mark, _ in latest.values() for member in mark.members}
    if others := members - set(found.wanted):
        found = found.with_more(await router.read(others, histories=True))
    return tuple(_standing(found, mark, by) for mark, by in latest.values())


def _order(mark: Mark) -> tuple[bool, int, bool]:
    return mark.ended, mark.step, mark.promoted


def chosen(shifts: Sequence[Standing], which: str = "") -> Standing:
    """Returns the shift with this identifier, or the only one in progress. Raises Refused."""
    if which:
        wanted = [shift for shift in shifts if shift.mark.id == which]
    else:
        wanted = [shift for shift in shifts if not shift.ended] or list(shifts)
    if len(wanted) == 1:
        return wanted[0]
    if not wanted:
        raise Refused(f"no shift {which} is in progress".replace("  ", " "), remedy="see `sidelane shift status`")
    raise Refused(
        "several shifts are in progress:\n  " + "\n  ".join(map(str, wanted)), remedy="name one of them with --id"
    )


def _standing(found: Found, mark: Mark, by: str) -> Standing:
    stands = [_stand(found, mark.id, member) for member in mark.members]
    # The routes may be only some of the shift's: another one may have the mark of the end.
    ended = mark.ended or any(stand.ended for stand in stands)
    return Standing(mark._replace(ended=ended, step=len(mark.steps) if ended else mark.step), by, tuple(stands))


def _stand(found: Found, which: str, member: Member) -> Stand:
    history = found.get(member.service, member.lane)
    if history is None:
        return Stand(member, None, None)
    changes = notes.changes_of(history.revisions)
    mark = marks.current(changes)
    ended = mark is not None and mark.id == which and mark.ended
    return Stand(member, _at(changes, which, member.base), history.now.release, changes, ended)


def _at(changes: Sequence[Change], which: str, base: int) -> int | None:
    mark = marks.current(changes)
    if mark is not None and mark.id == which:
        return mark.step
    last = next((change.revision for change in reversed(changes) if change.held), None)
    if last is not None and notes.origin(changes, last) == notes.origin(changes, base):
        return 0
    return None


async def completed(router: Router, stand: Stand, *, overwrite: bool = False) -> int:
    """Undoes the incomplete last change of a route, if it has one. Returns the route's revision.

    overwrite: also if its process may still work. Raises TargetBusy.
    """
    release = stand.release
    if release is None:
        raise ReleaseNotFound(f"the route {stand.member.name} was removed", remedy="see `sidelane route list`")
    if not stand.incomplete:
        return release.revision
    if release.is_pending and not overwrite and not await router.given_up(release):
        raise TargetBusy(
            f"another process is changing {release.name} ({release.status})",
            remedy="wait until it ends, or add --overwrite if that process is dead",
        )
    return (await router.place.roll_back(release.name, stand.held.revision, release.revision)).revision
