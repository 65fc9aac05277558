"""`sidelane status`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.lane import Lane


@click.command("status")
@click.argument("release")
@options.lane(required=False)
@options.output
@running.reports_errors
@options.settings
def command(release: str, lane: Lane | None, *, format_: str, settings: dict[str, Any]) -> None:
    """Show RELEASE and its objects as they are now.

    RELEASE is a release's own name, or a chart's name together with --lane.
    """
    printing.release(running.with_client(lambda client: client.status(release, lane), **settings), format_)
