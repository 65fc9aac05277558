"""The picture for a terminal: a tree for each lane, and one for each stable name; 80 columns where names let it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from sidelane.graph.model import Graph, Group, Stable
from sidelane.graph.words import cells, plain

_WIDTH: Final = 80


def render_text(graph: Graph) -> str:
    """Return the graph as trees.

    ::

        namespace streams: 1 lane, 2 releases, 1 route

        svc1-2-coco-1 (istio)
        ├─ 90 % ─→ svc1-v1-2-coco-1
        └─ 10 % ─→ svc1-v2-2-coco-1

        lane 2-coco-1
        ├─ svc1-v1-2-coco-1  service-0.1.0  deployed
        └─ svc1-v2-2-coco-1  service-0.1.0  deployed
    """
    blocks = chain(map(_route, graph.routes), map(_lane, graph.groups))
    return "\n\n".join([plain(graph.summary), *("\n".join(block) for block in blocks)]) + "\n"


def _route(route: Stable) -> Iterator[str]:
    status = "" if route.status == "deployed" else f", {route.status}"
    yield plain(f"{route.name} ({route.mode}{status})")
    yield from (f"│ {line}" for line in _wrapped(plain(route.shift)))
    labels = [plain(edge.label) for edge in route.edges]
    width = max(map(cells, labels), default=0)
    longest = max((cells(plain(edge.to)) for edge in route.edges), default=0)
    fits = width + longest + len("├─  ─→ ") <= _WIDTH
    arrows = [f"─→ {plain(edge.to)}" for edge in route.edges]
    yield from _tree(
        [f"{_padded(label, width)} {arrow}"] if fits else [*_wrapped(label), arrow]
        for label, arrow in zip(labels, arrows, strict=True)
    )


def _lane(group: Group) -> Iterator[str]:
    yield group.title
    rows = [(plain(node.name), plain(node.chart or "-"), plain(node.status)) for node in group.nodes]
    first, second = (max(cells(row[column]) for row in rows) for column in (0, 1))
    fits = all(first + second + cells(row[2]) + len("├─     ") <= _WIDTH for row in rows)
    yield from _tree(
        [f"{_padded(name, first)}  {_padded(chart, second)}  {status}"] if fits else [name, f"{chart}  {status}"]
        for name, chart, status in rows
    )


def _tree(items: Iterable[Sequence[str]]) -> Iterator[str]:
    """Items as a tree's branches; an item's second line and those after it hang below its first."""
    branches = list(items)
    for number, lines in enumerate(branches, start=1):
        last = number == len(branches)
        yield f"{'└─' if last else '├─'} {lines[0]}"
        yield from (f"{'  ' if last else '│ '} {line}" for line in lines[1:])


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH - 3, break_on_hyphens=False)
