"""The routes to a lane or a release, and the time of the last one's end: retire needs both.

A weight of 0 counts: sessions may still be open, and undo needs the target. So a target is first removed from the
route, then gets time to drain, and then may be retired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from sidelane.errors import InvalidInput, ReleaseNotFound
from sidelane.naming.lane import Lane
from sidelane.naming.route import Known
from sidelane.releases.stores import Release, Target
from sidelane.routes import finding, notes
from sidelane.routes.finding import StoredRoute
from sidelane.routes.model import Route, Split, Way
from sidelane.routes.places import AT_ONCE, History, Place, place_of
from sidelane.support.concurrency import some_at_a_time


class Lead(NamedTuple):
    """One way from a route to a target.

    route: the route's release, ``route-svc1-2-coco-1``. to: the target as the route writes it, ``v1`` or
    ``2-coco-2/v1``. service: the target's Service. how: ``weight 10 of 100``, ``matches[0], weight 1 of 1``,
    ``mirror``. of: the route's service and lane.
    """

    route: str
    to: str
    service: str
    how: str
    of: Known

    def __str__(self) -> str:
        return f"{self.route} leads to {self.service} ({self.how})"


async def leads_to(
    target: Target, *, lane: Lane, release: str | None = None, among: Sequence[Release] | None = None
) -> tuple[Lead, ...]:
    """Returns every way from a route of the target's namespace to a lane, or to one release of it.

    These are targets of any weight, also 0, targets of matches, and mirrors. among: all releases of the target, if
    already known.
    """
    routes = await finding.every(place_of(target), among)
    hits = await _hits(target, lane, release) if routes else _never
    leads = []
    for stored_route in routes:
        route = _route(stored_route, stored_route.stored.values)
        leads += [
            Lead(stored_route.release, str(way.to), route.service_of(way.to), way.how, stored_route.route)
            for way in route.ways()
            if hits(route, way)
        ]
    return tuple(leads)


async def unrouted_since(target: Target, *, lane: Lane, release: str | None = None) -> datetime | None:
    """Returns the time when a route last stopped leading to a lane, or to one release of it; None if no kept history
    has such a change. For routes that still lead there, see ``leads_to``.
    """
    place = place_of(target)
    routes = {each.release: each for each in await finding.every(place)}
    hits = await _hits(target, lane, release) if routes else _never
    histories = await place.histories(list(routes))
    ends = (_ended(place, routes[history.now.release.name], history, hits) for history in histories)
    return max(filter(None, await some_at_a_time(ends, AT_ONCE)), default=None)


async def _ended(
    place: Place, stored_route: StoredRoute, history: History, hits: Callable[[Route, Way], bool]
) -> datetime | None:
    """Returns the time when a route last stopped having a way for which ``hits`` is true."""
    after: datetime | None = None
    for change in reversed(notes.changes_of(history.revisions)):
        if not change.held:
            continue
        route = await _then(place, stored_route, history, change)
        if any(hits(route, way) for way in route.ways()):
            return after
        after = change.when
    return None


async def _then(place: Place, stored_route: StoredRoute, history: History, change: notes.Change) -> Route:
    """Returns a route as it was after a change. A complete note saves a call of Helm."""
    service, lane = stored_route.route
    if change.leads:
        with suppress(InvalidInput):  # the note has only the number of matches, and may have a mirror or a pattern
            return Route(service, lane, "", Split.parse(change.leads.split(", "), lane))
    stored = history.earlier.get(change.revision) or await place.stored(stored_route.release, change.revision)
    return _route(stored_route, stored.values)


async def _hits(target: Target, lane: Lane, release: str | None) -> Callable[[Route, Way], bool]:
    """Returns a predicate: a way of a route leads to the lane, or to a Service of the release."""
    if release is None:
        return lambda route, way: (way.to.lane or route.lane) == lane
    try:
        manifest = (await target.stored(release)).manifest
    except ReleaseNotFound:
        return lambda route, way: route.service_of(way.to) == release
    services = {obj.name for obj in manifest.objects if obj.kind == "Service"}
    return lambda route, way: route.service_of(way.to) in services


def _never(route: Route, way: Way) -> bool:
    del route, way
    return False


def _route(stored_route: StoredRoute, values: Mapping[str, Any]) -> Route:
    return Route.from_values({"mode": "service", **values}, stored_route.route.lane, stored_route.release)
