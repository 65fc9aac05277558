"""The options that the commands of `sidelane route` share, and the printed route."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sidelane.cli import printing

if TYPE_CHECKING:
    from sidelane.routes.routed import Routed
    from sidelane.routes.together import RoutedTogether

SERVICE = click.argument("service")
SERVICES = click.argument("services", nargs=-1, required=True, metavar="SERVICE…")
BY = click.option(
    "--by",
    metavar="NAME",
    envvar="SIDELANE_CHANGED_BY",
    show_envvar=True,
    help="The author of the change, for the history. [default: the CI's user, or user@host]",
)
STAY = click.option(
    "--stay",
    type=click.Choice(["cookie", "header", "none"]),
    help="Keep each caller on its target while requests are split: by a cookie, or by a header that the caller sends "
    "back. [default: unchanged]",
)
OVERWRITE = click.option("--overwrite", is_flag=True, help="Undo direct changes of the route's objects too.")


def print_route(routed: Routed, format_: str) -> None:
    """Prints a route: its name, targets and their ready pods, in one of the formats of `-o`."""
    if format_ != "table":
        printing.data(routed.to_json(), format_)
        return
    route = routed.route
    facts = {
        "NAME": route.name,
        "RELEASE": route.release,
        "NAMESPACE": routed.release.namespace,
        "MODE": route.mode,
        "SERVICES": route.target_service,
        "STAY": f"by {route.stay}" if route.stay else "",
        "REVISION": str(routed.revision),
        "CHANGE": routed.change,
    }
    for key, value in facts.items():
        if value:
            printing.say_line(f"{key + ':':<11}{value}")
    backends = routed.backends or {}
    rows = []
    for way in route.ways():
        backend = backends.get(route.service_of(way.to))
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


def print_together(done: RoutedTogether, format_: str) -> None:
    """Prints several routes that changed together; one route as `sidelane route show` does."""
    if len(done.routes) == 1:
        print_route(done.routes[0], format_)
        return
    if format_ != "table":
        printing.data(done.to_json(), format_)
        return
    rows = [(route.route.name, str(route.revision), route.change, str(route.route)) for route in done.routes]
    printing.table(("NAME", "REVISION", "CHANGE", "LEADS TO"), rows)
    printing.say(f"\nfirst to last write: {done.seconds:.1f} s")
