"""`sidelane graph`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("graph")
@options.lane(required=False)
@click.option(
    "-o",
    "--output",
    "format_",
    type=click.Choice(["text", "mermaid", "svg", "html", "json", "yaml"]),
    default="text",
    show_default=True,
    help="The output's format.",
)
@click.option(
    "--output-file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write to this file; - is standard output, the default.",
)
@running.reports_errors
@options.settings
def command(lane: Lane | None, *, format_: str, output_file: str | None, settings: dict[str, Any]) -> None:
    """Draw lanes, their releases and traffic; with --lane only the parts of one lane.

    Formats: text, Mermaid for a README, and a self-contained SVG or page with a light and a dark theme.
    """
    drawn = running.with_client(lambda client: client.graph(lane), **settings)
    if format_ in ("json", "yaml"):
        text = printing.formatted(drawn.to_json(), format_)
    else:
        from sidelane.graph import render

        text = render(drawn, format_)
    if output_file is None:
        printing.as_it_is(text)
        return
    with click.open_file(output_file, "w", encoding="utf-8") as file:
        file.write(text)
