"""Plan a retirement: the releases to remove, and the reasons against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sidelane.charts.sources import bundled
from sidelane.helm.durations import seconds
from sidelane.lanes.retire.draining import Drained
from sidelane.naming.lane import Lane
from sidelane.releases.stores import Release, Target, no_release
from sidelane.releases.stores.ours import not_ours
from sidelane.routes import finding
from sidelane.routes.leads import Lead, leads_to
from sidelane.routes.places import place_of


class Allowed(NamedTuple):
    """The exceptions that a caller allows. foreign: names of releases that Sidelane did not create. cluster_objects:
    also delete objects outside the namespace.
    """

    foreign: frozenset[str] = frozenset()
    cluster_objects: bool = False


#: No exceptions.
NO_MORE: Final = Allowed()


class Hold(NamedTuple):
    """One reason against a retirement, and its remedy."""

    why: str
    remedy: str


@dataclass(frozen=True)
class Retirement:
    """A planned or completed retirement: a lane's releases in the order of their removal, and the claims to delete.

    held: the reasons against it, a sentence each; if there are any, nothing is removed. gone: True when done. staying:
    releases with names of the lane that Sidelane did not create. cluster_objects: deleted objects outside the
    namespace. kept_claims: claims that stay, if they can be read. routes: the releases that are the lane's own routes.
    remedies: the remedies for the reasons. release: the requested release, None for a lane. drained: the end of the
    wait for open connections, None if they were not counted.
    """

    lane: Lane
    releases: tuple[str, ...]
    held: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    gone: bool = False
    staying: tuple[str, ...] = ()
    cluster_objects: tuple[str, ...] = ()
    kept_claims: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    release: str | None = None
    drained: Drained | None = None

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the retirement."""
        return {
            "lane": str(self.lane),
            "releases": list(self.releases),
            "held": list(self.held),
            "claims": list(self.claims),
            "gone": self.gone,
            "staying": list(self.staying),
            "clusterObjects": list(self.cluster_objects),
            "keptClaims": list(self.kept_claims),
            **({"drained": self.drained.to_json()} if self.drained else {}),
        }

    @property
    def command(self) -> str:
        """The command that retires it, without further options: ``sidelane retire --lane coco-1``."""
        return f"sidelane retire {self.release or f'--lane {self.lane}'}"


async def look(
    target: Target,
    lane: Lane,
    *,
    release: str | None = None,
    min_age: str = "0s",
    delete_claims: bool = False,
    allowed: Allowed = NO_MORE,
) -> Retirement:
    """Plans the retirement of a lane, or of one release of it, with every reason against it.

    Raises ReleaseNotFound for an unknown lane or name, and NotOurs when Sidelane created none of the releases.
    """
    everything = await target.releases()
    (retirement,) = await look_at(target, [lane], everything, release=release, min_age=min_age, allowed=allowed)
    if not retirement.releases and retirement.staying:
        raise not_ours(*retirement.staying, remedy=_foreign_remedy(retirement.staying))
    if not retirement.releases:
        raise await no_release(target, release or lane)
    levels = await target.levels(lane)
    # Callers go first: the routes, then the dependent releases.
    order = sorted(retirement.releases, key=lambda name: (name not in retirement.routes, -levels.get(name, 0), name))
    claims = await target.claims(lane, release) or ()
    retirement = replace(
        retirement,
        releases=tuple(order),
        claims=claims if delete_claims else (),
        kept_claims=() if delete_claims else claims,
    )
    if release is None:
        return retirement
    whole = replace(retirement, release=None).command
    holds = [
        Hold(f"{name} needs {release}", f"retire {name} first, or the whole lane with `{whole}`")
        for name in await target.needing(release)
    ]
    return _held(retirement, holds)


async def look_at(
    target: Target,
    lanes: Sequence[Lane],
    there: Sequence[Release],
    *,
    release: str | None = None,
    min_age: str = "0s",
    allowed: Allowed = NO_MORE,
    proposed: bool = False,
) -> list[Retirement]:
    """Plans the retirement of each of these lanes. there: all releases of the target. The number of calls to the target
    is constant, except for routes and for releases whose charts are not Sidelane's.

    proposed: True if the user did not name these lanes. Then a route of their own holds them, and releases of
    Sidelane's charts, which have no cluster-scoped objects, are not read.
    """
    routes = {stored_route.release: stored_route.route for stored_route in await finding.every(place_of(target), there)}
    lane_of = {release.name: routes[release.name].lane if release.name in routes else release.lane for release in there}
    wanted = frozenset(lanes)
    named = [item for item in there if lane_of[item.name] in wanted and release in (None, item.name)]
    ours = await target.ours(named)
    going = [item for item in named if item.name in ours or item.name in allowed.foreign]
    abandoned = await target.abandoned(going)
    beyond = await _beyond(target, going, known=_charts_without() if proposed else frozenset())
    retirements = []
    for lane in lanes:
        mine = [release for release in going if lane_of[release.name] == lane]
        names = frozenset(release.name for release in mine)
        retirement = Retirement(
            lane,
            releases=tuple(release.name for release in mine),
            staying=tuple(item.name for item in named if lane_of[item.name] == lane and item not in going),
            cluster_objects=tuple(f"{name}: {line}" for name in sorted(names) for line in beyond.get(name, ())),
            routes=tuple(sorted(names & routes.keys())),
            release=release,
        )
        holds = [*_busy(mine, abandoned), *_young(mine, min_age)]
        if routes and mine:
            leads = await leads_to(target, lane=lane, release=release, among=there)
            holds += [_lead(lead, retirement) for lead in leads if proposed or lead.route not in names]
            if proposed and not leads:
                holds += [_stable_name(name, retirement) for name in retirement.routes]
        if not allowed.cluster_objects:
            holds += [_beyond_hold(line) for line in retirement.cluster_objects]
        retirements.append(_held(retirement, holds))
    return retirements


def _busy(mine: Sequence[Release], abandoned: frozenset[str]) -> list[Hold]:
    busy = (release.name for release in mine if release.is_pending and release.name not in abandoned)
    return [Hold(f"another process is working on {name}", "try again when it has ended") for name in busy]


def _lead(lead: Lead, plan: Retirement) -> Hold:
    shown = f"`sidelane route show {lead.of.service} --lane {lead.of.lane}`"
    elsewhere = f"set {lead.route} without {lead.to}, see {shown}"
    if lead.route in plan.routes or (plan.release and lead.of.lane == plan.lane):
        whole = replace(plan, release=None).command
        return Hold(str(lead), f"{elsewhere}, or retire the whole lane, its routes too, with `{whole}`")
    return Hold(str(lead), elsewhere)


def _stable_name(route: str, plan: Retirement) -> Hold:
    """Returns the hold for a lane with only routes: callers are unknown, so the user must name it to retire it."""
    return Hold(f"{route} is a name that callers may use", f"if nobody calls it, retire it with `{plan.command}`")


def _beyond_hold(line: str) -> Hold:
    return Hold(f"{line} would be deleted, and is outside the namespace", "add --delete-cluster-objects")


def _held(plan: Retirement, holds: Iterable[Hold]) -> Retirement:
    holds = list(holds)
    return replace(
        plan,
        held=(*plan.held, *(hold.why for hold in holds)),
        remedies=tuple(dict.fromkeys((*plan.remedies, *(hold.remedy for hold in holds)))),
    )


async def _beyond(target: Target, going: Sequence[Release], known: frozenset[str]) -> dict[str, tuple[str, ...]]:
    wanted = [release.name for release in going if release.chart not in known]
    return dict(await target.beyond(await target.stored_all(wanted)))


def _charts_without() -> frozenset[str]:
    return frozenset(str(chart.ref) for chart in bundled())


def _foreign_remedy(names: Sequence[str]) -> str:
    flags = "".join(f" --foreign {name}" for name in names[:3])
    return f"remove it with `helm uninstall {names[0]}`, or add{flags} to remove it anyway"


def _young(mine: Sequence[Release], min_age: str) -> list[Hold]:
    least, now = timedelta(seconds=seconds(min_age)), datetime.now(UTC)
    return [
        Hold(
            f"{release.name} is {str(now - release.updated).partition('.')[0]} old, and must be at least {min_age}",
            "wait, or set a smaller --min-age",
        )
        for release in mine
        if release.updated is not None and now - release.updated < least
    ]
