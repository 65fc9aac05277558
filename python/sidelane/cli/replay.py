"""`sidelane replay`"""

from __future__ import annotations

from typing import Any

import click

from sidelane.cli import options, printing, running


@click.command("replay")
@click.argument("file", type=click.Path(dir_okay=False))
@options.output
@running.reports_errors
@options.bringing
@options.writing_settings
def command(
    file: str,
    *,
    format_: str,
    bringing: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Deploy a bundled lane again, on a cluster or into a directory.

    FILE comes from `sidelane bundle`; no other input is needed, and no network except the cluster's. The objects are
    the same, byte for byte; otherwise nothing is installed, and each field that would differ is listed. The default
    namespace is the bundle's. Routes are created last, when their targets are ready.
    """
    done = running.with_client(lambda client: client.replay(file, **bringing), **settings)
    printing.warnings(done.releases)
    if format_ != "table":
        printing.data(done.to_json(), format_)
        return
    rows = [(release.name, release.change, digest) for release, digest in zip(done.releases, done.digests, strict=True)]
    printing.table(("RELEASE", "CHANGE", "OBJECTS"), rows)
