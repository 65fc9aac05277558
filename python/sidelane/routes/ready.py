"""Whether targets are there, are what they should be, and are ready for their share.

Only a target that gets more than it had has to be ready: so requests can always be led away from one that fails, to one
that works.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from sidelane.errors import TargetNotReady
from sidelane.naming import labels
from sidelane.naming.route import is_part
from sidelane.routes.model import Destination, Route, Way
from sidelane.routes.places import Backend

_READY = "wait until its pods are ready, or add --allow-unready"


def services(route: Route) -> set[str]:
    """The names of the Services that a route leads to."""
    return {way.to.service(route.service, route.lane) for way in route.ways()}


def require(
    route: Route,
    port: int,
    backends: Mapping[str, Backend],
    *,
    before: Route | None = None,
    only: Destination | None = None,
    unready: bool = False,
) -> None:
    """Holds every target of a route, or ``only`` one, against what is there. Raises TargetNotReady, with all of it.

    before: where the route leads now. unready: targets need not be ready.
    """
    grown = set(_grown(route, before))
    problems = []
    for way in route.ways():
        if only not in (None, way.to):
            continue
        backend = backends.get(way.to.service(route.service, route.lane))
        problem = _missing(route, way.to, port, backend)
        if backend is not None and not problem and not unready and way in grown:
            problem = _unready(way, backend)
        if problem:
            problems.append(f"{way.to} ({way.how}): {problem}")
    if problems:
        asks_for_pods = all("ready" in problem for problem in problems)
        raise TargetNotReady(
            f"{route.release} can't lead there:\n  " + "\n  ".join(dict.fromkeys(problems)),
            remedy=_READY if asks_for_pods else "install the target first; see `sidelane list`",
        )


def _grown(route: Route, before: Route | None) -> Iterator[Way]:
    """The ways by which more requests come to their target than now."""
    now = {} if before is None else {way: way for way in before.ways()}
    shares = (
        {} if before is None else {one: before.split.weights[one] / before.split.total for one in before.split.weights}
    )
    for way in route.ways():
        if way.how.startswith("weight "):
            if way.share > shares.get(way.to, 0.0):
                yield way
        elif way.share > 0 and way not in now:
            yield way


def _missing(route: Route, to: Destination, port: int, backend: Backend | None) -> str:
    name, lane = to.service(route.service, route.lane), to.lane or route.lane
    if backend is None:
        return f"there is no Service {name}"
    if backend.labels.get(labels.LANE) != str(lane):
        return f"the Service {name} does not belong to lane {lane}, as its labels say"
    if to.service_version is None and is_part(backend.labels):
        return f"the Service {name} is a route itself; name the version, such as {lane}/v1"
    if to.service_version is not None and backend.labels.get("version") != to.service_version:
        return f"the Service {name} is not of version {to.service_version}, as its labels say"
    if port not in backend.ports:
        has = ", ".join(map(str, backend.ports)) or "none"
        return f"the Service {name} has no port {port}, which is the route's (it has {has})"
    pods = to.pods(route.service, route.lane)
    if route.mode == "service" and not backend.selector.items() <= pods.items():
        return f"the Service {name} has other pods than those of this name; use mode istio or gateway"
    return ""


def _unready(way: Way, backend: Backend) -> str:
    if backend.ready is None or backend.total is None:
        return ""
    needed = max(1, math.ceil(way.share * backend.total - 1e-9))  # less what a float has too much
    if backend.ready >= needed:
        return ""
    return f"{backend.ready} of {backend.total} pods are ready, and its share takes {needed}"


def require_back(route: Route, port: int, backends: Mapping[str, Backend], *, unready: bool = False) -> None:
    """Holds a way back against what is there: every target must be, and where requests go one pod be ready."""
    require(route, port, backends, before=route, unready=True)
    for way in route.ways():
        backend = backends[way.to.service(route.service, route.lane)]
        if way.share > 0 and backend.ready == 0 and not unready:
            raise TargetNotReady(f"{way.to} ({way.how}) has no pod that is ready", remedy=_READY)
