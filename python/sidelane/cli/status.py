"""`sidelane status`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("status")
@click.argument("release", required=False)
@options.lane(required=False)
@options.output
@running.reports_errors
@options.settings
def command(release: str | None, lane: Lane | None, *, format_: str, settings: dict[str, Any]) -> None:
    """Show RELEASE and its objects, or every release of a lane, and each pod that is not ready.

    RELEASE is a release's name, or a chart's name together with --lane. A pod that is not ready is shown with its
    containers' states, its last events and its last log lines.
    """
    runs = settings["directory"] is None
    if release is not None:
        name = release
        printing.status(running.with_client(lambda client: client.status(name, lane), **settings), format_, runs=runs)
    elif lane is not None:
        own = lane
        state = running.with_client(lambda client: client.status(own), **settings)
        printing.lane_status(state, format_, runs=runs)
    else:
        raise click.UsageError("Name a release, or a lane with --lane.")
