"""Find routes by their objects, which also name the service and the lane (sidelane.naming.route.known).

The name of a release only speeds this up: plain Helm installs a route under any name, and any release or chart may have
a route's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sidelane.naming.lane import Lane
from sidelane.naming.route import Known
from sidelane.releases.stores import Release, Stored
from sidelane.releases.stores.ours import not_ours, route_of
from sidelane.routes.model import route_release
from sidelane.routes.places import History, Place


class StoredRoute(NamedTuple):
    """A route with its stored release."""

    route: Known
    stored: Stored

    @property
    def release(self) -> str:
        """The name of the route's release."""
        return self.stored.release.name


async def every(place: Place, among: Iterable[Release] | None = None) -> tuple[StoredRoute, ...]:
    """Returns every route of a place, sorted by release name. among: all releases, if already known."""
    releases = await place.releases() if among is None else among
    suspects = [release.name for release in releases if release.chart_ref.is_route]
    routes = ((route_of(stored), stored) for stored in await place.stored_if_there(suspects))
    return tuple(StoredRoute(route, stored) for route, stored in routes if route is not None)


class Found(NamedTuple):
    """The wanted routes that are there, as they were at one moment. others: the names of routes that releases have
    that are not these routes. Without ``histories`` (see ``several``) each History has no revisions.
    """

    place: Place
    wanted: tuple[Known, ...]
    routes: Mapping[Known, History]
    others: frozenset[str] = frozenset()

    def with_more(self, more: Found) -> Found:
        """Returns the routes of both."""
        wanted, routes = (*self.wanted, *more.wanted), {**self.routes, **more.routes}
        return Found(self.place, wanted, routes, self.others | more.others)

    def get(self, service: str, lane: Lane) -> History | None:
        """Returns a route, None if it is missing. Raises NotOurs when the release with its name is not a route."""
        known, name = self.routes.get(Known(service, lane)), route_release(service, lane)
        if known is None and name in self.others:
            raise not_ours(
                name, remedy=f"it is not a route of {service} in {lane}; if it is not needed, `helm uninstall {name}`"
            )
        return known

    async def require(self, service: str, lane: Lane) -> History:
        """Returns a route. Raises ReleaseNotFound, and as ``get`` does."""
        known = self.get(service, lane)
        if known is None:
            raise await self.place.missing(route_release(service, lane))
        return known


async def several(place: Place, wanted: Iterable[tuple[str, Lane]], *, histories: bool = False) -> Found:
    """Reads the routes of these services and lanes at once. histories: with their revisions."""
    names = {Known(*route): route_release(*route) for route in wanted}
    there = {history.now.release.name: history for history in await _read(place, list(names.values()), histories)}
    routes = {route: there[name] for route, name in names.items() if name in there and _is(there[name], route)}
    if len(routes) < len(names):  # plain Helm may have installed them under other names
        renamed = {each.release: each for each in await every(place) if each.route in names.keys() - routes.keys()}
        if histories:
            read = {history.now.release.name: history for history in await _read(place, list(renamed), histories)}
            routes |= {each.route: read[name] for name, each in renamed.items() if name in read}
        else:
            routes |= {each.route: History(each.stored, ()) for each in renamed.values()}
    mine = {history.now.release.name for history in routes.values()}
    return Found(place, tuple(names), routes, frozenset(there.keys() - mine))


async def _read(place: Place, names: Sequence[str], histories: bool) -> list[History]:
    if histories:
        return await place.histories(names)
    return [History(stored, ()) for stored in await place.stored_if_there(names)]


def _is(history: History, route: Known) -> bool:
    return route_of(history.now) == route


async def named(place: Place, service: str, lane: Lane, *, histories: bool = False) -> History:
    """Returns the route of a service. histories: see ``several``. Raises as ``Found.require`` does."""
    return await (await several(place, [(service, lane)], histories=histories)).require(service, lane)
