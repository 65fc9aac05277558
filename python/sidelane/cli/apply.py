"""`sidelane apply`"""

from __future__ import annotations

from typing import Any

import click

from sidelane.cli import options, printing, running


@click.command("apply")
@options.deployment
@click.option("--wait", is_flag=True, help="Return when all is ready, or the timeout is over.")
@options.timeout
@click.option("--atomic", is_flag=True, help="When a release fails, remove again what this run created.")
@click.option("--create-namespace", is_flag=True, help="Create the namespace where there is none.")
@options.reset_operational
@options.allow_secrets
@options.output
@running.reports_errors
@options.lane_parts
@options.settings
def command(
    file: str,
    *,
    wait: bool,
    timeout: str | None,
    atomic: bool,
    create_namespace: bool,
    reset_operational: bool,
    allow_secrets: bool,
    format_: str,
    parallel: int | None,
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
            wait=wait,
            timeout=timeout,
            atomic=atomic,
            create_namespace=create_namespace,
            reset_operational=reset_operational,
            **lane_parts,
        ),
        allow_secrets=allow_secrets,
        **settings,
    )
    printing.applied(applied, format_)
