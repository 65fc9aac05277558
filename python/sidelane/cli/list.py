"""`sidelane list`"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running
from sidelane.helm.durations import written

if TYPE_CHECKING:
    from sidelane.client import AsyncClient
    from sidelane.naming.lane import Lane
    from sidelane.releases.stores import Release


@click.command("list")
@options.lane(required=False)
@click.option("-A", "--all-namespaces", is_flag=True, help="List the releases of every namespace.")
@options.output
@running.reports_errors
@options.settings
def command(lane: Lane | None, *, all_namespaces: bool, format_: str, settings: dict[str, Any]) -> None:
    """List all releases, in every state; with --lane those of one lane.

    AGE is the time since the last change of a release.
    """

    async def look(client: AsyncClient) -> tuple[tuple[Release, ...], str]:
        releases = await client.list(lane, all_namespaces=all_namespaces)
        if releases:
            return releases, ""
        return releases, "in any namespace" if all_namespaces else f"in {await client.where()}"

    releases, where = running.with_client(look, **settings)
    if format_ != "table":
        printing.data([release.to_json() for release in releases], format_)
        return
    if not releases:
        what = f"release of lane {lane}" if lane else "release"
        printing.say(f"there is no {what} {where}", err=True)
        return
    _print_table(releases, namespaces=all_namespaces)


def _print_table(releases: Sequence[Release], *, namespaces: bool) -> None:
    now = datetime.now(UTC)
    header = ["NAME", "LANE", "STATUS", "REVISION", "AGE", "CHART"]
    rows = [
        [
            release.name,
            str(release.lane or "-"),
            release.status,
            str(release.revision),
            _age(release, now),
            release.chart,
        ]
        for release in releases
    ]
    if namespaces:
        header.insert(0, "NAMESPACE")
        rows = [[release.namespace, *row] for release, row in zip(releases, rows, strict=True)]
    printing.table(header, rows)


def _age(release: Release, now: datetime) -> str:
    """Returns the time since the last change of the release."""
    return written((now - release.updated).total_seconds()) if release.updated else "-"
