"""The picture as one page: the drawing, and the same as tables, which can be searched, copied and read aloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from sidelane.graph.model import Graph
from sidelane.graph.svg import COLOURS, drawn
from sidelane.graph.words import plain

# Names come from a cluster. They are escaped; and should that ever fail, the page may run no script and ask no address.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE: Final = """\
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px; background: var(--page); color: var(--ink);
  font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; }
main { max-width: 1400px; margin: 0 auto; }
h1 { font-size: 24px; margin: 0 0 16px; } h2 { font-size: 18px; margin: 32px 0 8px; }
figure { margin: 0; overflow-x: auto; border: 1px solid var(--edge); border-radius: 10px; }
figure svg { display: block; margin: 0 auto; }
.table { overflow-x: auto; }
table { border-collapse: collapse; min-width: 100%; }
th, td { text-align: left; padding: 6px 16px 6px 0; border-bottom: 1px solid var(--edge); vertical-align: top; }
th { font-weight: 600; color: var(--quiet); }
td { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px; }
"""


def render_html(graph: Graph) -> str:
    """Return the page."""
    return "\n".join(_page(graph)) + "\n"


def _page(graph: Graph) -> Iterator[str]:
    title = f"Lanes of {graph.namespace}" if graph.namespace else "Lanes"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_text(title)}</title>\n<style>\n{COLOURS}{_STYLE}</style>\n</head>"
    yield f'<body class="sidelane">\n<main>\n<h1>{_text(title)}</h1>'
    yield f'<figure tabindex="0">\n{drawn(graph)}</figure>'
    routes = [
        (route.name, route.mode, ", ".join(filter(None, (route.status, route.shift))), edge.label, edge.to)
        for route in graph.routes
        for edge in route.edges
    ]
    yield from _table("Routes", ("Name", "Mode", "Status", "Requests", "Destinations"), routes, "No route.")
    releases = [
        (str(group.lane or "-"), node.name, node.chart or "-", node.status)
        for group in graph.groups
        for node in group.nodes
    ]
    yield from _table("Releases", ("Lane", "Release", "Chart", "Status"), releases, "No release.")
    yield "</main>\n</body>\n</html>"


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> Iterator[str]:
    """Yield a table below its title. none: the text for a table without rows."""
    yield f"<h2>{title}</h2>"
    if not rows:
        yield f"<p>{none}</p>"
        return
    yield '<div class="table"><table>\n<thead><tr>'
    yield from (f'<th scope="col">{cell}</th>' for cell in header)
    yield "</tr></thead>\n<tbody>"
    for row in rows:
        yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>"
    yield "</tbody>\n</table></div>"


def _text(text: str) -> str:
    return escape(plain(text))
