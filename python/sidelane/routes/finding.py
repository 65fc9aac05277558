"""Find routes by their objects, which also name the service and the lane (sidelane.naming.route.known).

The name of a release only speeds this up: plain Helm installs a route under any name, and any release or chart may have
a route's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sidelane.errors import ReleaseNotFound
from sidelane.naming.lane import Lane
from sidelane.naming.route import Known
from sidelane.releases.stores import Release, Stored
from sidelane.releases.stores.ours import not_ours, route_of
from sidelane.routes.model import route_release
from sidelane.routes.places import Place


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


async def named(place: Place, service: str, lane: Lane, read: Mapping[str, Stored] | None = None) -> Stored:
    """Returns the stored release of a service's route. Raises ReleaseNotFound, and NotOurs when the release with the
    route's name is not a route.

    read: releases that were read a moment ago, by name.
    """
    wanted, name = Known(service, lane), route_release(service, lane)
    try:
        stored = (read or {}).get(name) or await place.stored(name)
    except ReleaseNotFound as missing:
        stored, absent = None, missing
    if stored is not None and route_of(stored) == wanted:
        return stored
    for stored_route in await every(place):
        if stored_route.route == wanted:
            return stored_route.stored
    if stored is None:
        raise absent
    raise not_ours(
        name, remedy=f"it is not a route of {service} in {lane}; if it is not needed, `helm uninstall {name}`"
    )
