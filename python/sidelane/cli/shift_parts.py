"""The options and the printed summary that `sidelane shift` and `sidelane route shift` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running
from sidelane.cli.route_parts import STAY

if TYPE_CHECKING:
    from sidelane.routes.progress import Shift


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
        "'prometheus[limit=0.01,at=URL] QUERY', or manual, which holds a step until `sidelane shift promote`; with "
        "{service} in it, for each service. It runs where this command runs.",
    ),
    gate_files=click.option(
        "--gate-file",
        "gate_files",
        type=click.Path(dir_okay=False),
        multiple=True,
        metavar="FILE",
        help="A YAML file with gates: 'gates: [GATE, …]'.",
    ),
    stay=STAY,
    notify=click.option(
        "--notify",
        multiple=True,
        metavar="URL",
        help="Post each step, failure and end there, as a CloudEvent. A receiver that fails does not stop the shift.",
    ),
    go_on=click.option("--continue", "--go-on", "go_on", is_flag=True, help="Continue an interrupted shift."),
)


def arguments(asked: dict[str, Any]) -> dict[str, Any]:
    """Returns the options as the SDK's arguments, with the gates of the files."""
    asked = dict(asked)
    if files := asked.pop("gate_files"):
        from sidelane.routes.gates import from_file

        asked["checks"] = [*asked["checks"], *(text for file in files for text in from_file(file))]
    return asked


def run_and_print(work: Callable[..., Any], settings: dict[str, Any], format_: str, again: str) -> None:
    """Runs a shift. Prints one line for each event as JSON, or else its course at its end, also after an error.

    again: the command that continues it.
    """
    last: list[Shift] = []
    printed = 0

    def tell(now: Shift) -> None:
        nonlocal printed
        last[:] = [now]
        if format_ == "json":
            for event in now.events[printed:]:
                printing.line(event.to_json())
            printed = len(now.events)

    try:
        running.with_client(lambda client: work(client, tell), **settings)
    finally:
        if last and format_ != "json":
            print_shift(last[0], format_, again)
        for line in last[0].unsent if last else ():
            printing.say_line(f"not notified: {line}", err=True)


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
