"""`sidelane wait`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("wait")
@click.argument("release", required=False)
@options.lane(required=False)
@click.option("--timeout", type=options.DurationType(), metavar="DURATION", help="The longest wait. [default: 5m0s]")
@options.output
@running.reports_errors
@options.settings
def command(
    release: str | None, lane: Lane | None, *, timeout: str | None, format_: str, settings: dict[str, Any]
) -> None:
    """Wait until RELEASE, or every release of a lane, is ready.

    RELEASE is a release's name, or a chart's name together with --lane. Changes nothing. Exits 3 after the timeout, and
    names each pod that is not ready.
    """
    if release is None and lane is None:
        raise click.UsageError("Name a release, or a lane with --lane.")
    readiness = running.with_client(lambda client: client.wait(release, lane, timeout=timeout), **settings)
    if format_ == "table":
        click.echo(readiness.counted)
    else:
        printing.data(readiness.to_json(), format_)
