"""The picture as an SVG that needs nothing else: no script, no font, no address; light and dark as the system is."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from sidelane.graph.layout import (
    ABOUT_LIMIT,
    HEADING,
    KEY,
    KEYS,
    LANE_HEAD,
    LEGEND,
    MARGIN,
    NAME_LIMIT,
    PAD,
    Box,
    Layout,
    Line,
    about,
    key_width,
    place,
)
from sidelane.graph.layout import kind as kind_of
from sidelane.graph.model import NO_RELEASE, STABLE, Graph, Group, Node, Stable
from sidelane.graph.words import plain, shortened

#: A text's colour is at least 4.5 : 1 to what lies behind it (WCAG 2.2, 1.4.3), a line's that means something 3 : 1.
COLOURS: Final = """\
.sidelane { --page: #ffffff; --ink: #1c2128; --quiet: #57606a; --lane: #f3f5f8; --edge: #d4dae1; --box: #ffffff;
  --border: #7d8793; --weight: #0b5fc4; --match: #7a3fd0; --mirror: #16703a; --warn: #8f5b00; }
@media (prefers-color-scheme: dark) {
  .sidelane { --page: #0e1218; --ink: #edf1f6; --quiet: #9aa5b1; --lane: #171d26; --edge: #303a47; --box: #0e1218;
    --border: #6f7b89; --weight: #6cb1ff; --match: #c39bff; --mirror: #4cc472; --warn: #e0aa3e; }
}
"""
_STYLE: Final = """\
.sidelane text { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 13px; fill: var(--ink); }
.sidelane .page { fill: var(--page); }
.sidelane .heading { font-size: 16px; font-weight: 600; }
.sidelane .lane rect { fill: var(--lane); stroke: var(--edge); }
.sidelane .lane text { font-weight: 600; }
.sidelane .node rect, .sidelane .route rect { fill: var(--box); stroke: var(--border); stroke-width: 1.25; }
.sidelane .route rect { stroke: var(--weight); stroke-width: 1.75; }
.sidelane .unreleased rect { stroke-dasharray: 5 3; }
.sidelane .name { font-weight: 600; }
.sidelane .about, .sidelane .key { font-size: 11.5px; fill: var(--quiet); }
.sidelane .warn .about { fill: var(--warn); }
.sidelane .line { fill: none; }
.sidelane .label rect { fill: var(--page); stroke-width: 1; }
.sidelane .label text { font-size: 11.5px; }
.sidelane .weight .line, .sidelane .weight rect { stroke: var(--weight); }
.sidelane .match .line, .sidelane .match rect { stroke: var(--match); }
.sidelane .mirror .line, .sidelane .mirror rect { stroke: var(--mirror); }
.sidelane .weight text, .sidelane .tip-weight { fill: var(--weight); }
.sidelane .match text, .sidelane .tip-match { fill: var(--match); }
.sidelane .mirror text, .sidelane .tip-mirror { fill: var(--mirror); }
.sidelane .match .line { stroke-dasharray: 9 4; }
.sidelane .mirror .line { stroke-dasharray: 2 4; }
.sidelane .none .line, .sidelane .none rect { stroke: var(--border); stroke-dasharray: 3 5; }
.sidelane .none text, .sidelane .tip-none { fill: var(--quiet); }
"""


def render_svg(graph: Graph) -> str:
    """Return the picture as a separate file."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn(graph)}'


def drawn(graph: Graph) -> str:
    """Return the picture as an element, for a file or a page."""
    return "\n".join(_drawn(graph, place(graph))) + "\n"


def _drawn(graph: Graph, layout: Layout) -> Iterator[str]:
    width, height = _number(layout.width), _number(layout.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sidelane" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="sidelane-title sidelane-desc">'
    )
    yield f'<title id="sidelane-title">{_text(graph.summary)}</title>'
    yield f'<desc id="sidelane-desc">{_text(_told(graph))}</desc>'
    yield f"<style>\n{COLOURS}{_STYLE}</style>"
    yield "<defs>"
    yield from map(_tip, KEYS)
    yield "</defs>"
    yield f'<rect class="page" width="{width}" height="{height}"/>'
    yield f'<text class="heading" x="{_number(MARGIN)}" y="{_number(HEADING - 26)}">{_text(graph.summary)}</text>'
    for group, box in zip(graph.groups, layout.lanes, strict=True):
        yield _lane(group, box)
    for line in sorted(layout.lines, key=lambda line: -line.edge.share):  # a wide one hides no narrow one
        yield _line(line)
    for node in graph.nodes:
        yield _box(node, layout.nodes[node.name], "node" if node.released else "node unreleased")
    for route in graph.routes:
        yield _box(route, layout.routes[route.name], "route")
    yield from _legend(layout)
    yield "</svg>"


def _lane(group: Group, box: Box) -> str:
    text = f'<text x="{_number(box.x + PAD * 2)}" y="{_number(box.y + LANE_HEAD - 13)}">{_text(group.title)}</text>'
    return f'<g class="lane">{_rect(box, 10)}{text}</g>'


def _box(item: Node | Stable, box: Box, kind: str) -> str:
    warn = "" if item.status in ("deployed", NO_RELEASE, STABLE) else " warn"
    name, below = plain(item.name), plain(about(item))
    x, y = _number(box.x + PAD), box.middle
    return (
        f'<g class="{kind}{warn}"><title>{_text(f"{name}: {below}")}</title>{_rect(box, 6)}'
        f'<text class="name" x="{x}" y="{_number(y - 4)}">{_text(shortened(name, NAME_LIMIT))}</text>'
        f'<text class="about" x="{x}" y="{_number(y + 14)}">{_text(shortened(below, ABOUT_LIMIT))}</text></g>'
    )


def _line(line: Line) -> str:
    (x, y), (end, to) = line.begin, line.end
    half = (line.bend - x) / 2
    curve = (x, y, x + half, y, line.bend - half, to, line.bend, to)
    path = "M{} {} C{} {} {} {} {} {} H{}".format(*map(_number, (*curve, end - 7)))
    kind, box = kind_of(line.edge), line.label
    thickness = 1.5 + 2.5 * line.edge.share if kind == "weight" else 1.75
    title = f"{line.route.name} → {line.edge.to}: {line.edge.label}"
    return (
        f'<g class="{kind}"><title>{_text(title)}</title>'
        f'<path class="line" stroke-width="{_number(thickness)}" marker-end="url(#tip-{kind})" d="{path}"/>'
        f'<g class="label">{_rect(box, 10)}'
        f'<text x="{_number(box.x + 8)}" y="{_number(box.middle + 4)}">{_text(line.text)}</text></g></g>'
    )


def _tip(kind: str) -> str:
    return (
        f'<marker id="tip-{kind}" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="tip-{kind}" d="M0 0 L8 4 L0 8 Z"/></marker>'
    )


def _legend(layout: Layout) -> Iterator[str]:
    """Yield the meaning of each kind of line in the picture."""
    x, y = MARGIN, layout.height - LEGEND / 2 - 4
    there = {kind_of(line.edge) for line in layout.lines}
    for kind in filter(there.__contains__, KEYS):
        yield (
            f'<g class="{kind}"><path class="line" stroke-width="2" marker-end="url(#tip-{kind})" '
            f'd="M{_number(x)} {_number(y)} h28"/></g>'
            f'<text class="key" x="{_number(x + KEY)}" y="{_number(y + 4)}">{KEYS[kind]}</text>'
        )
        x += key_width(kind)


def _told(graph: Graph) -> str:
    """Return the picture in words, for screen readers."""
    lanes = (f"{group.title}: {', '.join(node.name for node in group.nodes)}." for group in graph.groups)
    routes = (
        f"{route.name} leads to {', '.join(f'{edge.to} ({edge.label})' for edge in route.edges)}."
        for route in graph.routes
    )
    return " ".join((*routes, *lanes))


def _rect(box: Box, radius: int) -> str:
    place = f'x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" height="{_number(box.height)}"'
    return f'<rect {place} rx="{radius}"/>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    return escape(plain(text))
