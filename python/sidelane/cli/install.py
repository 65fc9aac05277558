"""`sidelane install`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import conventions, options, printing, running
from sidelane.errors import CheckFailed

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("install")
@options.chart
@options.lane(required=True)
@click.option("--dry-run", is_flag=True, help="Render and check, print the manifest, and install nothing.")
@options.output
@running.reports_errors
@conventions.held
@options.given_chart
@options.bringing
@options.writing_settings
def command(
    chart: str,
    lane: Lane,
    *,
    dry_run: bool,
    format_: str,
    held: dict[str, Any],
    given: dict[str, Any],
    bringing: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Install CHART in a lane, beside the other lanes.

    CHART is a name from `sidelane charts`, a folder, a .tgz, repo/chart or an oci:// reference. The release is
    CHART-LANE, for a service NAME-VERSION-LANE. The same content again stays unchanged; other content is refused.
    """
    if dry_run:
        rendering, report = running.with_client(
            lambda client: client.check(chart, lane, installation=True, **held, **given), **settings
        )
        printing.findings(report)
        printing.as_it_is(rendering.text)
        if not report.clean:
            raise SystemExit(CheckFailed.exit_code)
        if settings["directory"] is not None and not settings["allow_secrets"]:
            from sidelane.releases.stores.directory import require_no_secrets

            require_no_secrets(rendering)
        return
    release = running.with_client(
        lambda client: client.install(chart, lane, **held, **given, **bringing),
        **settings,
    )
    printing.release(release, format_)
