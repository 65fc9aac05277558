"""`sidelane route shift`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running
from sidelane.cli.route_parts import BY, OVERWRITE, SERVICE, print_route

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane
    from sidelane.routes.shift import Shift


class StepsType(click.ParamType[tuple[int, ...]]):
    """Percentages, separated by commas."""

    name = "steps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of percentages; write it such as 5,25,50,100", param, ctx)


_ASKED = options.together(
    "asked",
    dict,
    steps=click.option(
        "--steps",
        type=StepsType(),
        metavar="PERCENT,…",
        help="The target's share in each step. [default: 5,25,50,100; 100 in mode service; as before with --go-on]",
    ),
    every=click.option(
        "--every", type=options.DurationType(), default="2m", show_default=True, help="The duration of a step."
    ),
    between=click.option(
        "--between",
        type=options.DurationType(),
        default="10s",
        show_default=True,
        help="The interval between two runs of the checks.",
    ),
    checks=click.option(
        "--check",
        "checks",
        multiple=True,
        metavar="CHECK",
        help="A check that must pass during each step: 'http[limit=500ms,failures=3] URL', "
        "'command[limit=30s] PROGRAM …' "
        "or 'prometheus[limit=0.01,at=URL] QUERY'.",
    ),
    go_on=click.option("--go-on", is_flag=True, help="Continue an interrupted shift."),
)
_BACK = options.together("change", dict, by=BY, overwrite=OVERWRITE)


@click.command("shift")
@SERVICE
@options.lane(required=True)
@click.option("--to", metavar="TARGET", help="Move requests to this target, such as v2.")
@click.option("--back", is_flag=True, help="Restore the weights from before the current shift.")
@options.output
@running.reports_errors
@_ASKED
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
    _shift((service, lane, to), {**asked, "by": change["by"]}, format_, settings)


def _shift(named: tuple[str, Lane, str], asked: dict[str, Any], format_: str, settings: dict[str, Any]) -> None:
    last: list[Shift] = []

    def tell(now: Shift) -> None:
        if not last:
            last.append(now)

    try:
        running.with_client(lambda client: client.routes.shift(*named, **asked, tell=tell), **settings)
    finally:  # print the progress of the shift, also after an error
        if last:
            _print_shift(last[0], format_)


def _print_shift(item: Shift, format_: str) -> None:
    if format_ != "table":
        printing.data(item.to_json(), format_)
        return
    if not item.steps:  # nothing was changed, and the error has the reason
        return
    rows = [
        (str(step.percent), str(step.revision), f"{step.seconds:.0f} s", step.outcome or "interrupted")
        for step in item.steps
    ]
    printing.table(("PERCENT", "REVISION", "LASTED", "OUTCOME"), rows)
    printing.say()
    printing.table(("ASKED", "BAD", "CHECK"), [(str(gate.asked), str(gate.failed), gate.text) for gate in item.gates])
    stands = ", ".join(f"{target}={weight}" for target, weight in item.now.items())
    printing.say(f"\n{item.route}: the shift to {item.to} is {item.outcome}; it leads to {stands}")
    if item.outcome in ("interrupted", "refused"):
        printing.say("continue it with --go-on and the same --to, --steps and checks, or undo it with --back")
