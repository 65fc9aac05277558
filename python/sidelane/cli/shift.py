"""`sidelane shift`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running
from sidelane.cli.route_parts import BY, OVERWRITE
from sidelane.cli.shift_parts import ASKED, arguments, run_and_print

if TYPE_CHECKING:
    from sidelane.client import AsyncClient
    from sidelane.routes.returning import ShiftStatus, ShiftUndone

#: The seconds between two pictures of --watch.
_REDRAWN = 2.0

_CHOSEN = options.together(
    "chosen",
    dict,
    old=click.option("--from", "old", type=options.LaneType(), metavar="LANE", help="The lane whose requests move."),
    new=click.option("--to", "new", type=options.LaneType(), metavar="LANE", help="The lane that gets them."),
    services=click.option("--service", "services", multiple=True, metavar="NAME", help="Move only this service."),
    file=click.option(
        "--file", type=click.Path(dir_okay=False), help="Move only the services of this deployment file's routes."
    ),
    back=click.option("--back", is_flag=True, help="Restore every route as it was before the shift."),
    watch=click.option(
        "--watch", is_flag=True, help="Show the shifts in progress, and draw them again until they end."
    ),
    id=click.option("--id", default="", metavar="ID", help="The shift to continue or take back, if there are several."),
)
_CHANGE = options.together("change", dict, by=BY, overwrite=OVERWRITE)


@click.group("shift", invoke_without_command=True)
@_CHOSEN
@options.output
@running.reports_errors
@ASKED
@_CHANGE
@options.settings
@click.pass_context
def command(
    ctx: click.Context,
    *,
    chosen: dict[str, Any],
    format_: str,
    asked: dict[str, Any],
    change: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Move the requests of one lane to another lane step by step, all services in lockstep.

    Every route that leads to the lane --from moves to the same versions in the lane --to. A step is written to all
    routes or to none, and begins only when every target is ready for its share. When a gate fails, all routes go back
    to what each was before. The gates run where this command runs: on this machine, or in the pod that runs it.

    The state is in the routes' histories: after an interruption --continue goes on, and --back takes all routes back,
    from any machine.
    """
    if ctx.invoked_subcommand:
        return
    verbs = [bool(chosen["old"] or chosen["new"]), asked["go_on"], chosen["back"], chosen["watch"]]
    if sum(verbs) != 1:
        raise click.UsageError("Give --from and --to, or --continue, or --back, or --watch.")
    if chosen["watch"]:
        running.with_client(_watch, **settings)
        return
    if chosen["back"]:
        undone = running.with_client(lambda client: client.shifts.back(chosen["id"], **change), **settings)
        _print_undone(undone, format_)
        return
    if verbs[0] and not (chosen["old"] and chosen["new"]):
        raise click.UsageError("--from and --to must be used together.")
    _shift(chosen, {**arguments(asked), **change}, format_, settings)


def _shift(chosen: dict[str, Any], asked: dict[str, Any], format_: str, settings: dict[str, Any]) -> None:
    go_on, gates = asked.pop("go_on"), asked.pop("checks")
    overwrite, steps, stay = asked.pop("overwrite"), asked.pop("steps"), asked.pop("stay")
    if go_on and stay:
        raise click.UsageError("--stay cannot be used with --continue: the shift keeps its own.")

    def work(client: Any, tell: Any) -> Any:
        if go_on:
            return client.shifts.go_on(chosen["id"], gates=gates, overwrite=overwrite, tell=tell, **asked)
        services = [*chosen["services"], *_services(chosen["file"])]
        return client.shifts.start(
            chosen["old"], chosen["new"], services=services, steps=steps, gates=gates, stay=stay, tell=tell, **asked
        )

    run_and_print(work, settings, format_, "--continue")


async def _watch(client: AsyncClient) -> None:
    """Draws the routes of shifts until no shift is in progress; a terminal is cleared before each picture."""
    import asyncio
    import sys
    from dataclasses import replace

    before = ""
    while True:
        graph, status = await asyncio.gather(client.graph(), client.shifts.status())
        shown = replace(graph, groups=(), routes=tuple(route for route in graph.routes if route.shift))
        lines = [f"{shift}, {'running' if shift.is_held else 'not running'}" for shift in status.in_progress]
        text = "\n".join([*(lines or ["no shift is in progress"]), "", shown.render() if lines else ""])
        if text != before:
            click.echo("\x1b[H\x1b[2J" if sys.stdout.isatty() else "", nl=False)
            printing.say(text)
        if not lines:
            return
        before = text
        await asyncio.sleep(_REDRAWN)


def _services(file: str | None) -> list[str]:
    """Returns the services of a deployment file's routes."""
    if file is None:
        return []
    from sidelane.lanes.deployment import read

    return [str(item["service"]) for item in read(file).routes]


@command.command("status")
@options.output
@running.reports_errors
@options.settings
def status(*, format_: str, settings: dict[str, Any]) -> None:
    """Show the shifts of the namespace, and the state of each of their routes."""
    shown = running.with_client(lambda client: client.shifts.status(), **settings)
    if format_ != "table":
        printing.data(shown.to_json(), format_)
        return
    _print_status(shown)


@command.command("promote")
@click.option("--id", "which", default="", metavar="ID", help="The shift, if several are in progress.")
@BY
@options.output
@running.reports_errors
@options.settings
def promote(*, which: str, by: str | None, format_: str, settings: dict[str, Any]) -> None:
    """Let the present step of a shift with the gate `manual` end."""
    shift = running.with_client(lambda client: client.shifts.promote(which, by=by), **settings)
    if format_ != "table":
        printing.data(shift.to_json(), format_)
        return
    printing.say_line(f"{shift}: promoted")


def _print_status(shown: ShiftStatus) -> None:
    shifts = shown.in_progress
    if not shifts and not shown.incomplete:
        printing.say("no shift is in progress", err=True)
    for shift in shifts:
        state = "its process is running" if shift.is_held else "its process has ended"
        printing.say_line(f"{shift}; {state}")
        printing.table(("ROUTE", "STATE"), [(stand.member.name, str(stand)) for stand in shift.routes])
        if not shift.is_held:
            printing.say("continue it with `sidelane shift --continue`, or undo it with `sidelane shift --back`")
        printing.say()
    for name in shown.incomplete:
        printing.say_line(f"{name}: a dead process left its change incomplete, in the first write of a shift")
    if shown.incomplete:
        printing.say("restore with `sidelane shift --back`")


def _print_undone(undone: ShiftUndone, format_: str) -> None:
    if format_ != "table":
        printing.data(undone.to_json(), format_)
    else:
        rows = [(route.route.name, str(route.revision), str(route.route)) for route in undone.routes]
        printing.table(("NAME", "REVISION", "LEADS TO"), rows)
    for line in undone.unsent:
        printing.say_line(f"not notified: {line}", err=True)
    undone.require_all()
