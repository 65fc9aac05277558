"""`sidelane list`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.lane import Lane


@click.command("list")
@options.lane(required=False)
@click.option("-A", "--all-namespaces", is_flag=True, help="List the releases of every namespace.")
@options.output
@running.reports_errors
@options.settings
def command(lane: Lane | None, *, all_namespaces: bool, format_: str, settings: dict[str, Any]) -> None:
    """List releases, in every state, however many; those of one lane with --lane."""
    found = running.with_client(lambda client: client.releases(lane, all_namespaces=all_namespaces), **settings)
    if format_ != "table":
        printing.data([release.to_json() for release in found], format_)
        return
    header = ["NAME", "LANE", "STATUS", "REVISION", "CHART"]
    rows = [[one.name, str(one.lane or "-"), one.status, str(one.revision), one.chart] for one in found]
    if all_namespaces:
        header.insert(0, "NAMESPACE")
        rows = [[one.namespace, *row] for one, row in zip(found, rows, strict=True)]
    printing.table(header, rows)
