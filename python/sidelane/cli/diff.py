"""`sidelane diff`"""

from __future__ import annotations

from typing import Any

import click

from sidelane.cli import options, printing, running


@click.command("diff")
@click.argument("one", metavar="A")
@click.argument("other", metavar="[B]", required=False)
@options.output
@running.reports_errors
@options.settings
def command(one: str, other: str | None, *, format_: str, settings: dict[str, Any]) -> None:
    """Compare two lanes, a lane and a file, or a lane and the cluster, without the lane in the names.

    A and B are lanes (coco-1), releases (zookeeper-coco-1), deployment files (.yaml) or bundles (.tar.gz). Without B, a
    lane or release is compared with the cluster. With a file, a lane or release is read from the file's namespace,
    unless -n is set. Exits 1 when they differ. Secrets are redacted.
    """
    namespace = options.given("namespace", settings)
    found = running.with_client(lambda client: client.diff(one, other, namespace=namespace), **settings)
    if format_ != "table":
        printing.data(found.to_json(), format_)
    else:
        from sidelane.checks.report.diff import render_differences

        changes = [(change.release or "release", change.difference) for change in found.differences]
        # click removes the colours if the output is not a terminal.
        click.echo(render_differences(found.labels, changes, list(found.only), colour=True), nl=False)
        if found.same:
            printing.say(f"{found.labels[0]} and {found.labels[1]} have no difference", err=True)
    if not found.same:
        raise SystemExit(1)
