"""`sidelane retire`"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running
from sidelane.errors import StillHeld
from sidelane.support.advice import Place

if TYPE_CHECKING:
    from sidelane.client import AsyncClient
    from sidelane.lanes.retire import Retirement
    from sidelane.naming.lane import Lane


_proposal = options.together(
    "proposal",
    dict,
    keep=click.option(
        "--keep", type=click.IntRange(min=0), metavar="N", help="Propose all lanes but the N youngest of each Version."
    ),
    version=click.option(
        "--of", "version", metavar="VERSION", help="With --keep: consider only the lanes of this Version."
    ),
    yes=click.option("--yes", is_flag=True, help="With --keep: retire the proposed lanes."),
)

#: The options of both a proposal and a retirement.
_asked = options.together(
    "asked",
    dict,
    min_age=click.option(
        "--min-age",
        type=options.DurationType(),
        default="0s",
        metavar="AGE",
        help="Keep lanes and releases younger than this, such as 24h.",
    ),
    foreign=click.option(
        "--foreign", multiple=True, metavar="RELEASE", help="Remove this release although Sidelane did not create it."
    ),
    delete_cluster_objects=options.delete_cluster_objects,
)

_going = options.together(
    "going",
    dict,
    drain=click.option(
        "--drain",
        type=options.DurationType(),
        default="30s",
        show_default=True,
        metavar="TIME",
        help="How long to wait after traffic has moved away; with --connections, at most.",
    ),
    connections=click.option(
        "--connections",
        multiple=True,
        metavar="SOURCE",
        help="Count the open connections, and wait only until there are none: 'envoy http://127.0.0.1:9901', "
        "'envoy[stat=upstream_cx_active] URL CLUSTERS', or 'command[limit=5s] PROGRAM …', which prints a number. "
        "Several are added up. It runs where this command runs.",
    ),
    delete_claims=click.option(
        "--delete-claims", is_flag=True, help="Delete the volume claims of its stateful sets too."
    ),
    timeout=options.timeout,
)


@click.command("retire")
@click.argument("release", required=False)
@options.lane(required=False)
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and the reasons against it.")
@options.output
@running.reports_errors
@_proposal
@_asked
@_going
@options.settings
def command(
    release: str | None,
    lane: Lane | None,
    *,
    dry_run: bool,
    format_: str,
    proposal: dict[str, Any],
    asked: dict[str, Any],
    going: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Remove a lane, or one RELEASE of it, when nothing needs it any more.

    A lane or release is held if it is the target of a route, needed by another release, younger than --min-age, or in
    use by another process. With --keep, all lanes but the youngest are proposed; --yes retires those that are not held.
    A release that Sidelane did not create stays, whatever its name, unless --foreign names it.
    """
    keep, version, yes = (proposal[name] for name in ("keep", "version", "yes"))
    if (keep is None) == (lane is None and release is None):
        raise click.UsageError("Name a release, a lane with --lane, or how many lanes to --keep.")
    if keep is None:
        removed = running.with_client(
            lambda client: client.retire(release, lane, dry_run=dry_run, **asked, **going), **settings
        )
        printing.retirements([removed], format_, Place.of(settings))
        if removed.held:
            raise SystemExit(1)
        return

    retirements, where = running.with_client(
        lambda client: _all_but_the_youngest(client, keep, version, asked, going if yes and not dry_run else None),
        **settings,
    )
    if where and format_ == "table":
        what = "lane" if version is None else f"lane of the Version {version}"
        printing.say(f"there is no {what} to retire in {where}: --keep {keep} keeps them all", err=True)
        return
    printing.retirements(retirements, format_, Place.of(settings))
    if not yes and any(not retirement.held for retirement in retirements) and format_ == "table":
        printing.say("\nadd --yes to retire these")


async def _all_but_the_youngest(
    client: AsyncClient, keep: int, version: str | None, asked: dict[str, Any], going: dict[str, Any] | None
) -> tuple[list[Retirement], str]:
    """Proposes lanes, and retires them if ``going`` is set. Returns them, and if there are none, the place searched."""
    retirements = list(await client.outdated(keep, version=version, **asked))
    for at, retirement in enumerate(retirements):
        if going is not None and not retirement.held:
            try:
                retirements[at] = await client.retire(retirement.lane, **asked, **going)
            except StillHeld as error:  # held since the proposal
                retirements[at] = dataclasses.replace(retirement, held=error.held)
    return retirements, "" if retirements else await client.where()
