"""The layout of the drawn picture: stable names at the left, lanes below one another at the right.

In a lane, routes lead to the first column, so that no edge passes another box. An edge is a curve from its
stable name to a column of labels, and from there a straight line to a place of its own at its node: labels can't meet
one another, nor a curve. Lengths are in CSS pixels, y grows downwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sidelane.graph.model import Edge, Graph, Group, Node, Stable
from sidelane.graph.words import cells, plain, shortened

#: Widths of a character of the fixed-width fonts that browsers have, at their widest (0.61 em).
NAME, SMALL = 13 * 0.61, 11.5 * 0.61
MARGIN: Final = 24.0
HEADING: Final = 64.0
BOX: Final = 48.0  # the height of a box with its two lines
PAD: Final = 12.0  # between a box's edge and its text
GAP: Final = 12.0  # between boxes
LANE_HEAD: Final = 36.0
LANE_GAP: Final = 24.0
LABEL: Final = 20.0
PORT: Final = 26.0  # between edges at a node
_CURVES: Final = 120.0
#: The longest texts that are drawn whole, in columns; what is longer is whole in the element's title.
NAME_LIMIT, ABOUT_LIMIT, LABEL_LIMIT = 63, 63, 36
#: The meaning of lines, and the sizes of the legend.
KEYS: Final = {
    "weight": "share of the requests",
    "match": "requests that match",
    "mirror": "copies of requests",
    "none": "0 %, kept for the way back",
}
LEGEND: Final = 40.0
KEY: Final = 42.0


@dataclass
class Box:
    """A rectangle with text: a release, a stable name, or a label."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class Line(NamedTuple):
    """An edge: a curve from begin to bend, then straight to end; its label lies on the straight part."""

    edge: Edge
    route: Stable
    begin: tuple[float, float]
    bend: float
    end: tuple[float, float]
    label: Box
    text: str


@dataclass
class _Draft:
    """A line without its final place. text: its label's text. y: the height of its end."""

    route: Stable
    edge: Edge
    text: str
    y: float = 0.0

    @property
    def width(self) -> float:
        return cells(self.text) * SMALL + 16


@dataclass
class Layout:
    """Boxes by name, of nodes and of stable names; lanes by their place in the graph."""

    width: float = 0.0
    height: float = 0.0
    nodes: dict[str, Box] = field(default_factory=dict)
    routes: dict[str, Box] = field(default_factory=dict)
    lanes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def about(item: Node | Stable) -> str:
    """Return the second line of a box."""
    if isinstance(item, Node):
        return " · ".join(filter(None, (item.chart, item.status)))
    return " · ".join(filter(None, (item.mode, item.status, item.shift)))


def place(graph: Graph) -> Layout:
    """Return the layout of a graph."""
    layout = Layout()
    routes = _ordered(graph)
    drafts = [
        _Draft(route, edge, shortened(plain(edge.label), LABEL_LIMIT)) for route in routes for edge in route.edges
    ]
    arriving: dict[str, list[_Draft]] = {}
    for draft in drafts:
        arriving.setdefault(draft.edge.to, []).append(draft)

    left, labels = _width(graph.routes), max((draft.width for draft in drafts), default=0.0)
    bend = MARGIN + left + _CURVES + min(200.0, 6 * len(drafts))
    lanes_at = bend + labels + GAP if graph.routes else MARGIN
    bottom = _place_lanes(layout, graph, {name: len(those) for name, those in arriving.items()}, lanes_at)
    for name, those in arriving.items():
        for number, draft in enumerate(those):
            draft.y = layout.nodes[name].middle + PORT * (number - (len(those) - 1) / 2)

    end = _place_routes(layout, routes, drafts, Box(MARGIN, HEADING, left, 0.0), Box(bend, HEADING, labels, 0.0))
    layout.height = max(bottom, end) + MARGIN + (LEGEND if drafts else 0.0)
    heading = MARGIN * 2 + cells(graph.summary) * NAME * 1.25  # its font is larger
    legend = MARGIN * 2 + sum(key_width(kind) for kind in {kind(draft.edge) for draft in drafts})
    rights = (box.right + MARGIN for box in (*layout.lanes, *layout.routes.values()))
    layout.width = max(heading, legend, *rights, 560.0)
    return layout


def kind(edge: Edge) -> str:
    """Return the key of an edge's line in KEYS."""
    return edge.kind if edge.share else "none"


def key_width(kind: str) -> float:
    """Return the width of a line's entry in the legend."""
    return KEY + cells(KEYS[kind]) * SMALL + 2 * PAD


def _place_routes(layout: Layout, routes: list[Stable], drafts: list[_Draft], column: Box, labels: Box) -> float:
    """Places routes, each beside the middle of what it leads to, and their lines; returns where they end. column,
    labels: the columns of routes and of labels, as high as it takes.
    """
    at = column.y
    for route in routes:
        leaving = sorted((draft for draft in drafts if draft.route is route), key=lambda draft: draft.y)
        height = max(BOX, 12.0 * len(leaving) + 16)
        wanted = sum(draft.y for draft in leaving) / len(leaving) - height / 2 if leaving else at
        box = layout.routes[route.name] = Box(column.x, max(at, wanted), column.width, height)
        at = box.bottom + GAP
        for number, draft in enumerate(leaving):
            begin = box.middle + 12.0 * (number - (len(leaving) - 1) / 2)
            label = Box(labels.x + (labels.width - draft.width), draft.y - LABEL / 2, draft.width, LABEL)
            end = (layout.nodes[draft.edge.to].x, draft.y)
            layout.lines.append(Line(draft.edge, route, (box.right, begin), labels.x, end, label, draft.text))
    return at - GAP


def _ordered(graph: Graph) -> list[Stable]:
    """Return the routes in the vertical order of their destinations."""
    order = {node.name: number for number, node in enumerate(graph.nodes)}

    def middle(route: Stable) -> float:
        return sum(order[edge.to] for edge in route.edges) / max(1, len(route.edges))

    return sorted(graph.routes, key=lambda route: (middle(route), route.name))


def _place_lanes(layout: Layout, graph: Graph, arriving: Mapping[str, int], x: float) -> float:
    """Places lanes and what is in them; returns where they end. arriving: how many edges, by node."""
    width, bottom = _width(tuple(graph.nodes)), HEADING
    for group in graph.groups:
        columns = _columns(group, arriving)
        lane = Box(x, bottom, 0.0, 0.0)
        for number, column in enumerate(columns):
            at = lane.y + LANE_HEAD
            for node in column:
                height = max(BOX, PORT * arriving.get(node.name, 0) + 4)
                layout.nodes[node.name] = Box(x + PAD * 2 + number * (width + GAP), at, width, height)
                at += height + GAP
            lane.height = max(lane.height, at - lane.y + PAD - GAP)
        lane.width = max(PAD * 4 + len(columns) * (width + GAP) - GAP, cells(group.title) * NAME + PAD * 4)
        layout.lanes.append(lane)
        bottom = lane.bottom + LANE_GAP
    widest = max((lane.width for lane in layout.lanes), default=0.0)
    for lane in layout.lanes:
        lane.width = widest
    return bottom - LANE_GAP


def _columns(group: Group, arriving: Mapping[str, int]) -> list[list[Node]]:
    """Return the routes' destinations as the first column, and the others in columns that keep the lane low."""
    first = [node for node in group.nodes if node.name in arriving]
    others = [node for node in group.nodes if node.name not in arriving]
    count = 1 if len(others) <= max(4, len(first)) else 2 if len(others) <= max(12, 2 * len(first)) else 3
    rows = -(-len(others) // count)
    rest = [others[begin : begin + rows] for begin in range(0, len(others), rows or 1)]
    return [first, *rest] if first else rest


def _width(items: tuple[Node, ...] | tuple[Stable, ...]) -> float:
    """Return the common width of these boxes."""
    names = (cells(shortened(plain(item.name), NAME_LIMIT)) * NAME for item in items)
    below = (cells(shortened(plain(about(item)), ABOUT_LIMIT)) * SMALL for item in items)
    return max((*names, *below), default=0.0) + 2 * PAD
