"""A picture of a namespace: its lanes, their releases and its routes; one format per file.

- gather.py: reads the namespace; model.py: the value that every format draws;
- text.py, mermaid.py, svg.py, html.py: the formats; layout.py: the places of a drawing; words.py: its words.

No format reads the cluster, and nothing here changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sidelane.errors import InvalidInput
from sidelane.graph.html import render_html
from sidelane.graph.mermaid import render_mermaid
from sidelane.graph.model import Edge, Graph, Group, Node, Stable
from sidelane.graph.svg import render_svg
from sidelane.graph.text import render_text

__all__ = ["FORMATS", "Edge", "Graph", "Group", "Node", "Stable", "render"]

FORMATS: Final[dict[str, Callable[[Graph], str]]] = {
    "text": render_text,
    "mermaid": render_mermaid,
    "svg": render_svg,
    "html": render_html,
}


def render(graph: Graph, format: str = "text") -> str:  # noqa: A002 - the word that `-o` has everywhere
    """Return the picture in one of FORMATS, ending in a newline. Raises InvalidInput for another format."""
    if format not in FORMATS:
        raise InvalidInput(f"{format!r} is not a graph format", remedy=f"choose one of {', '.join(FORMATS)}")
    return FORMATS[format](graph)
