"""`sidelane route`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, route_shift, running
from sidelane.cli.route_parts import BY, OVERWRITE, SERVICE, SERVICES, STAY, print_route, print_together

if TYPE_CHECKING:
    from sidelane.client import AsyncClient
    from sidelane.naming.lane import Lane
    from sidelane.routes.notes import Change
    from sidelane.routes.routed import Routed

#: The author of a change, and the exceptions that they allow.
_change = options.together(
    "change",
    dict,
    by=BY,
    allow_unready=click.option(
        "--allow-unready", is_flag=True, help="Allow targets whose pods are not ready for their share."
    ),
    overwrite=OVERWRITE,
    dry_run=click.option("--dry-run", is_flag=True, help="Check the change without making it."),
)

_router = options.together(
    "router",
    dict,
    mode=click.option(
        "--mode",
        type=click.Choice(["service", "istio", "gateway"]),
        help="The router. [default: unchanged; service for a new route]",
    ),
    stay=STAY,
    target_service=click.option(
        "--target-service",
        metavar="PATTERN",
        help="The names of the targets' own Services, such as '{name}-{lane}-api'; placeholders: {name}, {lane}, "
        "{serviceVersion}. Empty for the naming contract's. [default: unchanged]",
    ),
)


@click.group("route")
def command() -> None:
    """Set, show, shift and undo the targets of a service's stable name.

    SERVICE in a lane has the name http://SERVICE-LANE. A target is a version in that lane (v2), one in another lane
    (2-coco-2/v2), or another lane's component without versions (2-coco-2).
    """


command.add_command(route_shift.command)


@command.command("set")
@SERVICES
@options.lane(required=True)
@click.option(
    "--to",
    "targets",
    multiple=True,
    metavar="TARGET[=WEIGHT]",
    help="A target with its weight; a single target gets all requests.",
)
@_router
@options.output
@running.reports_errors
@_change
@options.values
@options.settings
def set_(
    services: tuple[str, ...],
    lane: Lane,
    *,
    targets: tuple[str, ...],
    router: dict[str, Any],
    format_: str,
    change: dict[str, Any],
    values: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Set the targets of each SERVICE's name; omitted options change nothing.

    Several services change together or not at all.

    The change is refused when a target is missing, is not of its lane, or has too few ready pods for its share, and
    when another process changed the route in between. Matches, mirror, timeouts and ports are values of the chart
    `route` (-f, --set).
    """
    from sidelane.routes.model import Split

    weights = Split.parse(targets, lane).to_json() if targets else None
    done = running.with_client(
        lambda client: client.routes.set_together(services, lane, weights, values=values, **router, **change),
        **settings,
    )
    print_together(done, format_)


@command.command("show")
@SERVICE
@options.lane(required=True)
@options.output
@running.reports_errors
@options.settings
def show(service: str, lane: Lane, *, format_: str, settings: dict[str, Any]) -> None:
    """Show the targets of SERVICE's name, and their ready pods."""
    print_route(running.with_client(lambda client: client.routes.show(service, lane), **settings), format_)


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

    routes, where = running.with_client(look, **settings)
    if format_ != "table":
        printing.data([routed.to_json() for routed in routes], format_)
        return
    if not routes:
        what = f"route of lane {lane}" if lane else "route"
        printing.say(f"there is no {what}{where}", err=True)
        return
    rows = [(each.route.name, each.route.mode, str(each.revision), str(each.route)) for each in routes]
    printing.table(("NAME", "MODE", "REVISION", "LEADS TO"), rows)


@command.command("history")
@SERVICE
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
@SERVICES
@options.lane(required=True)
@click.option("--to", type=int, metavar="REVISION", help="Go back to this revision. [default: before the last change]")
@options.output
@running.reports_errors
@_change
@options.settings
def undo(
    services: tuple[str, ...],
    lane: Lane,
    *,
    to: int | None,
    format_: str,
    change: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Restore each SERVICE's route exactly as it was before its last change.

    A second undo goes back one more change. Several routes go back together or not at all.
    """
    if to is None:
        done = running.with_client(lambda client: client.routes.undo_together(services, lane, **change), **settings)
        print_together(done, format_)
        return
    if len(services) > 1:
        raise click.UsageError("--to is a revision of one route, and there are several services.")
    routed = running.with_client(lambda client: client.routes.undo(services[0], lane, to=to, **change), **settings)
    print_route(routed, format_)


def _row(change: Change) -> tuple[str, str, str, str, str]:
    when = change.when.strftime("%Y-%m-%d %H:%M:%S") if change.when else "-"
    by = change.by or ("plain Helm" if change.is_helms else "-")
    from sidelane.routes.marks import short

    why = f"revision {change.restores} again" if change.restores else short(change.context)
    failed = "" if change.held else f" [{change.status}]"
    return str(change.revision), when, by, change.mode or "-", _leads(change) + (f" ({why})" if why else "") + failed


def _leads(change: Change) -> str:
    return change.leads or change.note
