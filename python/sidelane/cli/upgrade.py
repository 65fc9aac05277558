"""`sidelane upgrade`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import conventions, options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("upgrade")
@options.chart
@options.lane(required=True)
@click.option("--reuse-values", is_flag=True, help="Merge the given values over those of the release.")
@options.output
@running.reports_errors
@conventions.held
@options.given_chart
@options.patience
@options.writing_settings
def command(
    chart: str,
    lane: Lane,
    *,
    reuse_values: bool,
    format_: str,
    held: dict[str, Any],
    given: dict[str, Any],
    patience: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Change the operational values of CHART's release in a lane.

    Operational values are the few that may change on a deployed release; each chart declares its own. Other changes are
    refused: install them as the next Build. These values replace all earlier ones unless --reuse-values is set.
    """
    release = running.with_client(
        lambda client: client.upgrade(chart, lane, reuse_values=reuse_values, **held, **given, **patience), **settings
    )
    printing.release(release, format_)
