"""`sidelane render`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import conventions, options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("render")
@options.chart
@options.lane(required=True)
@running.reports_errors
@conventions.held
@options.given_chart
@options.rendering
@options.settings
def command(
    chart: str,
    lane: Lane,
    *,
    held: dict[str, Any],
    given: dict[str, Any],
    rendering: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Print CHART's manifest in a lane, as Helm renders it, without checks."""
    text = running.with_client(lambda client: client.render(chart, lane, **held, **given, **rendering), **settings)
    printing.as_it_is(text)
    if not text.strip():
        printing.say(f"the chart {chart} renders no object in {lane}", err=True)
