"""`sidelane render`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("render")
@options.chart
@options.lane(required=True)
@running.reports_errors
@options.values
@options.source
@options.service
@options.rendering
@options.settings
def command(
    chart: str,
    lane: Lane,
    *,
    values: dict[str, Any],
    source: dict[str, Any],
    service: dict[str, Any],
    rendering: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Print CHART's manifest in a lane, as Helm renders it. Nothing is checked and nothing is installed."""
    text = running.with_client(
        lambda client: client.render(chart, lane, values=values, **source, **service, **rendering), **settings
    )
    printing.as_it_is(text)
    if not text.strip():
        printing.say(f"the chart {chart} renders no object in {lane}", err=True)
