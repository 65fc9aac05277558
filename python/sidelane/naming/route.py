"""What a route is, by what the chart `charts/route` writes of itself into the labels of its objects."""

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
    """Tells whether an object is a part of a route: whether its labels name the chart of routes, and its version.

    This is the one place that decides it, and it reads what the chart `charts/route` writes of itself into the labels
    of its objects.
    """
    return labels.get(keys.NAME) == ROUTE and ChartRef.parse(str(labels.get(keys.CHART))).is_route


def known(labels: Mapping[str, Any]) -> Known | None:
    """Returns the route that an object belongs to, None for an object of no route.

    Names don't count: anybody may call a release or a chart ``route-controller``, and plain Helm installs a route under
    any name.
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
    """Returns the route that a release is, given the labels of each of its objects; None when it is no route."""
    found = set(filter(None, map(known, labels)))
    return found.pop() if len(found) == 1 else None
