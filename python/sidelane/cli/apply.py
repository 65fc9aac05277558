"""`sidelane apply`"""

from __future__ import annotations

from typing import Any

import click

from sidelane.cli import options, printing, running

_asked = options.together(
    "asked",
    dict,
    wait=click.option("--wait", is_flag=True, help="Return when all is ready, or the timeout is over."),
    timeout=options.timeout,
    atomic=click.option("--atomic", is_flag=True, help="When a release fails, remove again what this run created."),
    create_namespace=options.create_namespace,
    reset_operational=options.reset_operational,
)


@click.command("apply")
@options.deployment
@options.output
@running.reports_errors
@_asked
@options.lane_parts
@options.writing_settings
def command(
    file: str,
    *,
    format_: str,
    parallel: int | None,
    asked: dict[str, Any],
    lane_parts: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Bring a lane to what a deployment FILE says, all its releases as one.

    Releases are made side by side, and what one needs is ready before it. What is there with the same content is left
    as it is; when anything is refused, nothing is changed. A run that was ended is taken up by the next.
    Operational values that the file does not say stay as they are, unless --reset-operational is given.
    """
    namespace = options.given("namespace", settings)
    applied = running.with_client(
        lambda client: client.apply(
            file,
            namespace=namespace,
            parallel=parallel,
            **asked,
            **lane_parts,
        ),
        **settings,
    )
    printing.applied(applied, format_)
