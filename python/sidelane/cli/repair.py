"""`sidelane repair`"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane
    from sidelane.releases.repair import Repair


@click.command("repair")
@click.argument("release", required=False)
@options.lane(required=False)
@click.option("--yes", is_flag=True, help="Repair; required in a terminal, which otherwise only shows the changes.")
@click.option("--dry-run", is_flag=True, help="Show the changes without making them.")
@click.option("--wait", is_flag=True, help="Wait until everything is ready, at most the timeout.")
@options.timeout
@options.output
@running.reports_errors
@options.settings
def command(
    release: str | None,
    lane: Lane | None,
    *,
    yes: bool,
    dry_run: bool,
    wait: bool,
    timeout: str | None,
    format_: str,
    settings: dict[str, Any],
) -> None:
    """Restore RELEASE, or every release of a lane, exactly as deployed.

    Missing objects are created, and drifted fields are reset, whoever owns them. Operational values, replicas that an
    autoscaler sets, and rollout restarts stay. A release that was changed in Helm itself is refused; `sidelane verify`
    shows the difference. A workload that was scaled to 0 gets its pods back.
    """
    if release is None and lane is None:
        raise click.UsageError("Missing argument 'RELEASE' or option '--lane' (env var: 'SIDELANE_LANE').")
    only_look = dry_run or (not yes and sys.stdout.isatty())
    done = running.with_client(
        lambda client: client.repair(release, lane, dry_run=only_look, wait=wait, timeout=timeout), **settings
    )
    if format_ != "table":
        printing.data([repair.to_json() for repair in done], format_)
        return
    _say(done)
    if only_look and not dry_run and any(repair.needed for repair in done):
        printing.say("\nadd --yes to repair")


def _say(done: Sequence[Repair]) -> None:
    states = {(False, False): "unchanged", (True, False): "drifted", (True, True): "repaired"}
    printing.table(("RELEASE", "STATE"), [(repair.release, states[repair.needed, repair.done]) for repair in done])
    for repair in done:
        made, back = ("was created again", "was reset") if repair.done else ("is missing", "drifted")
        lines = [f"{identity}: {made}" for identity in repair.missing]
        lines += [f"{drift}: {back}" for drift in repair.drift]
        lines += [f"{line}: stays" for line in repair.allowed]
        if lines:
            printing.say()
            printing.say_line(f"{repair.release}:")
            for line in lines:
                printing.say_line(f"  {line}")
