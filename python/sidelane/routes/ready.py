"""Checks that targets exist, are the right Services, and are ready for their share.

Only a target whose share grows must be ready: so requests can always move from a failing target to one that works.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

from sidelane.errors import TargetNotReady
from sidelane.naming.route import is_part
from sidelane.routes.destination import Destination
from sidelane.routes.model import Route, Way
from sidelane.routes.places import Backend

_READY = "wait until its pods are ready, or add --allow-unready"


def services(route: Route) -> set[str]:
    """Returns the names of the Services that a route leads to."""
    return {route.service_of(way.to) for way in route.ways()}


def selectors(route: Route, backends: Mapping[str, Backend]) -> dict[str, dict[str, str]]:
    """Returns the labels of the pods of each target whose Service selects others than those of the naming contract, for
    the chart's value ``selectors``.
    """
    known = (backends.get(name) for name in sorted(services(route)))
    return {backend.name: dict(backend.selector) for backend in known if backend and _has_own_pods(route, backend)}


def pods(route: Route, to: Destination, backends: Mapping[str, Backend]) -> dict[str, str]:
    """Returns the labels of a target's pods: those that its Service selects, or the naming contract's."""
    backend = backends.get(route.service_of(to))
    if backend is not None and backend.selector and _has_own_pods(route, backend):
        return dict(backend.selector)
    return to.pods(route.service, route.lane)


def _has_own_pods(route: Route, backend: Backend) -> bool:
    return backend.is_foreign or bool(route.target_service)


def require(
    route: Route,
    port: int,
    backends: Mapping[str, Backend],
    *,
    before: Route | None = None,
    only: Collection[Destination] | None = None,
    unready: bool = False,
) -> None:
    """Checks every target of a route, or ``only`` these. Raises TargetNotReady, with every problem.

    before: the current route. unready: allow targets that are not ready.
    """
    grown = set(_grown(route, before))
    problems = []
    for way in route.ways():
        if only is not None and way.to not in only:
            continue
        backend = backends.get(route.service_of(way.to))
        problem = _missing(route, way.to, port, backend)
        if backend is not None and not problem and not unready and way in grown:
            problem = _unready(way, backend)
        if problem:
            problems.append(f"{way.to} ({way.how}): {problem}")
    if problems:
        asks_for_pods = all("ready" in problem for problem in problems)
        raise TargetNotReady(
            f"{route.release} has targets that are missing, wrong or not ready:\n  "
            + "\n  ".join(dict.fromkeys(problems)),
            remedy=_READY if asks_for_pods else "install the target first; see `sidelane list`",
        )


def _grown(route: Route, before: Route | None) -> Iterator[Way]:
    """Returns the ways that bring more requests to their target than now."""
    now = {} if before is None else {way: way for way in before.ways()}
    shares = (
        {}
        if before is None
        else {target: before.split.weights[target] / before.split.total for target in before.split.weights}
    )
    for way in route.ways():
        if way.how.startswith("weight "):
            if way.share > shares.get(way.to, 0.0):
                yield way
        elif way.share > 0 and way not in now:
            yield way


def _missing(route: Route, to: Destination, port: int, backend: Backend | None) -> str:
    name, lane, has_own = route.service_of(to), to.lane or route.lane, bool(route.target_service)
    if backend is None:
        return f"the Service {name} is missing"
    if backend.lane != str(lane):
        return f"the labels of Service {name} are not those of lane {lane}"
    if (to.service_version is None or has_own) and is_part(backend.labels):
        instead = "change the target service" if has_own else f"name the version, such as {lane}/v1"
        return f"the Service {name} is a route itself; {instead}"
    known = has_own and backend.is_foreign  # its name has the version
    if to.service_version is not None and not known and backend.labels.get("version") != to.service_version:
        return f"the labels of Service {name} are not those of version {to.service_version}"
    if port not in backend.ports:
        has = ", ".join(map(str, backend.ports)) or "none"
        return f"the Service {name} has no port {port}, the route's port (it has {has})"
    if _has_own_pods(route, backend):  # the route gets its selector: see selectors
        return "" if backend.selector else f"the Service {name} has no selector; use a Service with one"
    if route.mode == "service" and not backend.selector.items() <= to.pods(route.service, route.lane).items():
        return f"the Service {name} selects other pods than those of its name; use mode istio or gateway"
    return ""


def _unready(way: Way, backend: Backend) -> str:
    if backend.ready is None or backend.total is None:
        return ""
    needed = max(1, math.ceil(way.share * backend.total - 1e-9))  # minus a float's rounding error
    if backend.ready >= needed:
        return ""
    return f"{backend.ready} of {backend.total} pods are ready, and its share needs {needed}"


def require_back(route: Route, port: int, backends: Mapping[str, Backend], *, unready: bool = False) -> None:
    """Checks an undo: every target must exist, and every target with requests must have a ready pod."""
    require(route, port, backends, before=route, unready=True)
    for way in route.ways():
        backend = backends[route.service_of(way.to)]
        if way.share > 0 and backend.ready == 0 and not unready:
            raise TargetNotReady(f"{way.to} ({way.how}) has no ready pod", remedy=_READY)
