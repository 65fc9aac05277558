"""`sidelane uninstall`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("uninstall")
@click.argument("release")
@options.lane(required=False)
@click.option("--wait", is_flag=True, help="Wait until all its objects are gone, at most the timeout.")
@click.option("--foreign", is_flag=True, help="Remove it although Sidelane did not create it.")
@options.delete_cluster_objects
@options.timeout
@options.output
@running.reports_errors
@options.settings
def command(release: str, lane: Lane | None, *, format_: str, settings: dict[str, Any], **allowed: Any) -> None:
    """Remove RELEASE; the volume claims of its stateful sets stay.

    RELEASE is a release's name, or a chart's name together with --lane.
    """
    gone = running.with_client(lambda client: client.uninstall(release, lane, **allowed), **settings)
    printing.release(gone, format_)
