"""The return of a shift, also of one that a dead process left; and the state of all shifts of a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sidelane.errors import Refused, RouteChanged, SidelaneError
from sidelane.releases.stores import Release
from sidelane.releases.stores.ours import route_of
from sidelane.routes import finding, notes
from sidelane.routes.announcing import Announcement
from sidelane.routes.changes import Router, undone
from sidelane.routes.model import about
from sidelane.routes.places import AT_ONCE
from sidelane.routes.routed import Routed
from sidelane.routes.standing import Stand, Standing, chosen, completed, every
from sidelane.routes.terms import Terms
from sidelane.routes.together import each_alone
from sidelane.routes.writing import Prepared
from sidelane.support.concurrency import outcomes, together


class ShiftUndone(NamedTuple):
    """The result of a return: the routes as before the shift, and those that others changed, with the change. unsent:
    Kubernetes Events that could not be written.
    """

    id: str
    routes: tuple[Routed, ...]
    changed: Mapping[str, str]
    unsent: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        return {
            "id": self.id,
            "routes": [route.to_json() for route in self.routes],
            "changedByOthers": dict(self.changed),
            **({"unsent": list(self.unsent)} if self.unsent else {}),
        }

    def require_all(self) -> tuple[Routed, ...]:
        """Returns the routes. Raises RouteChanged if others changed one, which stays as it is."""
        if self.changed:
            lines = "\n  ".join(f"{name}: {how}" for name, how in self.changed.items())
            raise RouteChanged(
                f"others changed routes of the shift, and nothing was overwritten:\n  {lines}",
                remedy=f"see {', '.join(map(about, self.changed))}, and set them again; "
                "the other routes are as before the shift",
            )
        return self.routes


async def back(router: Router, standing: Standing, *, by: str | None = None, overwrite: bool = False) -> ShiftUndone:
    """Restores each route of a shift as it was before. A route that others changed since stays as it is.

    Raises the first error, once all routes were tried.
    """
    stands = [stand for stand in standing.routes if stand.at is not None]
    results = await _backs(router, stands, by, overwrite=overwrite)
    errors = [
        (stand.member.name, result)
        for stand, result in zip(stands, results, strict=True)
        if isinstance(result, BaseException)
    ]
    if errors:
        name, error = errors[0]
        if isinstance(error, SidelaneError) and len(stands) > 1:
            others = ", ".join(other for other, _ in errors[1:])
            error.problem = f"{name}: {error.problem}" + (f"\nalso not back: {others}" if others else "")
            error.args = (error.problem, *error.args[1:])
        raise error
    routes = tuple(result for result in results if isinstance(result, Routed))
    changed = {stand.member.name: str(stand) for stand in standing.routes if stand.at is None}
    return ShiftUndone(standing.mark.id, routes, changed, await _announced(router, standing, routes))


async def _announced(router: Router, standing: Standing, routes: Sequence[Routed]) -> tuple[str, ...]:
    """Writes events about a return. Returns the failures."""
    announcer = await router.place.announcer()
    back = [routed.route for routed in routes if routed.change]
    if announcer is None or not back:
        return ()
    text = f"shift {standing.mark.id} {standing.mark.move}: back to what the route was before the shift"
    announcer.write(Announcement.on(back, "ShiftReturned", text))
    return await announcer.finish()


async def _backs(
    router: Router, stands: Sequence[Stand], by: str | None, *, overwrite: bool
) -> list[Routed | BaseException]:
    """Restores routes, each also if others fail. Returns the routes, or the errors."""
    revisions = await outcomes((completed(router, stand, overwrite=overwrite) for stand in stands), AT_ONCE)
    named = [(stand.member.service, stand.member.lane) for stand in stands]
    found = await router.read(named, histories=True)

    def revision(at: int) -> int:
        if isinstance(made := revisions[at], BaseException):
            raise made
        return made

    async def undoing(at: int) -> Prepared:
        terms = Terms(by, revision(at), unready=True, overwrite=overwrite)
        return await router.undoing(*named[at], to=stands[at].member.base, terms=terms, read=found)

    async def shown(at: int) -> Routed:
        revision(at)
        return await router.shown((await found.require(*named[at])).now, stands[at].member.lane)

    moved, still = ([at for at, stand in enumerate(stands) if bool(stand.at) is moved] for moved in (True, False))
    results = dict(zip(moved, await each_alone(router, map(undoing, moved)), strict=True))
    results |= dict(zip(still, await outcomes(map(shown, still), AT_ONCE), strict=True))
    return [undone(result) if isinstance(result, Routed) else result for _, result in sorted(results.items())]


class ShiftStatus(NamedTuple):
    """The shifts of a namespace. incomplete: the releases of routes that a dead process left in the first write of a
    shift, before any of its routes was changed; ``back`` restores them.
    """

    shifts: tuple[Standing, ...]
    incomplete: tuple[str, ...]

    @property
    def in_progress(self) -> tuple[Standing, ...]:
        """The shifts that have steps left."""
        return tuple(shift for shift in self.shifts if not shift.ended)

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        return {"shifts": [shift.to_json() for shift in self.shifts], "incomplete": list(self.incomplete)}


async def status(router: Router) -> ShiftStatus:
    """Returns the shifts of a place."""
    releases = await router.place.releases()
    routes = [stored_route.route for stored_route in await finding.every(router.place, releases)]
    shifts, incomplete = await together(every(router, routes), _incomplete(router, releases))
    known = {stand.release.name for shift in shifts for stand in shift.routes if stand.release}
    return ShiftStatus(shifts, tuple(release.name for release in incomplete if release.name not in known))


async def back_of(router: Router, which: str, *, by: str | None, overwrite: bool) -> ShiftUndone:
    """Takes a shift back, or restores the routes that a dead process left in the first write of one. Raises Refused."""
    now = await status(router)
    if now.incomplete and not which and all(shift.ended for shift in now.shifts):
        return ShiftUndone("", tuple([await _restored(router, name) for name in now.incomplete]), {})
    return await back(router, chosen(now.shifts, which), by=by, overwrite=overwrite)


async def promote(router: Router, which: str = "", *, by: str | None = None) -> Standing:
    """Lets the manual gates of a shift's present step pass. Raises Refused if no shift is in progress."""
    now = chosen(await every(router), which)
    now.require_unchanged()
    service, lane, _ = now.mark.members[0]
    release = now.routes[0].release
    context = now.mark._replace(promoted=True).text
    terms = Terms(by, release.revision if release else None, unready=True, context=context, always=True)
    await router.write(await router.setting(service, lane, terms=terms))
    return now._replace(mark=now.mark._replace(promoted=True))


async def _restored(router: Router, name: str) -> Routed:
    histories = await router.place.histories([name])
    if not histories:
        raise await router.place.missing(name)
    stored = histories[0].now
    held = [change for change in notes.changes_of(histories[0].revisions) if change.held]
    known = route_of(stored)
    if known is None or not held:
        raise Refused(f"{name} was never deployed", remedy=f"uninstall it with `sidelane uninstall {name}`")
    await router.place.roll_back(name, held[-1].revision, stored.release.revision)
    return await router.show(*known)


async def _incomplete(router: Router, releases: Sequence[Release]) -> tuple[Release, ...]:
    """Returns the routes of these releases that a dead process left incomplete."""
    pending = [release for release in releases if release.chart_ref.is_route and release.is_pending]
    dead = await router.place.abandoned(pending) if pending else frozenset()
    return tuple(release for release in pending if release.name in dead)
