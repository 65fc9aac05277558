"""`sidelane plan`"""

from __future__ import annotations

from typing import Any

import click

from sidelane.cli import options, printing, running


@click.command("plan")
@options.deployment
@options.reset_operational
@options.output
@running.reports_errors
@options.lane_parts
@options.settings
def command(
    file: str,
    *,
    reset_operational: bool,
    format_: str,
    parallel: int | None,
    lane_parts: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Show the changes that a deployment FILE would make to its lane, without making them.

    Each release would be created, unchanged, scaled (only operational values differ), finished (an earlier run did not
    end) or refused, with the reason. Other releases of the lane are extra, and stay. Exits 1 when one is refused.
    Operational values that are not in the file stay, and are listed.
    """
    namespace = options.given("namespace", settings)
    plan = running.with_client(
        lambda client: client.plan(
            file, namespace=namespace, parallel=parallel, reset_operational=reset_operational, **lane_parts
        ),
        **settings,
    )
    printing.plan(plan, format_)
    if plan.refused:
        raise SystemExit(1)
