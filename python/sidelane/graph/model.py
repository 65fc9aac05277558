"""The model of a picture: lanes with their releases, stable names, and the edges between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sidelane.naming.contract import SERVICE_VERSION, parse_name
from sidelane.naming.lane import Lane
from sidelane.releases.stores import Release
from sidelane.routes import marks
from sidelane.routes.model import Route, Split
from sidelane.routes.routed import Routed
from sidelane.support.counting import counted
from sidelane.support.secrets import HIDDEN, is_secret

Kind = Literal["weight", "match", "mirror"]

#: The status of a route's destination without a release of its name: another release's Service, or a missing one.
NO_RELEASE: Final = "no release of this name"
#: The status of a destination that is itself a route's stable name.
STABLE: Final = "a route's stable name"


@dataclass(frozen=True)
class Node:
    """A release, or a Service that a route leads to. name: unique in the graph; of a version of a service the release
    and the Service have one name. chart: ``service-0.1.0``, empty for what is no release. status: Helm's word, or
    NO_RELEASE or STABLE. service, version: of one version of a service.
    """

    name: str
    lane: Lane | None
    chart: str
    status: str
    service: str = ""
    version: str = ""

    @property
    def released(self) -> bool:
        return bool(self.chart)

    def to_json(self) -> dict[str, object]:
        known: dict[str, object] = {"name": self.name, "chart": self.chart, "status": self.status}
        return {**known, "service": self.service, "version": self.version} if self.version else known


@dataclass(frozen=True)
class Group:
    """A lane with its nodes, by name. lane: None for releases whose names do not follow the naming contract."""

    lane: Lane | None
    nodes: tuple[Node, ...]

    @property
    def title(self) -> str:
        return f"lane {self.lane}" if self.lane else "in no lane"

    def to_json(self) -> dict[str, object]:
        """Return the JSON form: the lane's releases, and separately the nodes that only routes name."""
        releases = [node.to_json() for node in self.nodes if node.released]
        others = [node.to_json() for node in self.nodes if not node.released]
        lane = {"lane": str(self.lane)} if self.lane else {}
        return {**lane, "releases": releases, **({"others": others} if others else {})}


@dataclass(frozen=True)
class Edge:
    """One way of requests to a node. to: the node's name. share: from 0 to 1, of the requests that come this way; a
    mirror's is the part that is copied. match: what such requests must have, empty for those that no match takes.
    """

    to: str
    kind: Kind
    share: float
    match: str = ""

    @property
    def label(self) -> str:
        """``90 %``, ``x-canary: true``, ``x-canary: true · 50 %``, ``mirror 100 %``."""
        if self.kind == "mirror":
            return f"mirror {percent(self.share)}"
        if self.kind == "weight":
            return percent(self.share)
        return self.match if self.share == 1 else f"{self.match} · {percent(self.share)}"

    def to_json(self) -> dict[str, object]:
        match = {"match": self.match} if self.match else {}
        return {"to": self.to, "kind": self.kind, "share": round(self.share, 6), **match}


@dataclass(frozen=True)
class Stable:
    """A stable name and its destinations. status: of the route's own release, ``route-svc1-2-coco-1``. shift: the shift
    that it is in: its move, its step and the next one; empty for none.
    """

    name: str
    release: str
    lane: Lane
    mode: str
    status: str
    edges: tuple[Edge, ...]
    shift: str = ""

    @property
    def about(self) -> str:
        """The mode, the status if it is not deployed, and the shift."""
        status = "" if self.status == "deployed" else self.status
        return ", ".join(filter(None, (self.mode, status, self.shift)))

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "release": self.release,
            "lane": str(self.lane),
            "mode": self.mode,
            "status": self.status,
            "edges": [edge.to_json() for edge in self.edges],
            **({"shift": self.shift} if self.shift else {}),
        }


@dataclass(frozen=True)
class Graph:
    """A namespace as a picture. lane: the one that the picture is of; None for all of the namespace.

    Every edge leads to a node of a group; names are unique.
    """

    namespace: str
    groups: tuple[Group, ...]
    routes: tuple[Stable, ...]
    lane: Lane | None = None

    @classmethod
    def of(cls, namespace: str, releases: Iterable[Release], routes: Iterable[Routed]) -> Graph:
        """Draws releases and routes together; a route's own release is its stable name, and no node."""
        drawn = tuple(routes)
        stables = tuple(map(_stable, drawn))
        own = {stable.release for stable in stables}
        by_name = {release.name: release for release in releases if release.name not in own}
        nodes = {name: _released(release) for name, release in by_name.items()}
        names = {stable.name for stable in stables}
        for name, lane in (pair for routed in drawn for pair in _services(routed.route)):
            node = _unreleased(name, STABLE if name in names else NO_RELEASE)
            nodes.setdefault(name, replace(node, lane=lane))
        return cls(namespace, _groups(nodes.values()), stables)

    def of_lane(self, lane: Lane) -> Graph:
        """The graph of one lane: its releases, its routes, the routes to it, and their destinations in other lanes."""
        inside = {node.name for node in self.nodes if node.lane == lane}
        routes = [
            route for route in self.routes if route.lane == lane or any(edge.to in inside for edge in route.edges)
        ]
        shown = inside | {edge.to for route in routes for edge in route.edges}
        groups = _groups(node for node in self.nodes if node.name in shown)
        return replace(self, groups=groups, routes=tuple(routes), lane=lane)

    def render(self, format: str = "text") -> str:  # noqa: A002 - the word that `-o` has everywhere
        """Returns the picture as ``text``, ``mermaid``, ``svg`` or ``html``. Raises InvalidInput for another format."""
        from sidelane.graph import render  # noqa: PLC0415 - the formats are built on this value

        return render(self, format)

    @property
    def nodes(self) -> Iterator[Node]:
        return (node for group in self.groups for node in group.nodes)

    @property
    def summary(self) -> str:
        """``namespace streams: 2 lanes, 6 releases, 1 route``; of an empty picture what is not there, and where."""
        if not self.groups and not self.routes:
            of_lane = f" of lane {self.lane}" if self.lane else ""
            return f"there is no release and no route{of_lane} in namespace {self.namespace}"
        lanes = sum(group.lane is not None for group in self.groups)
        counts = [(lanes, "lane"), (sum(node.released for node in self.nodes), "release"), (len(self.routes), "route")]
        said = ", ".join(counted(number, noun) for number, noun in counts)
        return f"namespace {self.namespace}: {said}"

    def to_json(self) -> dict[str, object]:
        return {
            "namespace": self.namespace,
            "lanes": [group.to_json() for group in self.groups],
            "routes": [route.to_json() for route in self.routes],
        }


def percent(share: float) -> str:
    """A share for people: ``33.3 %``. Only nothing is ``0 %``, and only all is ``100 %``.

    >>> percent(0.9), percent(1 / 3), percent(1e-6)
    ('90 %', '33.3 %', '<0.1 %')
    """
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def _groups(nodes: Iterable[Node]) -> tuple[Group, ...]:
    """Return the lanes by Version and number of Build; nodes without a lane come last."""
    by_lane: dict[Lane | None, list[Node]] = {}
    for node in sorted(nodes, key=lambda node: node.name):
        by_lane.setdefault(node.lane, []).append(node)
    order = sorted(by_lane, key=lambda lane: (lane is None, lane and lane.version, int(lane.build) if lane else 0))
    return tuple(Group(lane, tuple(by_lane[lane])) for lane in order)


def _released(release: Release) -> Node:
    return replace(_unreleased(release.name, release.status), chart=release.chart)


def _unreleased(name: str, status: str) -> Node:
    parsed = parse_name(name)
    if parsed is None:
        return Node(name, None, "", status)
    service, _, version = parsed[0].rpartition("-")
    if not service or not SERVICE_VERSION.fullmatch(version):
        return Node(name, parsed[1], "", status)
    return Node(name, parsed[1], "", status, service, version)


def _services(route: Route) -> Iterator[tuple[str, Lane]]:
    """Returns the Services that a route leads to, with their lanes, which not every name has in the contract's way."""
    return ((route.service_of(way.to), way.to.lane or route.lane) for way in route.ways())


def _stable(routed: Routed) -> Stable:
    route, values = routed.route, routed.values

    def edges() -> Iterator[Edge]:
        yield from split(route.split, "weight")
        for match, target in zip(values.get("matches") or (), route.matches, strict=True):
            yield from split(target, "match", _conditions(match))
        if route.mirror is not None:
            share = float((values.get("mirror") or {}).get("percent", 100)) / 100
            yield Edge(route.service_of(route.mirror), "mirror", share)

    def split(split: Split, kind: Kind, match: str = "") -> Iterator[Edge]:
        for destination, weight in split.weights.items():
            yield Edge(route.service_of(destination), kind, weight / split.total, match)

    mark = marks.of_release(routed.release)
    shift = mark.picture if mark else ""
    return Stable(route.name, route.release, route.lane, route.mode, routed.release.status, tuple(edges()), shift)


def _conditions(match: Mapping[str, Any]) -> str:
    """Return a match's conditions in short: ``POST /api/…, x-canary: true``."""
    path = match.get("path") or {}
    exact, prefix = path.get("exact"), path.get("prefix")
    where = exact or (f"{str(prefix).rstrip('/')}/…" if prefix else "")
    first = " ".join(filter(None, (match.get("method"), where)))
    headers = [_condition(header, ": ") for header in match.get("headers") or ()]
    cookies = [f"cookie {_condition(match['cookie'], '=')}"] if match.get("cookie") else []
    return ", ".join(filter(None, (first, *headers, *cookies))) or "any request"


def _condition(pair: Mapping[str, Any], joined: str) -> str:
    # A header that admits testers may be as sensitive as a password, and pictures are shared.
    name, regex = str(pair.get("name")), pair.get("regex")
    value = f"~ {regex}" if regex else pair.get("value")
    return f"{name}{joined}{HIDDEN if is_secret([name]) else value}"
