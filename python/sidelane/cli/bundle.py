"""`sidelane bundle`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("bundle")
@click.argument("file", type=click.Path(dir_okay=False))
@options.lane(required=True)
@click.option("--chart", "charts", multiple=True, metavar="CHART", help="The location of a chart of the lane.")
@click.option("--allow-secrets", is_flag=True, help="Bundle Secrets and secret values too.")
@options.output
@running.reports_errors
@options.settings
def command(
    file: str,
    lane: Lane,
    *,
    charts: tuple[str, ...],
    allow_secrets: bool,
    format_: str,
    settings: dict[str, Any],
) -> None:
    """Pack a lane into one FILE, such as coco-1.tar.gz, from which it can be deployed again.

    The bundle holds charts, values, records and the objects as deployed. Name each chart that is not one of Sidelane's
    with --chart; it must be identical to the deployed one.
    """
    made = running.with_client(
        lambda client: client.bundle(lane, file, charts=charts), allow_secrets=allow_secrets, **settings
    )
    if format_ != "table":
        printing.data(made.to_json(), format_)
        return
    printing.table(("RELEASE", "OBJECTS"), [(release.name, release.manifest.digest()) for release in made.releases])
    printing.say(f"\n{file}: {made.digest}")
