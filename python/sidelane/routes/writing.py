"""The write of one route: values → parsed, rendered and checked → written once → read back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.rendering import Renderer, Rendering, read_manifest
from sidelane.charts.values import accepted, validate, with_lane
from sidelane.errors import NotWhatWasChecked, Refused, ReleaseExists, RouteChanged, TargetBusy
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.releases.context import Progress, quiet
from sidelane.releases.installing import checked
from sidelane.releases.stores import Release, Stored
from sidelane.routes import notes, ready
from sidelane.routes.destination import Destination
from sidelane.routes.model import Route, about
from sidelane.routes.places import Place, Sight
from sidelane.routes.routed import Routed
from sidelane.routes.staying import with_sessions
from sidelane.routes.terms import Terms


class Wanted(NamedTuple):
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


class Prepared(NamedTuple):
    """A change that is allowed, and not written yet. rendering: None if only Helm's rollback can restore the objects.
    values: with the chart's defaults.
    """

    wanted: Wanted
    terms: Terms
    route: Route
    rendering: Rendering | None
    values: Mapping[str, Any]
    sight: Sight

    @property
    def restores(self) -> bool:
        """True if an earlier state is restored, which the chart may render differently."""
        return self.rendering is None or self.wanted.restores is not None

    @property
    def text(self) -> str:
        """The rendered objects."""
        return self.rendering.text if self.rendering is not None else ""


@dataclass(frozen=True)
class Writer:
    """Writes the routes of one place. chart: a chart of routes."""

    place: Place
    renderer: Renderer
    chart: Chart
    progress: Progress = quiet

    async def prepare(self, wanted: Wanted, terms: Terms) -> Prepared:
        """Renders and checks a change, and writes nothing. Raises as ``Router.set`` does."""
        stored = wanted.stored
        wanted, whole = self._with_sessions(wanted)
        route = Route.from_values(whole, wanted.lane, wanted.name)
        self.progress(f"looking at the targets of {route.name}")
        looking = self.place.look(stored.manifest if stored else None, ready.services(route))
        if _may_be_foreign(wanted, route):
            sight = await looking
            self._require_allowed(wanted, terms, route, int(whole["port"]), sight)
            wanted = _with_selectors(wanted, ready.selectors(route, sight.backends))
            rendering = await self._rendered(wanted)
        else:
            rendering, sight = await asyncio.gather(self._rendered(wanted), looking)
            self._require_allowed(wanted, terms, route, int(whole["port"]), sight)
        return Prepared(wanted, terms, route, rendering, whole, sight)

    def _with_sessions(self, wanted: Wanted) -> tuple[Wanted, Mapping[str, Any]]:
        """Returns a change whose new sessions begin now, if it begins to hold sessions, and its values with the chart's
        defaults. A change that restores an earlier state stays as it is. Raises InvalidValues, InvalidRoute.
        """
        whole = self._whole(wanted)
        if wanted.restores is not None:
            return wanted, whole
        validate(self.chart, whole)
        stored = wanted.stored
        before = None if stored is None else self.routed(stored, wanted.lane).route
        revision = 1 if stored is None else stored.release.revision + 1
        after = Route.from_values(whole, wanted.lane, wanted.name)
        wanted = wanted._replace(values=with_sessions(wanted.values, before, after, revision))
        return wanted, self._whole(wanted)

    def _whole(self, wanted: Wanted) -> dict[str, Any]:
        return coalesce(self.chart.defaults, with_lane(wanted.values, wanted.lane, self.chart))

    async def write(self, prepared: Prepared) -> Routed:
        """Makes a prepared change, in one write, and reads it back.

        Raises RouteChanged, TargetBusy, NotWhatWasChecked, HelmError.
        """
        routed = await self.written(prepared)
        await self.read_back([(prepared, routed)])
        return routed

    async def written(self, prepared: Prepared) -> Routed:
        """Makes a prepared change, in one write. Raises as ``write`` does."""
        wanted, route, sight = prepared.wanted, prepared.route, prepared.sight
        if prepared.terms.dry_run:
            there = (
                wanted.stored.release
                if wanted.stored
                else Release(route.release, self.renderer.namespace or "", "not there", 0, "")
            )
            return Routed(route, there, prepared.values, sight.backends, change="none, this is a dry run")
        self.progress(f"changing {route.release}")
        made, done = await self._made(prepared)
        return Routed(route, made, prepared.values, sight.backends, change=done)

    def _require_allowed(self, wanted: Wanted, terms: Terms, route: Route, port: int, sight: Sight) -> None:
        """Raises RouteChanged, InvalidRoute or TargetNotReady for a change that is not allowed at present."""
        if sight.drift and not terms.overwrite:
            if wanted.stored is not None and wanted.stored.release.is_pending:
                raise _incomplete(wanted.stored.release, sight.drift)
            raise changed(route.release, "its objects differ from its release:\n  " + "\n  ".join(sight.drift))
        if wanted.restores is not None:
            ready.require_back(route, port, sight.backends, unready=terms.unready)
            return
        before = None if wanted.stored is None else self.routed(wanted.stored, wanted.lane).route
        ready.require(route, port, sight.backends, before=before, unready=terms.unready)

    async def _made(self, prepared: Prepared) -> tuple[Release, str]:
        """Writes a change. Returns the route's release, and the action: ``created``, ``changed`` or ``unchanged``."""
        (_, stored, _, restores, _), terms, route = prepared.wanted, prepared.terms, prepared.route
        context = terms.context if restores is None else notes.back_to(restores.release.revision)
        pending = stored is not None and stored.release.is_pending
        if restores is not None and stored is not None and (prepared.rendering is None or pending):
            # The chart has changed since, or a dead process left the release pending: only Helm's rollback can restore
            # it.
            now_at, then_at = stored.release.revision, restores.release.revision
            return await self.place.roll_back(route.release, then_at, now_at), "changed"
        note = notes.note(route, notes.who(terms.by), context)
        return await self._bring(prepared, cast("Rendering", prepared.rendering), note)

    async def _rendered(self, wanted: Wanted) -> Rendering | None:
        """Renders and checks the values. Returns None if the current chart does not reproduce the restored objects."""
        lane, restores = wanted.lane, wanted.restores
        try:
            rendering = await self.renderer.render(
                self.chart, lane, accepted(wanted.values, lane, self.chart), release=wanted.name
            )
            checked(rendering)
        except Refused:
            if restores is None:
                raise
            return None
        return None if restores is not None and _otherwise(restores, rendering) else rendering

    async def _bring(self, prepared: Prepared, rendering: Rendering, note: str) -> tuple[Release, str]:
        stored, terms, drifted = prepared.wanted.stored, prepared.terms, bool(prepared.sight.drift)
        if stored is None:
            try:
                return await self.place.create(rendering, note), "created"
            except ReleaseExists:
                raise changed(rendering.release, "another process created it in between") from None
        same = not drifted and stored.release.status == "deployed" and not stored.differences(rendering)
        # Some values show in no object: the stay while requests are not split, a target of weight 0 in mode service.
        same = same and _hidden(coalesce(self.chart.defaults, stored.values)) == _hidden(prepared.values)
        same = same and _shares(self.routed(stored, prepared.wanted.lane).route) == _shares(prepared.route)
        if same and not terms.always:
            return stored.release, "unchanged"
        revision = stored.release.revision + 1
        return await self.place.change(rendering, note, revision, overwrite=drifted), "changed"

    async def read_back(self, changes: Iterable[tuple[Prepared, Routed]]) -> None:
        """Compares the live objects of changed routes with those just written. Raises NotWhatWasChecked."""
        made = [pair for pair in changes if not pair[0].terms.dry_run and pair[1].change != "unchanged"]
        if not made:
            return
        objects = [obj for manifest in await self._expected(made) for obj in manifest.objects]
        if drift := (await self.place.look(Manifest(tuple(objects)), ())).drift:
            names = ", ".join(routed.release.name for _, routed in made)
            raise NotWhatWasChecked(
                f"the objects of {names} differ from those just written:\n  " + "\n  ".join(drift),
                remedy=f"another process may have changed them since: see {about(made[0][1].release.name, 'show')}",
            )

    async def _expected(self, made: Sequence[tuple[Prepared, Routed]]) -> list[Manifest]:
        """Returns the objects that were written; those of restored routes are read from their releases at once."""
        names = [routed.release.name for prepared, routed in made if prepared.restores]
        stored = {each.release.name: each.manifest for each in await self.place.stored_if_there(names)}
        for name in names:
            if name not in stored:
                raise await self.place.missing(name)
        # The place has compared the stored objects of the others with their renderings.
        return [
            stored.get(routed.release.name)
            or read_manifest(prepared.text, routed.release.namespace, routed.release.name)
            for prepared, routed in made
        ]

    def routed(self, stored: Stored, lane: Lane) -> Routed:
        """Returns a stored route."""
        values = coalesce(self.chart.defaults, stored.values)
        return Routed(Route.from_values(values, lane, stored.release.name), stored.release, values)


def _hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values that may show in no object. Targets do, and the same ones can be written in several ways."""
    return {key: value for key, value in values.items() if key not in ("expectedRevision", "targets", "matches")}


def _shares(route: Route) -> set[tuple[Destination, float]]:
    return {(way.to, way.share) for way in route.ways()}


def _may_be_foreign(wanted: Wanted, route: Route) -> bool:
    """Tells whether a new target may have pods with labels of its own, as those of a chart without lanes, so that the
    route needs these labels.
    """
    own = bool(route.target_service) or any(way.to.service_version is None for way in route.ways())
    return wanted.restores is None and own


def _with_selectors(wanted: Wanted, selectors: Mapping[str, Any]) -> Wanted:
    others = {key: value for key, value in wanted.values.items() if key != "selectors"}
    return wanted._replace(values={**others, "selectors": selectors} if selectors else others)


def _otherwise(then: Stored, rendering: Rendering) -> bool:
    """Tells whether the current chart renders the values differently from an earlier revision. Only the specs that
    route requests count, not the labels, one of which is the chart's version. A directory keeps no earlier objects.
    """
    if not then.text:
        return False
    before, two = ({obj.identity: obj.body.get("spec") for obj in made.manifest.objects} for made in (then, rendering))
    return before != two


def _incomplete(release: Release, differences: Sequence[str]) -> TargetBusy:
    """Returns the error for a route whose last change has not ended: its objects may lack it."""
    return TargetBusy(
        f"the last change of {release.name} is incomplete ({release.status}), and nothing was overwritten: its objects "
        "differ from it:\n  " + "\n  ".join(differences),
        remedy=f"wait until it ends; if its process is dead, undo it with {about(release.name, 'undo')}, or end its "
        "shift with `sidelane shift --back`",
    )


def changed(release: str, how: str) -> RouteChanged:
    """Returns the error for a route that another process changed."""
    return RouteChanged(
        f"another process changed {release}, and nothing was overwritten: {how}",
        remedy=f"see {about(release, 'show')} and {about(release)}, then try again",
    )
