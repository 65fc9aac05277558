"""The interface to the storage of routes, beyond that of every release (releases/stores/)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from sidelane.charts.rendering import Rendering
from sidelane.errors import ReleaseNotFound
from sidelane.manifest import Manifest
from sidelane.naming.contract import parse_name
from sidelane.naming.labels import LANE
from sidelane.releases.stores import Release, Stored, Target
from sidelane.routes.announcing import Announcer
from sidelane.routes.notes import Revision

#: The number of Helm processes that run in parallel.
AT_ONCE: Final = 8
#: The number of changes that a route's history keeps.
HISTORY: Final = 50


@dataclass(frozen=True)
class Backend:
    """A Service as a target of routes. ready, total: the ready endpoints, and all that are not terminating; both None
    in a directory, where nothing runs. release: the Helm release that it belongs to, empty if it is unknown.
    """

    name: str
    labels: Mapping[str, Any]
    selector: Mapping[str, Any]
    ports: tuple[int, ...]
    ready: int | None = None
    total: int | None = None
    release: str = ""

    @property
    def lane(self) -> str:
        """The lane in its labels; without these, for a chart that knows no lanes, the one of its release."""
        if LANE in self.labels:
            return str(self.labels[LANE])
        named = parse_name(self.release)
        return str(named[1]) if named else ""

    @property
    def is_foreign(self) -> bool:
        """True for a Service of a chart that knows no lanes, whose selector is not that of its name."""
        return LANE not in self.labels


class Sight(NamedTuple):
    """The state at one moment. drift: one line for each difference between a route's objects and its release."""

    drift: tuple[str, ...]
    backends: Mapping[str, Backend]


class History(NamedTuple):
    """A route's release now, and its revisions, oldest first. earlier: those of them that were read with it."""

    now: Stored
    revisions: tuple[Revision, ...]
    earlier: Mapping[int, Stored] = {}


class Place(Protocol):
    """A cluster or a directory that holds routes."""

    async def stored(self, release: str, revision: int | None = None) -> Stored:
        """Returns a route's stored release, now or at a revision. Raises ReleaseNotFound."""
        ...

    async def stored_if_there(self, releases: Sequence[str]) -> list[Stored]:
        """Returns the stored releases of these names that are there, as they are now."""
        ...

    async def histories(self, releases: Sequence[str]) -> list[History]:
        """Returns the stored releases of these names that are there, with their revisions."""
        ...

    async def missing(self, release: str) -> ReleaseNotFound:
        """Returns the error for a release that is not there."""
        ...

    async def releases(self) -> tuple[Release, ...]:
        """Returns every release of the place, sorted by name."""
        ...

    async def look(self, manifest: Manifest | None, services: Iterable[str]) -> Sight:
        """Compares a manifest with the live objects, and finds these Services; missing ones are left out."""
        ...

    async def restarts(self, pods: Iterable[Mapping[str, str]]) -> Mapping[str, int] | None:
        """Returns the restarts of each pod with one of these sets of labels; None where nothing runs."""
        ...

    async def announcer(self) -> Announcer | None:
        """Returns a writer of events on the routes' objects; None where nothing runs."""
        ...

    async def create(self, rendering: Rendering, note: str) -> Release:
        """Creates a route. Raises ReleaseExists."""
        ...

    async def change(self, rendering: Rendering, note: str, revision: int, *, overwrite: bool = False) -> Release:
        """Replaces the route with the rendering, as that revision. Raises RouteChanged, with nothing written, when
        another process has created that revision. overwrite: also undo direct changes of the objects.
        """
        ...

    async def remove(self, release: str) -> None:
        """Removes a route. Raises ReleaseNotFound."""
        ...

    async def abandoned(self, releases: Iterable[Release]) -> frozenset[str]:
        """Returns the names of those of these releases that a dead process left incomplete."""
        ...

    async def roll_back(self, release: str, revision: int, now: int) -> Release:
        """Restores a revision exactly, if the route is still at revision ``now``. Raises RouteChanged."""
        ...


def place_of(target: Target) -> Place:
    """Returns the place for a target."""
    # The modules of a place are imported only if that place is used.
    from sidelane.releases.stores.cluster import ClusterTarget  # noqa: PLC0415

    if isinstance(target, ClusterTarget):
        from sidelane.routes.cluster import ClusterPlace  # noqa: PLC0415

        return ClusterPlace(target)
    from sidelane.releases.stores.directory import DirectoryTarget  # noqa: PLC0415
    from sidelane.routes.directory import DirectoryPlace  # noqa: PLC0415

    if isinstance(target, DirectoryTarget):
        return DirectoryPlace(target)
    raise TypeError(f"a {type(target).__name__} cannot hold routes")
