"""`sidelane route shift`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, running
from sidelane.cli.route_parts import BY, OVERWRITE, SERVICE, print_route
from sidelane.cli.shift_parts import ASKED, arguments, run_and_print

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


_BACK = options.together("change", dict, by=BY, overwrite=OVERWRITE)


@click.command("shift")
@SERVICE
@options.lane(required=True)
@click.option("--to", metavar="TARGET", help="Move requests to this target, such as v2.")
@click.option("--back", is_flag=True, help="Restore the weights from before the current shift.")
@options.output
@running.reports_errors
@ASKED
@_BACK
@options.settings
def command(
    service: str,
    lane: Lane,
    *,
    to: str | None,
    back: bool,
    format_: str,
    asked: dict[str, Any],
    change: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Move SERVICE's requests to a target step by step.

    The target must stay ready, and every check must pass; otherwise the weights from before the shift are restored.
    After an interruption or a refused step, --go-on, with the same --to, --steps and checks, continues the shift, and
    --back undoes it.
    """
    if back:
        if to or asked["go_on"]:
            raise click.UsageError("--back cannot be used with --to or --go-on.")
        print_route(
            running.with_client(lambda client: client.routes.shift_back(service, lane, **change), **settings),
            format_,
        )
        return
    if to is None:
        raise click.UsageError("Missing option '--to': the target of the shift.")
    _shift((service, lane, to), {**arguments(asked), "by": change["by"]}, format_, settings)


def _shift(named: tuple[str, Lane, str], asked: dict[str, Any], format_: str, settings: dict[str, Any]) -> None:
    again = "--go-on and the same --to, --steps and checks"
    run_and_print(lambda client, tell: client.routes.shift(*named, **asked, tell=tell), settings, format_, again)
