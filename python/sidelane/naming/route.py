"""The identity of a route, from the labels that the chart `charts/route` sets on its objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sidelane.errors import InvalidLane
from sidelane.naming import labels as keys
from sidelane.naming.chart_ref import ROUTE, ChartRef
from sidelane.naming.lane import Lane


class Known(NamedTuple):
    """The identity of a route: its service and the lane of its stable name."""

    service: str
    lane: Lane


def is_part(labels: Mapping[str, Any]) -> bool:
    """Return whether an object is a part of a route: its labels name the chart `charts/route` and its version.

    Only this function decides it.
    """
    return labels.get(keys.NAME) == ROUTE and ChartRef.parse(str(labels.get(keys.CHART))).is_route


def known(labels: Mapping[str, Any]) -> Known | None:
    """Return the route that an object belongs to, or None.

    Names do not count: a release or a chart may be called ``route-controller``, and plain Helm installs a route under
    any release name.
    """
    service = labels.get(keys.COMPONENT)
    if not is_part(labels):
        return None
    try:
        lane = Lane(labels[keys.VERSION], labels[keys.BUILD])
    except (KeyError, InvalidLane):
        return None
    return Known(service, lane) if isinstance(service, str) and labels.get("app") == f"{service}-{lane}" else None


def known_of(labels: Iterable[Mapping[str, Any]]) -> Known | None:
    """Return the route of a release, given the labels of each of its objects; None if the release is not a route."""
    routes = set(filter(None, map(known, labels)))
    return routes.pop() if len(routes) == 1 else None
