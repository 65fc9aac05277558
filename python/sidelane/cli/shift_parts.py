"""The options and the printed summary that `sidelane shift` and `sidelane route shift` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
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


ASKED = options.together(
    "asked",
    dict,
    steps=click.option(
        "--steps",
        type=StepsType(),
        metavar="PERCENT,…",
        help="The share that moves in each step. [default: 5,25,50,100; 100 in mode service; as before with "
        "--continue]",
    ),
    every=click.option(
        "--every", type=options.DurationType(), default="2m", show_default=True, help="The duration of a step."
    ),
    between=click.option(
        "--between",
        type=options.DurationType(),
        default="10s",
        show_default=True,
        help="The interval between two runs of the gates.",
    ),
    checks=click.option(
        "--gate",
        "--check",
        "checks",
        multiple=True,
        metavar="GATE",
        help="A check that must pass during each step: 'http[limit=500ms,failures=3] URL', "
        "'command[limit=30s] PROGRAM …' "
        "or 'prometheus[limit=0.01,at=URL] QUERY'; with {service} in it, for each service.",
    ),
    go_on=click.option("--continue", "--go-on", "go_on", is_flag=True, help="Continue an interrupted shift."),
)


def told(work: Callable[..., Any], settings: dict[str, Any], show: Callable[[Shift], None]) -> None:
    """Runs a shift, and shows its progress at its end, also after an error."""
    last: list[Shift] = []

    def tell(now: Shift) -> None:
        if not last:
            last.append(now)

    try:
        running.with_client(lambda client: work(client, tell), **settings)
    finally:
        if last:
            show(last[0])


def print_shift(item: Shift, format_: str, again: str) -> None:
    """Prints the course of a shift. again: the command that continues it."""
    if format_ != "table":
        printing.data(item.to_json(), format_)
        return
    if not item.steps:  # nothing was changed, and the error has the reason
        return
    rows = [
        (str(step.percent), ",".join(sorted(set(map(str, step.revisions.values())))), f"{step.seconds:.0f} s",
         f"{step.apart:.1f} s", step.outcome or "interrupted")
        for step in item.steps
    ]  # fmt: skip
    printing.table(("PERCENT", "REVISION", "LASTED", "WRITTEN IN", "OUTCOME"), rows)
    printing.say()
    printing.table(("ASKED", "BAD", "CHECK"), [(str(gate.asked), str(gate.failed), gate.text) for gate in item.gates])
    printing.say()
    for route, weights in item.now.items():
        stands = ", ".join(f"{target}={weight}" for target, weight in weights.items())
        printing.say_line(f"{route}: the shift {item.move} is {item.outcome}; it leads to {stands}")
    if item.outcome in ("interrupted", "refused"):
        printing.say(f"continue it with {again}, or undo it with --back")
