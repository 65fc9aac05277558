"""`sidelane apply`"""

from __future__ import annotations

from typing import Any

import click

from sidelane.cli import options, printing, running

_asked = options.together(
    "asked",
    dict,
    wait=click.option("--wait", is_flag=True, help="Wait until everything is ready, at most the timeout."),
    timeout=options.timeout,
    atomic=click.option("--atomic", is_flag=True, help="If a release fails, remove everything that this run created."),
    create_namespace=options.create_namespace,
    require_guard=options.require_guard,
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
    """Apply a deployment FILE to its lane, all its releases together.

    Independent releases run in parallel; a release starts when those that it needs are ready. Releases with the same
    content stay unchanged; if one is refused, nothing is changed. The next run continues an interrupted one.
    Operational values that are not in the file stay, unless --reset-operational is set.
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
