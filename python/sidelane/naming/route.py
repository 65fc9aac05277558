"""What a route is, by what the chart `charts/route` writes of itself into the labels of its objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sidelane.errors import InvalidLane
from sidelane.naming import labels as keys
from sidelane.naming.lane import Lane

#: The chart of routes.
CHART: Final = "route"
_CHART_LABEL: Final = re.compile(rf"{CHART}-[0-9]+\.[0-9]+\.[0-9]+\S*")


class Known(NamedTuple):
    """The identity of a route: its service and the lane of its stable name."""

    service: str
    lane: Lane


def known(labels: Mapping[str, Any]) -> Known | None:
    """Returns the route that an object belongs to, None for an object of no route.

    This is the one place that decides what a route is, and it reads what the chart `charts/route` writes of itself into
    the labels of its objects. Names don't count: anybody may call a release or a chart ``route-controller``, and plain
    Helm installs a route under any name.
    """
    chart, service = labels.get(keys.CHART), labels.get(keys.COMPONENT)
    if labels.get(keys.NAME) != CHART or not _CHART_LABEL.fullmatch(str(chart)):
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


def is_of_chart(chart: str) -> bool:
    """Tells whether a chart's name and version, ``route-0.1.0``, are those of a chart of routes, or of a namesake."""
    return _CHART_LABEL.fullmatch(chart) is not None
