"""What leads to a lane or a release, and since when nothing does: for whoever wants to retire it.

A weight of 0 counts: sessions may have stayed there, and the way back needs it. So a target is taken out of the route
first, then time is given to what is still open, and then it may go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sidelane.errors import InvalidInput, ReleaseNotFound
from sidelane.lane import Lane
from sidelane.naming import parse_name
from sidelane.routes import Route, Split, Way
from sidelane.routing import notes
from sidelane.routing.places import Place, place_of
from sidelane.targets import Target


class Lead(NamedTuple):
    """One way by which a route leads to something.

    route: its release, ``route-svc1-2-coco-1``. to: the target as the route writes it, ``v1`` or ``2-coco-2/v1``.
    service: the Service that this is. how: ``weight 10 of 100``, ``matches[0], weight 1 of 1``, ``mirror``.
    """

    route: str
    to: str
    service: str
    how: str

    def __str__(self) -> str:
        return f"{self.route} leads to {self.service} ({self.how})"


async def leads_to(target: Target, *, lane: Lane, release: str | None = None) -> tuple[Lead, ...]:
    """Every way by which a route of the target's namespace leads to a lane, or to one release of it.

    At any weight, 0 too, by any match, or as a mirror. Empty where nothing leads there.
    """
    place, hits = place_of(target), await _hits(target, lane, release)
    found = []
    for name in await _names(place):
        route = _route(name, (await place.stored(name)).values)
        found += [
            Lead(name, str(way.to), way.to.service(route.service, route.lane), way.how)
            for way in route.ways()
            if hits(route, way)
        ]
    return tuple(found)


async def unrouted_since(target: Target, *, lane: Lane, release: str | None = None) -> datetime | None:
    """When a route last ceased to lead to a lane, or to one release of it; None where none has, as far back as the
    routes' histories go. What still leads there is ``leads_to``'s to say.
    """
    place, hits = place_of(target), await _hits(target, lane, release)
    ends = await asyncio.gather(*(_ended(place, name, hits) for name in await _names(place)))
    return max(filter(None, ends), default=None)


async def _ended(place: Place, name: str, hits: Callable[[Route, Way], bool]) -> datetime | None:
    """When a route last ceased to lead where ``hits`` says."""
    after: datetime | None = None
    for change in reversed([notes.read(revision) for revision in await place.revisions(name)]):
        if not change.held:
            continue
        route = await _then(place, name, change)
        if any(hits(route, way) for way in route.ways()):
            return after
        after = change.when
    return None


async def _then(place: Place, name: str, change: notes.Change) -> Route:
    """A route as it was. Where its note says all of it, Helm need not be asked."""
    own = parse_name(name)
    if own is not None and change.leads:
        try:
            split = Split.parse(change.leads.split(", "), own[1])
            return Route(own[0].removeprefix("route-"), own[1], "", split)
        except InvalidInput:  # it has matches or a mirror, which a note only counts
            pass
    return _route(name, (await place.stored(name, change.revision)).values)


async def _names(place: Place) -> list[str]:
    return [release.name for release in await place.routes() if release.lane is not None]


async def _hits(target: Target, lane: Lane, release: str | None) -> Callable[[Route, Way], bool]:
    """Tells whether a way of a route leads to the lane, or to a Service of the release."""
    if release is None:
        return lambda route, way: (way.to.lane or route.lane) == lane
    try:
        manifest = (await target.stored(release)).manifest
    except ReleaseNotFound:
        return lambda route, way: way.to.service(route.service, route.lane) == release
    services = {obj.name for obj in manifest.objects if obj.kind == "Service"}
    return lambda route, way: way.to.service(route.service, route.lane) in services


def _route(name: str, values: Mapping[str, Any]) -> Route:
    parsed = parse_name(name)
    if parsed is None:
        raise InvalidInput(f"{name!r} is no release of a lane", remedy="see `sidelane route list`")
    return Route.from_values({"mode": "service", **values}, parsed[1])
