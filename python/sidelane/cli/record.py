"""`sidelane record`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.lane import Lane


@click.command("record")
@click.argument("release")
@options.lane(required=False)
@options.output
@running.reports_errors
@options.settings
def command(release: str, lane: Lane | None, *, format_: str, settings: dict[str, Any]) -> None:
    """Show where RELEASE comes from: its record, an in-toto Statement with SLSA Provenance.

    RELEASE is a release's own name, or a chart's name together with --lane. The same is in the ConfigMap
    record-RELEASE, under statement.json.
    """
    found = running.with_client(lambda client: client.record(release, lane), **settings)
    printing.data(found.to_json(), "json" if format_ == "table" else format_)
