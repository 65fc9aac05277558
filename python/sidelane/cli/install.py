"""`sidelane install`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running
from sidelane.errors import CheckFailed

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("install")
@options.chart
@options.lane(required=True)
@click.option("--create-namespace", is_flag=True, help="Create the namespace where there is none.")
@click.option("--dry-run", is_flag=True, help="Render and check, print the manifest, and install nothing.")
@options.allow_secrets
@options.output
@running.reports_errors
@options.values
@options.source
@options.service
@options.patience
@options.settings
def command(
    chart: str,
    lane: Lane,
    *,
    create_namespace: bool,
    dry_run: bool,
    allow_secrets: bool,
    format_: str,
    values: dict[str, Any],
    source: dict[str, Any],
    service: dict[str, Any],
    patience: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Install CHART in a lane, beside what runs.

    CHART is one of `sidelane charts`, a folder, a .tgz, repo/chart or an oci:// reference; the release is CHART-LANE,
    and that of a service NAME-VERSION-LANE. What is there with the same content is left as it is; other content is
    refused.
    """
    settings["allow_secrets"] = allow_secrets
    if dry_run:
        rendering, report = running.with_client(
            lambda client: client.check(chart, lane, values=values, **source, **service), **settings
        )
        printing.findings(report)
        printing.as_it_is(rendering.text)
        if not report.clean:
            raise SystemExit(CheckFailed.exit_code)
        if settings["directory"] is not None and not allow_secrets:
            from sidelane.releases.stores.directory import require_no_secrets

            require_no_secrets(rendering)
        return
    release = running.with_client(
        lambda client: client.install(
            chart, lane, values=values, create_namespace=create_namespace, **source, **service, **patience
        ),
        **settings,
    )
    printing.release(release, format_)
