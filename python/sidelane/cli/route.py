"""`sidelane route`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.client import AsyncClient
    from sidelane.naming.lane import Lane
    from sidelane.routes.notes import Change
    from sidelane.routes.routed import Routed
    from sidelane.routes.shift import Shift

F = TypeVar("F", bound=Callable[..., Any])

service_argument = click.argument("service")
_BY = click.option(
    "--by",
    metavar="NAME",
    envvar="SIDELANE_CHANGED_BY",
    show_envvar=True,
    help="The author of the change, for the history. [default: the CI's user, or user@host]",
)
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Undo direct changes of the route's objects too.")
#: The author of a change, and the exceptions that they allow.
_change = options.together(
    "change",
    dict,
    by=_BY,
    allow_unready=click.option(
        "--allow-unready", is_flag=True, help="Allow targets whose pods are not ready for their share."
    ),
    overwrite=_OVERWRITE,
    dry_run=click.option("--dry-run", is_flag=True, help="Check the change without making it."),
)
_back = options.together("change", dict, by=_BY, overwrite=_OVERWRITE)


@click.group("route")
def command() -> None:
    """Set, show, shift and undo the targets of a service's stable name.

    SERVICE in a lane has the name http://SERVICE-LANE. A target is a version in that lane (v2), one in another lane
    (2-coco-2/v2), or another lane's component without versions (2-coco-2).
    """


@command.command("set")
@service_argument
@options.lane(required=True)
@click.option(
    "--to",
    "targets",
    multiple=True,
    metavar="TARGET[=WEIGHT]",
    help="A target with its weight; a single target gets all requests.",
)
@click.option(
    "--mode",
    type=click.Choice(["service", "istio", "gateway"]),
    help="The router. [default: unchanged; service for a new route]",
)
@options.output
@running.reports_errors
@_change
@options.values
@options.settings
def set_(
    service: str,
    lane: Lane,
    *,
    targets: tuple[str, ...],
    mode: str | None,
    format_: str,
    change: dict[str, Any],
    values: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Set the targets of SERVICE's name; omitted options change nothing.

    The change is refused when a target is missing, is not of its lane, or has too few ready pods for its share, and
    when another process changed the route in between. Matches, mirror, timeouts and ports are values of the chart
    `route` (-f, --set).
    """
    from sidelane.routes.model import Split

    weights = Split.parse(targets, lane).to_json() if targets else None
    routed = running.with_client(
        lambda client: client.routes.set(service, lane, weights, mode=mode, values=values, **change), **settings
    )
    _print(routed, format_)


@command.command("show")
@service_argument
@options.lane(required=True)
@options.output
@running.reports_errors
@options.settings
def show(service: str, lane: Lane, *, format_: str, settings: dict[str, Any]) -> None:
    """Show the targets of SERVICE's name, and their ready pods."""
    _print(running.with_client(lambda client: client.routes.show(service, lane), **settings), format_)


@command.command("list")
@options.lane(required=False)
@options.output
@running.reports_errors
@options.settings
def list_(lane: Lane | None, *, format_: str, settings: dict[str, Any]) -> None:
    """List all routes; with --lane those of one lane."""

    async def look(client: AsyncClient) -> tuple[tuple[Routed, ...], str]:
        routes = await client.routes.list(lane)
        return routes, "" if routes else f" in {await client.where()}"

    found, where = running.with_client(look, **settings)
    if format_ != "table":
        printing.data([one.to_json() for one in found], format_)
        return
    if not found:
        what = f"route of lane {lane}" if lane else "route"
        printing.say(f"there is no {what}{where}", err=True)
        return
    rows = [(one.route.name, one.route.mode, str(one.revision), str(one.route)) for one in found]
    printing.table(("NAME", "MODE", "REVISION", "LEADS TO"), rows)


@command.command("history")
@service_argument
@options.lane(required=True)
@options.output
@running.reports_errors
@options.settings
def history(service: str, lane: Lane, *, format_: str, settings: dict[str, Any]) -> None:
    """Show every change of SERVICE's route: time, author, mode, targets and reason.

    The author of a change made without Sidelane is shown as plain Helm.
    """
    changes = running.with_client(lambda client: client.routes.history(service, lane), **settings)
    if format_ != "table":
        printing.data([change.to_json() for change in changes], format_)
        return
    printing.table(("REVISION", "WHEN", "BY", "MODE", "LEADS TO"), map(_row, changes))


@command.command("undo")
@service_argument
@options.lane(required=True)
@click.option("--to", type=int, metavar="REVISION", help="Go back to this revision. [default: before the last change]")
@options.output
@running.reports_errors
@_change
@options.settings
def undo(
    service: str, lane: Lane, *, to: int | None, format_: str, change: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Restore SERVICE's route exactly as it was before its last change. A second undo goes back one more change."""
    routed = running.with_client(
        lambda client: client.routes.undo(service, lane, to=to, **change),
        **settings,
    )
    _print(routed, format_)


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


_asked = options.together(
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


@command.command("shift")
@service_argument
@options.lane(required=True)
@click.option("--to", metavar="TARGET", help="Move requests to this target, such as v2.")
@click.option("--back", is_flag=True, help="Restore the weights from before the current shift.")
@options.output
@running.reports_errors
@_asked
@_back
@options.settings
def shift(
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
        _print(
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


def _row(change: Change) -> tuple[str, str, str, str, str]:
    when = change.when.strftime("%Y-%m-%d %H:%M:%S") if change.when else "-"
    by = change.by or ("plain Helm" if change.is_helms else "-")
    why = f"revision {change.restores} again" if change.restores else change.context
    failed = "" if change.held else f" [{change.status}]"
    return str(change.revision), when, by, change.mode or "-", _leads(change) + (f" ({why})" if why else "") + failed


def _leads(change: Change) -> str:
    return change.leads or change.note


def _print(routed: Routed, format_: str) -> None:
    if format_ != "table":
        printing.data(routed.to_json(), format_)
        return
    route = routed.route
    facts = {
        "NAME": route.name,
        "RELEASE": route.release,
        "NAMESPACE": routed.release.namespace,
        "MODE": route.mode,
        "REVISION": str(routed.revision),
        "CHANGE": routed.change,
    }
    for key, value in facts.items():
        if value:
            printing.say_line(f"{key + ':':<11}{value}")
    backends = routed.backends or {}
    rows = []
    for way in route.ways():
        backend = backends.get(way.to.service(route.service, route.lane))
        ready = (
            "missing" if backend is None else f"{backend.ready}/{backend.total}" if backend.total is not None else "-"
        )
        rows.append((str(way.to), way.how, ready))
    printing.say()
    printing.table(("TARGET", "REQUESTS", "READY"), rows)
    if backends and all(backend.ready is None for backend in backends.values()):
        printing.say("\nnothing runs in a directory")
    for line in routed.drift:
        printing.say_line(f"changed outside of the route: {line}", err=True)
