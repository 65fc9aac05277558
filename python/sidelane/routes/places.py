"""What a route needs of the place where it lives, beyond what every release needs (targets/)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from sidelane.charts.rendering import Rendering
from sidelane.manifest import Manifest
from sidelane.releases.stores import Release, Stored, Target
from sidelane.routes.notes import Revision

#: How many Helms run side by side.
AT_ONCE: Final = 8
#: How many changes of a route its history keeps.
HISTORY: Final = 50


@dataclass(frozen=True)
class Backend:
    """A Service as a target of routes. ready, total: of its endpoints, those that are, and all that do not end just
    now; both None where nothing runs, in a directory.
    """

    name: str
    labels: Mapping[str, Any]
    selector: Mapping[str, Any]
    ports: tuple[int, ...]
    ready: int | None = None
    total: int | None = None


class Sight(NamedTuple):
    """What is there at one moment. drift: lines that say where a route's objects are not what its release says."""

    drift: tuple[str, ...]
    backends: Mapping[str, Backend]


class Place(Protocol):
    """A cluster or a directory, as routes use it."""

    async def stored(self, release: str, revision: int | None = None) -> Stored:
        """What is kept of a route's release, now or at a revision. Raises ReleaseNotFound."""
        ...

    async def revisions(self, release: str) -> tuple[Revision, ...]:
        """A release's revisions, the oldest first. Raises ReleaseNotFound."""
        ...

    async def releases(self) -> tuple[Release, ...]:
        """Every release of the place, by name."""
        ...

    async def look(self, manifest: Manifest | None, services: Iterable[str]) -> Sight:
        """Holds a manifest against what is there, and finds these Services; one that is not there is left out."""
        ...

    async def create(self, rendering: Rendering, note: str) -> Release:
        """Makes a route. Raises ReleaseExists."""
        ...

    async def change(self, rendering: Rendering, note: str, revision: int, *, overwrite: bool = False) -> Release:
        """Puts the rendering in the place of what the route is, as that revision. Raises RouteChanged, with nothing
        written, when it would be another one: then somebody else came in between. overwrite: take away what somebody
        changed in the objects themselves.
        """
        ...

    async def roll_back(self, release: str, revision: int, now: int) -> Release:
        """Brings back what a revision was, to the letter, if the route is still at ``now``. Raises RouteChanged."""
        ...


def place_of(target: Target) -> Place:
    """A target as routes use it."""
    # Each place's own modules are imported where that place is used.
    from sidelane.releases.stores.cluster import ClusterTarget  # noqa: PLC0415

    if isinstance(target, ClusterTarget):
        from sidelane.routes.cluster import ClusterPlace  # noqa: PLC0415

        return ClusterPlace(target)
    from sidelane.releases.stores.directory import DirectoryTarget  # noqa: PLC0415
    from sidelane.routes.directory import DirectoryPlace  # noqa: PLC0415

    if isinstance(target, DirectoryTarget):
        return DirectoryPlace(target)
    raise TypeError(f"routes can't live in a {type(target).__name__}")
