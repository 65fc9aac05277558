"""Set, show and undo routes.

Every change has the same steps: read the route → parse, render and check the new values → check the targets in the
cluster → write once, which fails if another process wrote in between → read back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sidelane.charts import sources
from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.rendering import Renderer
from sidelane.charts.values import accepted, validate, with_lane
from sidelane.errors import (
    InvalidInput,
    NotWhatWasChecked,
    Refused,
    ReleaseExists,
    ReleaseNotFound,
    RouteChanged,
    TargetBusy,
)
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context, Progress, quiet
from sidelane.releases.installing import checked
from sidelane.releases.stores import Release
from sidelane.routes import finding, notes, ready
from sidelane.routes.model import Route, Split, about, route_release
from sidelane.routes.notes import Change
from sidelane.routes.places import AT_ONCE, Place, Sight, place_of
from sidelane.routes.routed import Routed
from sidelane.routes.terms import USUAL, Terms
from sidelane.support.concurrency import some_at_a_time

if TYPE_CHECKING:
    from sidelane.charts.rendering import Rendering
    from sidelane.releases.stores import Stored

#: The age in seconds at which an unfinished change counts as abandoned: Helm's own timeout.
GIVEN_UP: Final = 300.0


class _Change(NamedTuple):
    """A requested change of a route. stored: the current state, None for a new route. restores: the earlier state to
    restore. release: the name of a new route's release, if it differs from the naming contract's.
    """

    lane: Lane
    stored: Stored | None
    values: Mapping[str, Any]
    restores: Stored | None = None
    release: str = ""

    @property
    def name(self) -> str:
        """The name of the route's release; empty for the naming contract's."""
        return self.stored.release.name if self.stored else self.release


@dataclass(frozen=True)
class Router:
    """The routes of one place. chart: a chart of routes."""

    place: Place
    renderer: Renderer
    chart: Chart
    progress: Progress = quiet

    @classmethod
    def of(cls, context: Context, chart: Chart | None = None) -> Router:
        """Returns the routes of a context. chart: None for the bundled chart `route`."""
        place, renderer = place_of(context.target), Renderer(context.helm, context.namespace)
        return cls(place, renderer, chart or sources.find("route"), context.progress)

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
        stored = await self._stored(service, lane)
        _still(stored.release.name if stored else route_release(service, lane), stored, terms.seen)
        wanted = coalesce(own(stored), values or {})
        wanted["name"] = service
        if split is not None:
            wanted["targets"] = split.to_values()
        return await self._write(_Change(lane, stored, wanted, release=release), terms)

    async def show(self, service: str, lane: Lane) -> Routed:
        """Returns a route with the current state of its targets. Raises ReleaseNotFound."""
        stored = await finding.named(self.place, service, lane)
        routed = self._routed(stored, lane)
        sight = await self.place.look(stored.manifest, ready.services(routed.route))
        return replace(routed, backends=sight.backends, drift=sight.drift)

    async def at(self, service: str, lane: Lane, revision: int) -> Route:
        """Returns a route at a revision. Raises ReleaseNotFound."""
        name = (await finding.named(self.place, service, lane)).release.name
        return self._routed(await self.place.stored(name, revision), lane).route

    async def list(self, lane: Lane | None = None) -> tuple[Routed, ...]:
        """Returns every route, or those of one lane."""
        routes = await finding.every(self.place)
        return tuple(
            self._routed(stored_route.stored, stored_route.route.lane)
            for stored_route in routes
            if lane in (None, stored_route.route.lane)
        )

    async def history(self, service: str, lane: Lane) -> tuple[Change, ...]:
        """Returns every change in a route's history, oldest first. Raises ReleaseNotFound."""
        release = (await finding.named(self.place, service, lane)).release.name
        changes = await self._history(release)
        return tuple(await some_at_a_time((self._told(release, lane, change) for change in changes), AT_ONCE))

    async def _told(self, release: str, lane: Lane, change: Change) -> Change:
        """Returns a change with its targets and mode, also if plain Helm made it, whose notes lack them."""
        if change.leads or not change.held:
            return change
        try:
            route = self._routed(await self.place.stored(release, change.revision), lane).route
        except (ReleaseNotFound, InvalidInput):  # the revision is gone by now, or had no valid target
            return change
        return replace(change, leads=str(route), mode=route.mode)

    async def _history(self, release: str) -> tuple[Change, ...]:
        return tuple(map(notes.read, await self.place.revisions(release)))

    async def undo(self, service: str, lane: Lane, *, to: int | None = None, terms: Terms = USUAL) -> Routed:
        """Restores a route exactly as it was before its last change, or at a revision.

        One ready pod of each target is enough: undo is needed during failures. Raises as ``set`` does, and Refused when
        there is no earlier revision.
        """
        stored = await finding.named(self.place, service, lane)
        release = stored.release.name
        changes = await self._history(release)
        _still(release, stored, terms.seen)
        back = _chosen(release, changes, to)
        if _pending(stored.release) and not terms.overwrite and not _given_up(stored.release):
            raise TargetBusy(
                f"another process is changing {release} ({stored.release.status})",
                remedy="wait until it ends, or add --overwrite if that process is dead",
            )
        then = await self.place.stored(release, back)
        routed = await self._write(_Change(lane, stored, own(then), restores=then), terms)
        return replace(routed, change="undone") if routed.change == "changed" else routed

    async def _stored(self, service: str, lane: Lane) -> Stored | None:
        try:
            return await finding.named(self.place, service, lane)
        except ReleaseNotFound:
            return None

    async def _write(self, change: _Change, terms: Terms) -> Routed:
        """Makes one change, in one write. Raises as ``set`` does."""
        stored = change.stored
        whole = coalesce(self.chart.defaults, with_lane(change.values, change.lane, self.chart))
        if change.restores is None:
            validate(self.chart, whole)
        route = Route.from_values(whole, change.lane, change.name)
        self.progress(f"looking at the targets of {route.name}")
        looking = self.place.look(stored.manifest if stored else None, ready.services(route))
        if _may_be_foreign(change, route):
            sight = await looking
            change = _with_selectors(change, ready.selectors(route, sight.backends))
            rendering = await self._rendered(change)
        else:
            rendering, sight = await asyncio.gather(self._rendered(change), looking)
        self._require_allowed(change, terms, route, int(whole["port"]), sight)
        if terms.dry_run:
            there = (
                stored.release if stored else Release(route.release, self.renderer.namespace or "", "not there", 0, "")
            )
            return Routed(route, there, whole, sight.backends, change="none, this is a dry run")
        self.progress(f"changing {route.release}")
        made, done = await self._made(change, terms, route, rendering, drifted=bool(sight.drift))
        if done != "unchanged":
            await self._read_back(route)
        return Routed(route, made, whole, sight.backends, change=done)

    def _require_allowed(self, change: _Change, terms: Terms, route: Route, port: int, sight: Sight) -> None:
        """Raises RouteChanged, InvalidRoute or TargetNotReady for a change that is not allowed at present."""
        if sight.drift and not terms.overwrite:
            raise _changed(route.release, "its objects differ from its release:\n  " + "\n  ".join(sight.drift))
        if change.restores is not None:
            ready.require_back(route, port, sight.backends, unready=terms.unready)
            return
        before = None if change.stored is None else self._routed(change.stored, change.lane).route
        ready.require(route, port, sight.backends, before=before, unready=terms.unready)

    async def _made(
        self, change: _Change, terms: Terms, route: Route, rendering: Rendering | None, *, drifted: bool
    ) -> tuple[Release, str]:
        """Writes a change. Returns the route's release, and the action: ``created``, ``changed`` or ``unchanged``."""
        stored, restores = change.stored, change.restores
        context = terms.context if restores is None else notes.back_to(restores.release.revision)
        if restores is not None and stored is not None and (rendering is None or _pending(stored.release)):
            # The chart has changed since, or a dead process left the release pending: only Helm's rollback can restore
            # it.
            now_at, then_at = stored.release.revision, restores.release.revision
            return await self.place.roll_back(route.release, then_at, now_at), "changed"
        note = notes.note(route, notes.who(terms.by), context)
        return await self._bring(stored, cast("Rendering", rendering), note, drifted=drifted)

    async def _rendered(self, change: _Change) -> Rendering | None:
        """Renders and checks the values. Returns None if the current chart does not reproduce the restored objects."""
        lane, restores = change.lane, change.restores
        try:
            rendering = await self.renderer.render(
                self.chart, lane, accepted(change.values, lane, self.chart), release=change.name
            )
            checked(rendering)
        except Refused:
            if restores is None:
                raise
            return None
        return None if restores is not None and _otherwise(restores, rendering) else rendering

    async def _bring(
        self, stored: Stored | None, rendering: Rendering, note: str, *, drifted: bool
    ) -> tuple[Release, str]:
        if stored is None:
            try:
                return await self.place.create(rendering, note), "created"
            except ReleaseExists:
                raise _changed(rendering.release, "another process created it in between") from None
        if not drifted and stored.release.status == "deployed" and not stored.differences(rendering):
            return stored.release, "unchanged"
        revision = stored.release.revision + 1
        return await self.place.change(rendering, note, revision, overwrite=drifted), "changed"

    async def _read_back(self, route: Route) -> None:
        stored = await self.place.stored(route.release)
        if drift := (await self.place.look(stored.manifest, ())).drift:
            raise NotWhatWasChecked(
                f"the objects of {route.release} differ from those just written:\n  " + "\n  ".join(drift),
                remedy=f"another process may have changed them since: see {about(route.release, 'show')}",
            )

    def _routed(self, stored: Stored, lane: Lane) -> Routed:
        values = coalesce(self.chart.defaults, stored.values)
        return Routed(Route.from_values(values, lane, stored.release.name), stored.release, values)


def _may_be_foreign(change: _Change, route: Route) -> bool:
    """Tells whether a new target may be of a chart without lanes, so that the route needs the labels of its pods."""
    return change.restores is None and any(way.to.service_version is None for way in route.ways())


def _with_selectors(change: _Change, selectors: Mapping[str, Any]) -> _Change:
    others = {key: value for key, value in change.values.items() if key != "selectors"}
    return change._replace(values={**others, "selectors": selectors} if selectors else others)


def _still(release: str, stored: Stored | None, seen: int | None) -> None:
    """Raises RouteChanged when a route is not at the revision that the caller saw."""
    now = stored.release.revision if stored else 0
    if seen is not None and seen != now:
        raise _changed(release, f"it was at revision {seen}, and is now at {now}")


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


def _pending(release: Release) -> bool:
    return release.status.startswith("pending")


def _given_up(release: Release) -> bool:
    return release.updated is None or (datetime.now(UTC) - release.updated).total_seconds() > GIVEN_UP


def _otherwise(then: Stored, rendering: Rendering) -> bool:
    """Tells whether the current chart renders the values differently from an earlier revision. Only the specs that
    route requests count, not the labels, one of which is the chart's version. A directory keeps no earlier objects.
    """
    if not then.text:
        return False
    before, two = ({obj.identity: obj.body.get("spec") for obj in made.manifest.objects} for made in (then, rendering))
    return before != two


def _changed(release: str, how: str) -> RouteChanged:
    return RouteChanged(
        f"another process changed {release}, and nothing was overwritten: {how}",
        remedy=f"see {about(release, 'show')} and {about(release)}, then try again",
    )
