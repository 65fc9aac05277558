"""The model of a route: targets, weights and matches, parsed once into valid values.

A target is written ``v2`` (a version in the route's own lane), ``2-coco-2/v2`` (one in another lane) or ``2-coco-2`` (a
component of that lane without versions). The values of the chart `charts/route` follow the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sidelane.errors import InvalidInput, InvalidRoute
from sidelane.naming.contract import component_name, parse_name, release_name
from sidelane.naming.lane import Lane
from sidelane.routes.destination import Destination, service_name

#: The maximum of the Gateway API; Istio allows more.
WEIGHT_LIMIT: Final = 1_000_000
TARGETS_LIMIT: Final = 16


@dataclass(frozen=True, init=False)
class Split:
    """Targets with their weights; only the proportion of the weights matters.

    >>> str(Split({Destination("v1"): 90, Destination("v2"): 10}))
    'v1=90, v2=10'

    Raises InvalidRoute when there is no target, a weight is invalid, or all weights are 0.
    """

    weights: Mapping[Destination, int]

    def __init__(self, weights: Mapping[Destination, int]) -> None:
        if not weights:
            raise InvalidRoute("a route must have a target", remedy="add one, such as v1=100")
        if len(weights) > TARGETS_LIMIT:
            raise InvalidRoute(f"{len(weights)} targets exceed the limit of {TARGETS_LIMIT}", remedy="remove some")
        for destination, weight in weights.items():
            if type(weight) is not int or not 0 <= weight <= WEIGHT_LIMIT:
                raise InvalidRoute(
                    f"the weight {weight!r} of {destination} is not a whole number from 0 to {WEIGHT_LIMIT}",
                    remedy="write it such as 90",
                )
        if not sum(weights.values()):
            raise InvalidRoute(
                f"every weight of {', '.join(map(str, weights))} is 0, so requests would have no target",
                remedy="set one of them above 0",
            )
        object.__setattr__(self, "weights", dict(weights))

    @classmethod
    def of(cls, weights: Mapping[str, int], own: Lane) -> Split:
        """Parses ``{"v1": 90, "2-coco-2/v1": 10}`` for a route of that lane."""
        return cls._once((Destination.parse(text).within(own), weight) for text, weight in weights.items())

    @classmethod
    def parse(cls, texts: Sequence[str], own: Lane) -> Split:
        """Parses ``["v1=90", "v2=10"]`` for a route of that lane; a single target gets all requests."""

        def pairs() -> Iterator[tuple[Destination, int]]:
            for text in texts:
                target, equals, weight = text.partition("=")
                if not equals and len(texts) > 1:
                    raise InvalidRoute(f"{text!r} has no weight", remedy=f"write every weight, such as {text}=10")
                if equals and not (weight.isascii() and weight.isdigit() and len(weight) <= 7):
                    raise InvalidRoute(
                        f"the weight {weight!r} of {target} is not a whole number from 0 to {WEIGHT_LIMIT}",
                        remedy="write it such as 90",
                    )
                yield Destination.parse(target).within(own), int(weight) if equals else 100

        return cls._once(pairs())

    @classmethod
    def from_values(cls, values: Sequence[Mapping[str, Any]], own: Lane) -> Split:
        """Parses a list of targets of the chart's values, whose numbers may be whole floats."""
        return cls._once(
            (Destination.from_values(target).within(own), _whole(target.get("weight"))) for target in values
        )

    @classmethod
    def _once(cls, pairs: Iterator[tuple[Destination, int]]) -> Split:
        weights: dict[Destination, int] = {}
        for destination, weight in pairs:
            if destination in weights:
                raise InvalidRoute(f"the target {destination} is given twice", remedy="give it one weight")
            weights[destination] = weight
        return cls(weights)

    @property
    def total(self) -> int:
        return sum(self.weights.values())

    def moved(self, to: Destination, percent: int) -> Split:
        """Returns this split with that percentage at one target; the other targets keep their proportions.

        The proportions are exact: weights become larger numbers if necessary.
        """
        others = {target: weight for target, weight in self.weights.items() if target != to}
        rest = sum(others.values())
        if percent == 100 or not rest:
            return Split({**dict.fromkeys(others, 0), to: 100})
        weights = {target: weight * (100 - percent) for target, weight in others.items()} | {to: percent * rest}
        return Split.readable(weights, f"{percent} % beside {self}")

    @classmethod
    def readable(cls, weights: Mapping[Destination, int], what: str) -> Split:
        """Returns a split with the same proportions and small weights: percentages, if they are whole.

        what: the cause of the weights, for the error. Raises InvalidRoute.
        """
        divisor = math.gcd(*weights.values())
        shown = {target: weight // divisor for target, weight in weights.items()}
        if 100 % sum(shown.values()) == 0:  # percentages are easiest to read
            shown = {target: weight * (100 // sum(shown.values())) for target, weight in shown.items()}
        if max(shown.values()) > WEIGHT_LIMIT:
            raise InvalidRoute(
                f"{what} needs weights above {WEIGHT_LIMIT}", remedy="give the route smaller weights first"
            )
        return cls(shown)

    def to_values(self) -> list[dict[str, Any]]:
        """Returns the targets in the form of the chart's values."""
        return [{**destination.to_values(), "weight": weight} for destination, weight in self.weights.items()]

    def to_json(self) -> dict[str, int]:
        """Returns the weights by the targets' texts."""
        return {str(destination): weight for destination, weight in self.weights.items()}

    def __str__(self) -> str:
        return ", ".join(f"{destination}={weight}" for destination, weight in self.weights.items())


class Way(NamedTuple):
    """One way of requests to a target. how: ``weight 10 of 100``, ``matches[0], weight 1 of 1``, ``mirror``. share: its
    part of these requests, from 0 to 1; for a mirror, its part of the copies.
    """

    to: Destination
    how: str
    share: float


@dataclass(frozen=True)
class Route:
    """A stable name and its targets. Other settings (conditions of matches, timeouts …) stay in the chart's values."""

    service: str
    lane: Lane
    mode: str
    split: Split
    matches: tuple[Split, ...] = ()
    mirror: Destination | None = None
    #: The name of the route's release, if plain Helm gave it a different one.
    own_release: str = ""
    #: The way in which callers stay on their targets while requests are split: cookie, header, or empty.
    stay: str = ""
    #: The pattern of the names of the targets' Services; empty for those of the naming contract.
    target_service: str = ""

    @classmethod
    def from_values(cls, values: Mapping[str, Any], lane: Lane, release: str = "") -> Route:
        """Parses the chart's values, the user's merged over the defaults. Raises InvalidInput and its subclasses."""
        mirror = values.get("mirror") or {}
        mirrored = Destination.from_values(mirror)
        route = cls(
            service=str(values.get("name") or ""),
            lane=lane,
            mode=str(values.get("mode")),
            split=Split.from_values(values.get("targets") or (), lane),
            matches=tuple(Split.from_values(match["targets"], lane) for match in values.get("matches") or ()),
            mirror=mirrored.within(lane) if mirrored != Destination(None) else None,
            own_release=release,
            stay=str((values.get("stay") or {}).get("by") or ""),
            target_service=str(values.get("targetService") or ""),
        )
        if route.target_service:
            route._require_services()
        return route

    def _require_services(self) -> None:
        """Raises InvalidRoute, InvalidName if the pattern makes a target the route itself, or two of them one."""
        for split in (self.split, *self.matches, *((Split({self.mirror: 1}),) if self.mirror else ())):
            names = [self.service_of(to) for to in split.weights]
            if self.name in names or len(set(names)) < len(names):
                what = "the route itself" if self.name in names else "one Service twice"
                raise InvalidRoute(
                    f"the target service {self.target_service!r} makes {', '.join(map(str, split.weights))} {what} "
                    f"({', '.join(names)})",
                    remedy="write it such as 'podinfo-{lane}-api'",
                )

    def service_of(self, to: Destination) -> str:
        """Returns the name of a target's own Service: ``svc1-v1-2-coco-1``. Raises InvalidName, InvalidRoute."""
        return service_name(self.target_service, self.service, to, self.lane)

    @property
    def name(self) -> str:
        """The name that callers use: ``svc1-2-coco-1``."""
        return component_name(self.service, self.lane)

    @property
    def release(self) -> str:
        """The route's own release: ``route-svc1-2-coco-1``."""
        return self.own_release or route_release(self.service, self.lane)

    @property
    def splits(self) -> bool:
        """True if some requests go to one of several targets, by their weights."""
        return any(sum(weight > 0 for weight in split.weights.values()) > 1 for split in (self.split, *self.matches))

    def ways(self) -> Iterator[Way]:
        """Returns every way to every target, also those of weight 0."""
        for at, split in (("", self.split), *((f"matches[{n}], ", split) for n, split in enumerate(self.matches))):
            for destination, weight in split.weights.items():
                yield Way(destination, f"{at}weight {weight} of {split.total}", weight / split.total)
        if self.mirror is not None:
            yield Way(self.mirror, "mirror", 1.0)

    def __str__(self) -> str:
        """Returns ``v1=90, v2=10``, then the matches, the mirror and the pattern of the Services' names."""
        more = [f"{len(self.matches)} match{'es' if len(self.matches) > 1 else ''}"] if self.matches else []
        more += [f"mirror {self.mirror}"] if self.mirror else []
        more += [f"Service {self.target_service}"] if self.target_service else []
        return ", ".join([str(self.split), *more])


def route_release(service: str, lane: Lane) -> str:
    """Returns the release of a service's route in a lane: ``route-svc1-2-coco-1``. Raises InvalidName."""
    component_name(service, lane)  # raises for an invalid service name
    return release_name(f"route-{service}", lane)


def about(release: str, verb: str = "history") -> str:
    """Returns the `sidelane route` command that shows or changes a route, by the name of its release."""
    named = parse_name(release.removeprefix("route-"))
    return f"`sidelane route {verb} {named[0]} --lane {named[1]}`" if named else "`sidelane route list`"


def _whole(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise InvalidInput(f"the weight {value!r} is not a whole number", remedy="write it such as 90")
    return value
