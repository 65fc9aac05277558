"""Set, show and undo routes.

Every change has the same steps: read the route → parse, render and check the new values → check the targets in the
cluster → write once, which fails if another process wrote in between → read back (writing.py). Several routes change
together or not at all (together.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sidelane.charts import sources
from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.rendering import Renderer
from sidelane.errors import InvalidInput, Refused, ReleaseNotFound, TargetBusy
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context
from sidelane.releases.stores import Release
from sidelane.routes import finding, notes, ready
from sidelane.routes.finding import Found
from sidelane.routes.model import Split, about, route_release
from sidelane.routes.notes import Change
from sidelane.routes.places import AT_ONCE, History, place_of
from sidelane.routes.routed import Routed
from sidelane.routes.terms import USUAL, Terms
from sidelane.routes.writing import Prepared, Wanted, Writer, changed
from sidelane.support.concurrency import some_at_a_time

if TYPE_CHECKING:
    from sidelane.releases.stores import Stored

#: The age in seconds at which an unfinished change counts as abandoned: Helm's own timeout.
GIVEN_UP: Final = 300.0


@dataclass(frozen=True)
class Router(Writer):
    """The routes of one place. chart: a chart of routes."""

    @classmethod
    def of(cls, context: Context, chart: Chart | None = None) -> Router:
        """Returns the routes of a context. chart: None for the bundled chart `route`."""
        renderer = Renderer(context.helm, context.namespace, needs="sidelane.checks.engine")
        return cls(place_of(context.target), renderer, chart or sources.find("route"), context.progress)

    async def set(
        self,
        service: str,
        lane: Lane,
        split: Split | None = None,
        *,
        values: Mapping[str, Any] | None = None,
        terms: Terms = USUAL,
        release: str = "",
    ) -> Routed:
        """Sets the targets of a stable name, and creates the route if it is missing. Omitted arguments change nothing.

        values: chart values, merged over the route's. release: the name of a new route's release, if it differs from
        the naming contract's. Raises InvalidRoute, InvalidValues, TargetNotReady, RouteChanged, NotOurs.
        """
        return await self.write(await self.setting(service, lane, split, values=values, terms=terms, release=release))

    async def read(self, routes: Iterable[tuple[str, Lane]], *, histories: bool = False) -> Found:
        """Reads the routes of these services and lanes at once. histories: with their revisions, as an undo needs."""
        return await finding.several(self.place, routes, histories=histories)

    async def setting(
        self,
        service: str,
        lane: Lane,
        split: Split | None = None,
        *,
        values: Mapping[str, Any] | None = None,
        terms: Terms = USUAL,
        release: str = "",
        read: Found | None = None,
    ) -> Prepared:
        """Prepares what ``set`` writes. read: see ``read``. Raises as ``set`` does."""
        there = (read or await self.read([(service, lane)])).get(service, lane)
        stored = there.now if there else None
        _still(stored.release.name if stored else route_release(service, lane), stored, terms.seen)
        wanted = coalesce(own(stored), values or {})
        wanted["name"] = service
        if split is not None:
            wanted["targets"] = split.to_values()
        return await self.prepare(Wanted(lane, stored, wanted, release=release), terms)

    async def show(self, service: str, lane: Lane) -> Routed:
        """Returns a route with the current state of its targets. Raises ReleaseNotFound."""
        return await self.shown((await finding.named(self.place, service, lane)).now, lane)

    async def shown(self, stored: Stored, lane: Lane) -> Routed:
        """Returns a stored route with the current state of its targets."""
        routed = self.routed(stored, lane)
        sight = await self.place.look(stored.manifest, ready.services(routed.route))
        return replace(routed, backends=sight.backends, drift=sight.drift)

    async def at(self, service: str, lane: Lane, revision: int) -> Routed:
        """Returns a route at a revision. Raises ReleaseNotFound."""
        return self.routed(await self.at_revision(await finding.named(self.place, service, lane), revision), lane)

    async def at_revision(self, history: History, revision: int) -> Stored:
        """Returns a route's release at a revision. Raises ReleaseNotFound."""
        return history.earlier.get(revision) or await self.place.stored(history.now.release.name, revision)

    async def list(self, lane: Lane | None = None) -> tuple[Routed, ...]:
        """Returns every route, or those of one lane."""
        routes = await finding.every(self.place)
        return tuple(
            self.routed(stored_route.stored, stored_route.route.lane)
            for stored_route in routes
            if lane in (None, stored_route.route.lane)
        )

    async def history(self, service: str, lane: Lane) -> tuple[Change, ...]:
        """Returns every change in a route's history, oldest first. Raises ReleaseNotFound."""
        history = await finding.named(self.place, service, lane, histories=True)
        changes = notes.changes_of(history.revisions)
        return tuple(await some_at_a_time((self._told(history, lane, change) for change in changes), AT_ONCE))

    async def _told(self, history: History, lane: Lane, change: Change) -> Change:
        """Returns a change with its targets and mode, also if plain Helm made it, whose notes lack them."""
        if change.leads or not change.held:
            return change
        try:
            route = self.routed(await self.at_revision(history, change.revision), lane).route
        except (ReleaseNotFound, InvalidInput):  # the revision is gone by now, or had no valid target
            return change
        return replace(change, leads=str(route), mode=route.mode)

    async def undo(self, service: str, lane: Lane, *, to: int | None = None, terms: Terms = USUAL) -> Routed:
        """Restores a route exactly as it was before its last change, or at a revision.

        One ready pod of each target is enough: undo is needed during failures. Raises as ``set`` does, and Refused when
        there is no earlier revision.
        """
        return undone(await self.write(await self.undoing(service, lane, to=to, terms=terms)))

    async def undoing(
        self, service: str, lane: Lane, *, to: int | None = None, terms: Terms = USUAL, read: Found | None = None
    ) -> Prepared:
        """Prepares what ``undo`` writes. read: see ``read``, with histories. Raises as ``undo`` does."""
        history = await (read or await self.read([(service, lane)], histories=True)).require(service, lane)
        stored, changes = history.now, notes.changes_of(history.revisions)
        release = stored.release.name
        _still(release, stored, terms.seen)
        back = _chosen(release, changes, to)
        if stored.release.is_pending and not terms.overwrite and not await self.given_up(stored.release):
            raise TargetBusy(
                f"another process is changing {release} ({stored.release.status})",
                remedy="wait until it ends, or add --overwrite if that process is dead",
            )
        then = await self.at_revision(history, back)
        return await self.prepare(Wanted(lane, stored, own(then), restores=then), terms)

    async def given_up(self, release: Release) -> bool:
        """Tells whether the process that made a release pending is dead."""
        if release.updated is None or (datetime.now(UTC) - release.updated).total_seconds() > GIVEN_UP:
            return True
        return bool(await self.place.abandoned([release]))


def undone(routed: Routed) -> Routed:
    """Returns the result of an undo, which says so."""
    return replace(routed, change="undone") if routed.change == "changed" else routed


def _still(release: str, stored: Stored | None, seen: int | None) -> None:
    """Raises RouteChanged when a route is not at the revision that the caller saw."""
    now = stored.release.revision if stored else 0
    if seen is not None and seen != now:
        raise changed(release, f"it was at revision {seen}, and is now at {now}")


def own(stored: Stored | None) -> dict[str, Any]:
    """Returns a route's values without the expected revision, which is valid for one change only."""
    return {} if stored is None else {key: value for key, value in stored.values.items() if key != "expectedRevision"}


def _chosen(release: str, changes: Sequence[Change], to: int | None) -> int:
    if to is not None:
        if not any(change.revision == to and change.held for change in changes):
            raise Refused(f"revision {to} of {release} was never deployed", remedy=f"see {about(release)}")
        return notes.origin(changes, to)
    back = notes.before(changes)
    if back is None:
        raise Refused(
            f"{release} has no earlier revision to return to",
            remedy=f"see {about(release)}, and name a revision with --to",
        )
    return back.revision
