"""`sidelane diff`"""

from __future__ import annotations

from typing import Any

import click

from sidelane.cli import options, printing, running


@click.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@options.output
@running.reports_errors
@options.settings
def command(first: str, second: str | None, *, format_: str, settings: dict[str, Any]) -> None:
    """Compare two lanes, a lane and a file, or a lane and the cluster, without the lane in the names.

    A and B are lanes (coco-1), releases (zookeeper-coco-1), deployment files (.yaml) or bundles (.tar.gz). Without B, a
    lane or release is compared with the cluster. With a file, a lane or release is read from the file's namespace,
    unless -n is set. Exits 1 when they differ. Secrets are redacted.
    """
    namespace = options.given("namespace", settings)
    comparison = running.with_client(lambda client: client.diff(first, second, namespace=namespace), **settings)
    if format_ != "table":
        printing.data(comparison.to_json(), format_)
    else:
        from sidelane.checks.report.diff import render_differences

        changes = [(change.release or "release", change.difference) for change in comparison.differences]
        # click removes the colours if the output is not a terminal.
        click.echo(render_differences(comparison.labels, changes, list(comparison.only), colour=True), nl=False)
        if comparison.same:
            printing.say(f"{comparison.labels[0]} and {comparison.labels[1]} have no difference", err=True)
    if not comparison.same:
        raise SystemExit(1)
