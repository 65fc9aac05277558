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
    """Show what a deployment FILE would do to its lane. Nothing is changed.

    Each release is to be created, unchanged, scaled (operational values alone differ), finished (it was left half-made)
    or refused, and why. What the lane has besides is extra, and stays. Ends with 1 when anything is refused.
    Operational values that the file does not say stay as they are, and are listed.
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
