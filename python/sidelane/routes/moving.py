"""The moves of a shift: requests go to one target, or from one lane to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sidelane.naming.lane import Lane
from sidelane.routes.destination import Destination
from sidelane.routes.model import Route, Split


class ToTarget(NamedTuple):
    """All requests of a route move to one target. The other targets keep their proportions."""

    to: Destination

    def __str__(self) -> str:
        return f"to {self.to}"

    def moves(self, route: Route) -> bool:
        """Tells whether a route has requests to move: always, because its target may be new."""
        del route
        return True

    def values(self, route: Route, values: Mapping[str, Any], percent: int) -> dict[str, Any]:
        """Returns the values of a route whose target has this percentage. route, values: from before the shift."""
        del values
        return {"targets": route.split.moved(self.to, percent).to_values()}

    def destinations(self, route: Route) -> frozenset[Destination]:
        """Returns the targets of a route that get more requests."""
        del route
        return frozenset((self.to,))


class ToLane(NamedTuple):
    """Requests to each target in one lane move to the same version in another lane, also those of matches. A mirror
    moves in the step of 100 percent, because it cannot be split.
    """

    old: Lane
    new: Lane

    def __str__(self) -> str:
        return f"from {self.old} to {self.new}"

    def moves(self, route: Route) -> bool:
        """Tells whether a route sends requests to the old lane."""
        return any(way.share > 0 and (way.to.lane or route.lane) == self.old for way in route.ways())

    def values(self, route: Route, values: Mapping[str, Any], percent: int) -> dict[str, Any]:
        """Returns the values of a route that sends this percentage of the old lane's requests to the new lane.

        route, values: from before the shift. Raises InvalidRoute.
        """
        moved: dict[str, Any] = {"targets": self._moved(route.split, route.lane, percent).to_values()}
        if route.matches:
            moved["matches"] = [
                {**match, "targets": self._moved(split, route.lane, percent).to_values()}
                for match, split in zip(values.get("matches") or (), route.matches, strict=True)
            ]
        if route.mirror is not None and (route.mirror.lane or route.lane) == self.old and percent == 100:
            to = self._new(route.mirror, route.lane)
            named = {"serviceVersion": to.service_version or "", "lane": str(to.lane or "")}
            moved["mirror"] = {**(values.get("mirror") or {}), **named}
        return moved

    def destinations(self, route: Route) -> frozenset[Destination]:
        """Returns the targets of a route that get more requests."""
        return frozenset(
            self._new(way.to, route.lane)
            for way in route.ways()
            if way.share > 0 and way.how != "mirror" and (way.to.lane or route.lane) == self.old
        )

    def _new(self, target: Destination, own: Lane) -> Destination:
        return Destination(target.service_version, self.new).within(own)

    def _moved(self, split: Split, own: Lane, percent: int) -> Split:
        weights: dict[Destination, int] = {}
        for target, weight in split.weights.items():
            leaves = weight > 0 and (target.lane or own) == self.old
            weights[target] = weights.get(target, 0) + weight * (100 - percent if leaves else 100)
            if leaves:
                to = self._new(target, own)
                weights[to] = weights.get(to, 0) + weight * percent
        return Split.readable(weights, f"{percent} % beside {split}")


Move = ToTarget | ToLane


def parse(text: str) -> Move:
    """Parses a move from its text in a note: ``to v2``, ``from 2-coco-1 to 2-coco-2``."""
    first, *rest = text.split(" ")
    if first == "from":
        return ToLane(Lane.parse(rest[0]), Lane.parse(rest[2]))
    return ToTarget(Destination.parse(rest[0]))
