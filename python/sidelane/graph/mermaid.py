"""The picture as a Mermaid flowchart, which GitHub and GitLab draw in a README."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sidelane.graph.model import Edge, Graph
from sidelane.graph.words import plain

#: Arrows that differ without colour: themes have their own colours, in light and dark.
_ARROWS: Final = {"weight": "-->", "match": "==>", "mirror": "-.->"}


def render_mermaid(graph: Graph) -> str:
    """Return the flowchart, without the fence around it."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield "flowchart LR"
    yield f"  accTitle: {_line(graph.summary)}"
    ids = {node.name: f"n{number}" for number, node in enumerate(graph.nodes)}
    for number, route in enumerate(graph.routes):
        yield f'  r{number}(["{_text(route.name)}<br/>{_text(route.about)}"])'
    for number, group in enumerate(graph.groups):
        yield f'  subgraph lane{number}["{_text(group.title)}"]'
        for node in group.nodes:
            about = ", ".join(filter(None, (node.chart, node.status)))
            yield f'    {ids[node.name]}["{_text(node.name)}<br/>{_text(about)}"]'
        yield "  end"
    for number, route in enumerate(graph.routes):
        for edge in route.edges:
            yield f'  r{number} {_arrow(edge)}|"{_text(edge.label)}"| {ids[edge.to]}'


def _arrow(edge: Edge) -> str:
    return _ARROWS[edge.kind] if edge.share else "-.->"


def _text(text: str) -> str:
    """Text between quotes: whatever could mean something to Mermaid, Markdown or HTML as Mermaid's own entity, such as
    ``#34;``. So is what would begin a list of Markdown's, which Mermaid refuses.
    """
    return re.sub(r"[^\w .,%()/=…·-]|_|^\d(?=\d*[.)] )|^-(?= )", lambda match: f"#{ord(match[0])};", plain(text))


def _line(text: str) -> str:
    """Return text for the rest of a line, where Mermaid supports no entities."""
    return re.sub(r"[^\w :,.-]", " ", plain(text))
