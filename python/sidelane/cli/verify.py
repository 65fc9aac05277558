"""`sidelane verify`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.lane import Lane
    from sidelane.verify import Verification


@click.command("verify")
@click.argument("release", required=False)
@options.lane(required=False)
@options.output
@running.reports_errors
@options.settings
def command(release: str | None, lane: Lane | None, *, format_: str, settings: dict[str, Any]) -> None:
    """Tell whether RELEASE, or every release of a lane, still is what was deployed.

    Each is held against its record and against the cluster: unchanged; changed in Helm; drifted in the cluster, with
    the field, what is expected, what is found and who set it; missing objects; unfinished, when Helm never got to its
    end; or unrecorded. A route needs no record: it changes in place, and `sidelane route history` has its changes. What
    the API server fills in is no drift. Ends with 1 when one is not unchanged.
    """
    if release is None and lane is None:
        raise click.UsageError("Missing argument 'RELEASE' or option '--lane' (env var: 'SIDELANE_LANE').")
    found = running.with_client(lambda client: client.verify(release, lane), **settings)
    if format_ != "table":
        printing.data([one.to_json() for one in found], format_)
    else:
        printing.table(("RELEASE", "STATE", "RECORD"), [_row(one) for one in found])
        for one in found:
            _explain(one)
    if any(one.state != "unchanged" for one in found):
        raise SystemExit(1)


def _row(one: Verification) -> tuple[str, str, str]:
    return one.release, one.state, one.record


def _explain(one: Verification) -> None:
    lines = [
        *(f"{line} (in Helm)" for line in one.changed),
        *(f"{identity}: is missing" for identity in one.missing),
        *map(str, one.drift),
        *([f"its status is {one.status}"] if one.status != "deployed" else []),
        *(f"{line} (operational)" for line in one.operational),
    ]
    if lines:
        click.echo(f"\n{one.release}:")
        for line in lines:
            click.echo(f"  {line}")
