"""The ownership of a release: the test of every verb before it changes or removes an existing release.

A release is Sidelane's if it carries the record of an installation by Sidelane, or the ConfigMap of the guard that
every chart of Sidelane renders (``sidelane.guard``), or if it is a route, which has neither. A name proves nothing:
plain Helm's ``grafana-team-1`` looks like a release of lane ``team-1``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sidelane.errors import InvalidManifest, NotOurs, ReleaseNotFound
from sidelane.manifest.fields import mapping
from sidelane.naming.chart_ref import ROUTE
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane
from sidelane.naming.route import Known, known_of
from sidelane.releases.stores import Release, Stored, Target, no_release
from sidelane.support.concurrency import some_at_a_time

#: The data of a guard's ConfigMap (charts/common/templates/_guard.tpl).
_GUARD: Final = frozenset({"release", "chart", "lane", "operational-values"})


def carries_mark(stored: Stored) -> bool:
    """Tells whether a stored release has the record, the guard, or the labels of a route."""
    if stored.record is not None:
        return True
    try:
        objects = stored.manifest.objects
    except InvalidManifest:  # plain Helm also installs manifests that Sidelane refuses
        return False
    return route_of(stored) is not None or any(
        obj.kind == "ConfigMap" and _is_guard(mapping(obj.body, "data"), stored.release.name) for obj in objects
    )


def _is_guard(data: object, release: str) -> bool:
    return isinstance(data, dict) and data.keys() >= _GUARD and data["release"] == release


def route_of(stored: Stored) -> Known | None:
    """Returns a release's route, read from its objects; None if it is not a route."""
    try:
        return known_of(obj.labels for obj in stored.manifest.objects)
    except InvalidManifest:
        return None


async def of_lane(target: Target, lane: Lane, among: Sequence[Release] | None = None) -> list[Release]:
    """Returns the releases of a lane, sorted by name: those with its name, and its routes, whatever their names.

    among: all releases of the target, if already known. Only releases of a chart of routes without a route's name are
    read one by one.
    """
    there = await target.releases() if among is None else among
    odd = {release.name for release in there if release.chart_ref.is_route and not _is_named_like_a_route(release)}
    routes = dict(zip(odd, await some_at_a_time(_route_lane(target, name) for name in odd), strict=True))
    return [release for release in there if (routes.get(release.name) or release.lane) == lane]


async def required_of_lane(target: Target, lane: Lane) -> list[Release]:
    """Returns ``of_lane``. Raises ReleaseNotFound for a lane without releases."""
    if releases := await of_lane(target, lane):
        return releases
    raise await no_release(target, lane)


def _is_named_like_a_route(release: Release) -> bool:
    parsed = parse_name(release.name)
    return parsed is not None and parsed[0].startswith(f"{ROUTE}-")


async def _route_lane(target: Target, name: str) -> Lane | None:
    try:
        route = route_of(await target.stored(name))
    except ReleaseNotFound:  # removed a moment ago
        return None
    return route.lane if route else None


async def is_ours(target: Target, stored: Stored) -> bool:
    """Tells whether a stored release is Sidelane's. Only one without a mark costs a call to the target."""
    return carries_mark(stored) or stored.release.name in await target.ours([stored.release])


async def require(target: Target, stored: Stored, *, remedy: str) -> None:
    """Raises NotOurs when a stored release is not Sidelane's."""
    if not await is_ours(target, stored):
        raise not_ours(stored.release.name, remedy=remedy)


def not_ours(*names: str, remedy: str) -> NotOurs:
    """Returns the error for changing or removing releases that are not Sidelane's."""
    who = f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
    have, them = ("has", "it") if len(names) == 1 else ("have", "them")
    return NotOurs(
        f"{who} {have} neither Sidelane's record nor the guard of its charts, so Sidelane did not create {them}",
        remedy=remedy,
    )
