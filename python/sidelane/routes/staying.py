"""Sessions that stay on their target while requests are split (the chart's `stay`), and the split at which they begin.

The chart names the target in each response, with the revision at which the split began. So the names of an earlier
split, such as those of a shift that was taken back, are not valid in a later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidelane.routes.model import Route


def stay_values(stay: str | None) -> dict[str, Any]:
    """Returns the chart's values for ``--stay``: cookie, header or none; None leaves the route's own.

    >>> stay_values("cookie"), stay_values("none"), stay_values(None)
    ({'stay': {'by': 'cookie'}}, {'stay': {'by': ''}}, {})
    """
    return {} if stay is None else {"stay": {"by": "" if stay == "none" else stay}}


def holds_sessions(route: Route | None) -> bool:
    """Tells whether a route keeps callers on their targets at present: it has `stay`, and splits requests."""
    return route is not None and bool(route.stay) and route.splits


def with_sessions(values: Mapping[str, Any], before: Route | None, after: Route, revision: int) -> Mapping[str, Any]:
    """Returns a route's values; new sessions begin at this revision if the route holds none before it."""
    if holds_sessions(before) or not holds_sessions(after):
        return values
    return {**values, "stay": {**(values.get("stay") or {}), "since": revision}}
