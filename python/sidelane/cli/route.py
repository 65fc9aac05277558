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
    help="Who changes the route, for its history. [default: whom CI names, or user@host]",
)
_OVERWRITE = click.option(
    "--overwrite", is_flag=True, help="Take back what somebody changed in the objects themselves."
)
#: Who changes a route, and what they allow.
_change = options.together(
    "change",
    dict,
    by=_BY,
    allow_unready=click.option(
        "--allow-unready", is_flag=True, help="Lead there although pods are not ready for their share."
    ),
    overwrite=_OVERWRITE,
    dry_run=click.option("--dry-run", is_flag=True, help="Look and check, and write nothing."),
)
_back = options.together("change", dict, by=_BY, overwrite=_OVERWRITE)


@click.group("route")
def command() -> None:
    """Change where a service's stable name leads, look back, and go back.

    SERVICE in a lane is the name http://SERVICE-LANE. A target is a version in that lane (v2), one in another lane
    (2-coco-2/v2), or another lane's component that has no versions (2-coco-2).
    """


@command.command("set")
@service_argument
@options.lane(required=True)
@click.option(
    "--to", "targets", multiple=True, metavar="TARGET[=WEIGHT]", help="Lead there; one alone gets everything."
)
@click.option(
    "--mode", type=click.Choice(["service", "istio", "gateway"]), help="What routes. [default: as it is, or service]"
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
    """Lead SERVICE's name to targets, such as --to v1=90 --to v2=10; what is not given stays as it is.

    Refused when a target is not there, is not of its lane, or has too few ready pods for its share; and when somebody
    else changed the route in between. Matches, mirror, timeouts and ports are values of the chart `route` (-f, --set).
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
    """Show where SERVICE's name leads, and what is ready there."""
    _print(running.with_client(lambda client: client.routes.show(service, lane), **settings), format_)


@command.command("list")
@options.lane(required=False)
@options.output
@running.reports_errors
@options.settings
def list_(lane: Lane | None, *, format_: str, settings: dict[str, Any]) -> None:
    """List routes; those of one lane with --lane."""

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
    """Show every change of SERVICE's route: when, by whom, how and where it led since then, and why.

    A change that was made without Sidelane is told as plain Helm's.
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
    """Bring back where SERVICE's name led before its last change, exactly as it was. Twice goes back twice."""
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
            self.fail(f"{value!r} are no percentages; write them such as 5,25,50,100", param, ctx)


_asked = options.together(
    "asked",
    dict,
    steps=click.option(
        "--steps",
        type=StepsType(),
        metavar="PERCENT,…",
        help="Its share. [default: 5,25,50,100; 100 in mode service, which can't split; with --go-on as before]",
    ),
    every=click.option(
        "--every", type=options.DurationType(), default="2m", show_default=True, help="How long a step lasts."
    ),
    between=click.option(
        "--between", type=options.DurationType(), default="10s", show_default=True, help="How often checks are asked."
    ),
    checks=click.option(
        "--check",
        "checks",
        multiple=True,
        metavar="CHECK",
        help="Let a step through only if this holds: 'http[limit=500ms,failures=3] URL', "
        "'command[limit=30s] PROGRAM …' "
        "or 'prometheus[limit=0.01,at=URL] QUERY'.",
    ),
    go_on=click.option("--go-on", is_flag=True, help="Go on with a shift that was interrupted."),
)


@command.command("shift")
@service_argument
@options.lane(required=True)
@click.option("--to", metavar="TARGET", help="Move requests to this target, such as v2.")
@click.option("--back", is_flag=True, help="Put back what was before the shift that the route is in.")
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

    The target has to stay ready, and every check to hold, or the weights from before the shift are put back.
    Interrupted or refused half-way, it says where it stands; --go-on, with the same --to, --steps and checks, or --back
    take it up.
    """
    if back:
        if to or asked["go_on"]:
            raise click.UsageError("--back goes with neither --to nor --go-on.")
        _print(
            running.with_client(lambda client: client.routes.shift_back(service, lane, **change), **settings),
            format_,
        )
        return
    if to is None:
        raise click.UsageError("Missing option '--to': where requests are to go.")
    _shift((service, lane, to), {**asked, "by": change["by"]}, format_, settings)


def _shift(named: tuple[str, Lane, str], asked: dict[str, Any], format_: str, settings: dict[str, Any]) -> None:
    last: list[Shift] = []

    def tell(now: Shift) -> None:
        if not last:
            last.append(now)

    try:
        running.with_client(lambda client: client.routes.shift(*named, **asked, tell=tell), **settings)
    finally:  # whatever ended it, this is how far it came
        if last:
            _print_shift(last[0], format_)


def _print_shift(item: Shift, format_: str) -> None:
    if format_ != "table":
        printing.data(item.to_json(), format_)
        return
    if not item.steps:  # nothing was changed, and the error says why
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
        printing.say("go on with --go-on and the same --to, --steps and checks, or back with --back")


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
            "not there" if backend is None else f"{backend.ready}/{backend.total}" if backend.total is not None else "-"
        )
        rows.append((str(way.to), way.how, ready))
    printing.say()
    printing.table(("TARGET", "REQUESTS", "READY"), rows)
    if backends and all(backend.ready is None for backend in backends.values()):
        printing.say("\nnothing runs in a directory")
    for line in routed.drift:
        printing.say_line(f"changed by somebody else: {line}", err=True)
