"""The subject of a call: a lane, or a release by its name."""

from __future__ import annotations

from typing import cast

from sidelane.errors import InvalidInput, InvalidLane, InvalidName, Refused
from sidelane.naming.contract import parse_name, release_name
from sidelane.naming.lane import Lane


def lane_of(lane: Lane | str) -> Lane:
    """Return the lane, parsed if it is text. Raises InvalidLane."""
    return lane if isinstance(lane, Lane) else Lane.parse(lane)


def release_of(name: str, lane: Lane | str | None = None) -> str:
    """Return a release's full name, from the full name or from its chart's name and the lane.

    Raises InvalidName for a name without a lane or that is not text, and Refused for two different lanes.
    """
    if not isinstance(name, str):
        hint = "give a lane as lane=" if isinstance(name, Lane) else "write it such as 'zookeeper-2-coco-1'"
        raise InvalidName(f"a release's name must be text, not {kind(name)}", remedy=hint)
    wanted = None if lane is None else lane_of(lane)
    parsed = parse_name(name)
    if parsed is None and wanted is None:
        raise InvalidName(
            f"{name!r} does not end in a lane",
            remedy="give the release's full name, or the lane with --lane or SIDELANE_LANE",
        )
    if parsed is None:
        return release_name(name, cast("Lane", wanted))
    if wanted not in (None, parsed[1]):
        raise Refused(
            f"{name!r} is in lane {parsed[1]}, but the lane {wanted} was requested", remedy="leave one of them out"
        )
    return name


def lane_in(release: str) -> Lane:
    """Return the lane at the end of a release's name. Raises InvalidName."""
    parsed = parse_name(release)
    if parsed is None:
        raise InvalidName(f"{release!r} does not end in a lane", remedy="write it such as 'zookeeper-2-coco-1'")
    return parsed[1]


def subject(what: Lane | str | None, lane: Lane | str | None = None) -> Lane | str:
    """Return the lane, or the name of the release, that a verb acts on.

    what: a lane, its text, a release's full name, or with ``lane`` a chart's name. Raises InvalidInput if neither is
    given, InvalidName, InvalidLane and Refused.
    """
    if what is None and lane is None:
        raise InvalidInput("no release and no lane is given", remedy="give one of them")
    if what is None:
        return lane_of(cast("Lane | str", lane))
    if lane is None and (isinstance(what, Lane) or (isinstance(what, str) and _is_lane(what))):
        return lane_of(what)
    return release_of(cast("str", what), lane)


def kind(value: object) -> str:
    """Return a value's type in words, for an error message."""
    return "None" if value is None else f"a value of the type {type(value).__name__}"


def _is_lane(text: str) -> bool:
    if parse_name(text) is not None:
        return False
    try:
        Lane.parse(text)
    except InvalidLane:
        return False
    return True
