"""The verbs of every target, and the values that they take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sidelane.charts.rendering import Rendering
from sidelane.errors import ReleaseNotFound
from sidelane.releases.basis import NOTHING, Basis
from sidelane.releases.stores.release import Release
from sidelane.releases.stores.stored import Stored

if TYPE_CHECKING:
    from sidelane.charts.chart import Chart
    from sidelane.manifest import Identity, Object
    from sidelane.naming.lane import Lane
    from sidelane.releases.provenance.cluster import Facts, Unread
    from sidelane.releases.readiness import Readiness
    from sidelane.releases.running.reading import Running

#: Creates the record of a release from the facts of its cluster, None if there is none.
MakeRecord = Callable[["Facts | Unread | None"], str]
#: Creates a release from a checked rendering, with its record; a route, which changes in place, has none.
Create = Callable[[Rendering, MakeRecord | None], Awaitable[Release]]


class Options(NamedTuple):
    """The user's options for an installation or upgrade, in Helm's words.

    wait: wait until every object is ready. timeout: Helm's limit for each step, such as ``5m``. rollback_on_failure:
    undo a failed call. create_namespace: create the namespace if it is missing. progress: receives the objects that
    Helm waits for.
    """

    wait: bool = False
    timeout: str | None = None
    rollback_on_failure: bool = False
    create_namespace: bool = False
    progress: Callable[[str], None] = lambda _: None

    @property
    def waits(self) -> bool:
        """True if the call waits until every object is ready, which rollback_on_failure implies."""
        return self.wait or self.rollback_on_failure


class PutBack(NamedTuple):
    """The plan of restoring a release to a revision.

    live: the drifted objects as they are, without defaults; None for an immutable one, which must be deleted and
    created again. rendering: the wanted objects, if they differ from the revision's: then replicas that operational
    values set stay. record: its record.
    """

    revision: int
    live: Mapping[Identity, Mapping[str, Any] | None]
    rendering: Rendering | None = None
    record: str | None = None


class Target(Protocol):
    """The verbs of every target. Names are release names; namespaces are the target's own.

    A verb either completes or raises an error from errors.py. namespace: None for Helm's own choice.
    """

    @property
    def namespace(self) -> str | None: ...

    async def chosen(self) -> str:
        """Returns the name of the namespace. Asks Helm if that is Helm's choice."""
        ...

    async def where(self) -> str:
        """Returns the place in words: ``namespace streams``. Asks Helm if the namespace is Helm's choice."""
        ...

    def installing(
        self, name: str, chart: Chart, lane: Lane, options: Options, basis: Basis = NOTHING
    ) -> AbstractAsyncContextManager[Create]:
        """Prepares the creation of a release while it is rendered and checked; the block gets the function for it.

        basis: stored with the release. A block that does not call it changes nothing. The call raises ReleaseExists for
        an existing release of that name.
        """
        ...

    async def upgrade(
        self,
        rendering: Rendering,
        record: str | None,
        options: Options,
        *,
        basis: Basis = NOTHING,
        take_over: bool = False,
    ) -> Release:
        """Replaces the release of the rendering's name, with that record. Raises ReleaseNotFound.

        basis: stored anew with the release. take_over: fields with other owners become the release's again.
        """
        ...

    async def finish(self, release: Release, options: Options) -> Release:
        """Restores a failed or abandoned release to its last deployed revision, or completes it if there is none.
        Raises TargetBusy when another process works on it.
        """
        ...

    async def clear(self, release: Release, options: Options) -> None:
        """Removes a release that ``finish`` would finish, so that it can be created again. Raises as that does."""
        ...

    async def abandoned(self, releases: Iterable[Release]) -> frozenset[str]:
        """Returns the names of those of these releases that a dead process left incomplete."""
        ...

    async def ours(self, releases: Iterable[Release]) -> frozenset[str]:
        """Returns the names of those of these releases that are Sidelane's: see ours.py."""
        ...

    async def beyond(self, stored: Sequence[Stored]) -> Mapping[str, tuple[str, ...]]:
        """Returns the objects outside its namespace that are deleted with each of these releases, one line each:
        cluster-scoped ones, and with a definition the objects of its kind. Releases without any are left out.
        """
        ...

    async def claims(self, lane: Lane, release: str | None) -> tuple[str, ...] | None:
        """Returns the names of the volume claims of the stateful sets of a lane, or of one release of it; None if they
        cannot be read.
        """
        ...

    async def made_from(self, inputs: Mapping[str, str]) -> frozenset[str]:
        """Returns the names of those of these releases that are known to be made from the given digests of inputs. For
        other names this is unknown.
        """
        ...

    async def mine(self, lane: Lane) -> frozenset[str]:
        """Returns the names of the lane's releases that this process created or changed, as far as the target knows."""
        ...

    async def levels(self, lane: Lane) -> Mapping[str, int]:
        """Returns the lane's releases by name, each with its level at the installation (see Basis)."""
        ...

    async def needing(self, name: str) -> tuple[str, ...]:
        """Returns the names of the releases that need this one, from their installation (see Basis)."""
        ...

    async def require_rights(self, releases: Iterable[Stored], *, claims: bool = False) -> None:
        """Raises ClusterDenied when a permission to remove these releases is missing, with or without their claims."""
        ...

    async def put_back(self, name: str, work: PutBack, options: Options) -> None:
        """Restores the cluster's objects of a release to one of its revisions. Raises Refused in a directory,
        TargetBusy when another process works on the release.
        """
        ...

    async def interrupted(self, name: str) -> int | None:
        """Returns the target revision of an interrupted ``put_back`` of this release; None if there is none."""
        ...

    async def delete_claims(self, lane: Lane, release: str | None, options: Options) -> tuple[str, ...]:
        """Deletes the volume claims of the stateful sets of a removed lane, or of one release of it. Returns their
        names.
        """
        ...

    async def stored(self, name: str, *, revision: int | None = None) -> Stored:
        """Returns a stored release, now or at a revision. Raises ReleaseNotFound."""
        ...

    async def stored_all(self, names: Sequence[str], *, if_there: bool = False) -> list[Stored]:
        """Returns these stored releases, in this order. if_there: leaves out the missing ones, which otherwise raise
        ReleaseNotFound.
        """
        ...

    async def record(self, name: str) -> str | None:
        """Returns the record of a release's installation if ``stored`` has none: another tool may have upgraded it."""
        ...

    async def live(self, objects: Sequence[Object]) -> Mapping[Identity, Mapping[str, Any]] | None:
        """Returns these objects as they are in the cluster, with the owners of their fields; those that are missing are
        left out. None in a directory, where nothing can drift.
        """
        ...

    async def running(self, objects: Sequence[Object], releases: Sequence[str]) -> Running | None:
        """Returns these objects of these releases as they are in the cluster, with what runs for them and what can
        affect them; None in a directory, where nothing runs. Raises ClusterDenied if a kind can't be listed.
        """
        ...

    async def readiness(self, stored: Sequence[Stored]) -> tuple[Readiness, ...] | None:
        """Returns the present readiness of each release; None in a directory, where nothing runs.

        Readiness that can't be read has a note with the reason; nothing is raised.
        """
        ...

    async def ready(self, stored: Sequence[Stored], what: str, options: Options) -> Readiness | None:
        """Waits until these releases are ready; returns None at once in a directory. what: their name in messages.

        Raises TimedOut after the timeout, NotReady when they cannot become ready.
        """
        ...

    async def facts(self) -> Facts | None:
        """Returns the facts of the cluster, None in a directory."""
        ...

    async def releases(self, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        """Returns every release, in every state, sorted by namespace and name."""
        ...

    async def status(self, name: str) -> Release:
        """Returns a release with the present state of its objects. Raises ReleaseNotFound."""
        ...

    async def uninstall(self, name: str, options: Options, *, stored: Stored | None = None) -> Release:
        """Removes the release; claims of stateful sets stay. stored: the release, if it is read already. Raises
        ReleaseNotFound.
        """
        ...


async def no_release(target: Target, name: str | Lane) -> ReleaseNotFound:
    """Returns the error for a missing release, or for a lane without releases, in the target's namespace."""
    return not_there(name, await target.where())


def not_there(name: str | Lane, where: str) -> ReleaseNotFound:
    """Returns the same error for a known place."""
    what = f"no release {name!r}" if isinstance(name, str) else f"no release of lane {name}"
    return ReleaseNotFound(
        f"there is {what} in {where}", remedy="see `sidelane list`, or name another namespace with -n"
    )
