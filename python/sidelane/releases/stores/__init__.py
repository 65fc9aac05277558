"""The storage of releases: the same verbs for a cluster and for a directory."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sidelane.charts.rendering import Rendering, documents, read_manifest
from sidelane.errors import ReleaseNotFound
from sidelane.naming.chart_ref import ChartRef
from sidelane.naming.contract import parse_name
from sidelane.releases.basis import NOTHING, Basis
from sidelane.support.secrets import learn_values

if TYPE_CHECKING:
    from sidelane.charts.sources import Chart
    from sidelane.manifest import Identity, Manifest, Object
    from sidelane.naming.lane import Lane
    from sidelane.releases.provenance.cluster import Facts, Unread
    from sidelane.releases.readiness import Readiness

#: Creates a release from a checked rendering, with its record; a route, which changes in place, has none.
#: Creates the record of a release from the facts of its cluster, None if there is none.
MakeRecord = Callable[["Facts | Unread | None"], str]
Create = Callable[[Rendering, MakeRecord | None], Awaitable["Release"]]


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


class ObjectStatus(NamedTuple):
    """One object of a release. ready: such as ``3/3``, empty for kinds without readiness."""

    kind: str
    name: str
    ready: str = ""

    def to_json(self) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name, "ready": self.ready}


@dataclass(frozen=True)
class Release:
    """A release in its target.

    lane: None for a name outside the naming contract. status: Helm's word (deployed, failed, pending-install …).
    revision: 1 before the first upgrade. chart: name and version, ``zookeeper-0.1.0``. change: the action of this call:
    created, unchanged, upgraded, finished (after a dead process) or uninstalled; empty if it only read. changes: the
    fields that an upgrade changed, one line each. kept: operational values that stayed because they were not given, one
    line each. readiness: if requested, and on a cluster. drift: the lines of drift of an unchanged release.
    """

    name: str
    namespace: str
    status: str
    revision: int
    chart: str
    app_version: str = ""
    updated: datetime | None = None
    notes: str = ""
    change: str = ""
    changes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    objects: tuple[ObjectStatus, ...] = field(default=())
    readiness: Readiness | None = None
    drift: tuple[str, ...] = ()

    @property
    def lane(self) -> Lane | None:
        named = parse_name(self.name)
        return named[1] if named else None

    @property
    def chart_ref(self) -> ChartRef:
        """The chart's name and version."""
        return ChartRef.parse(self.chart)

    @property
    def is_pending(self) -> bool:
        """True while a Helm creates or changes it, and after such a Helm was killed."""
        return self.status.startswith("pending-")

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the release, without unknown values."""
        known: dict[str, object] = {
            "name": self.name,
            "namespace": self.namespace,
            "lane": str(self.lane) if self.lane else None,
            "status": self.status,
            "revision": self.revision,
            "chart": self.chart,
            "appVersion": self.app_version,
            "updated": self.updated.isoformat() if self.updated else None,
            "change": self.change,
            "changes": list(self.changes),
            "kept": list(self.kept),
            "notes": self.notes,
            "objects": [item.to_json() for item in self.objects],
            "readiness": self.readiness.to_json() if self.readiness else None,
            "drift": list(self.drift),
        }
        return {key: value for key, value in known.items() if value not in (None, "", [])}


@dataclass(frozen=True)
class Stored:
    """The stored form of a release, which can be compared with a rendering.

    record: the in-toto Statement of the release's installation, None if there is none. record_data: the data of the
    record's ConfigMap, None if there is none. odd: other differences from the files that Sidelane wrote, as lines.
    """

    release: Release
    values: Mapping[str, Any]
    text: str  # Helm's output
    record: str | None = None
    record_data: Mapping[str, str] | None = None
    odd: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        learn_values(self.values)

    @functools.cached_property
    def manifest(self) -> Manifest:
        """The manifest, parsed as Kubernetes does. Raises InvalidManifest."""
        return read_manifest(self.text, self.release.namespace, self.release.name)

    def differences(self, rendering: Rendering, *, just_made: bool = False) -> tuple[str, ...]:
        """Returns the fields that a rendering would change, one line each; empty for the same content. just_made: the
        release was made from it, so data that both read from the cluster may have changed in between.
        """
        if sorted(documents(self.text)) == sorted(documents(rendering.text)):
            return ()
        from sidelane.manifest import diff_objects  # noqa: PLC0415 - see rendering.py
        from sidelane.manifest.autoscaled import without_their_replicas  # noqa: PLC0415

        # The same namespace for both: the rendering may not know Helm's choice yet.
        new = read_manifest(rendering.text, self.release.namespace, self.release.name)
        both = without_their_replicas(self.manifest.objects, new.objects, numbers=just_made)
        return tuple(diff_objects(*both, names=("the release", "the chart")))

    def sources(self, rendering: Rendering) -> tuple[str, ...]:
        """Returns the templates of the objects that a rendering would change."""
        new = read_manifest(rendering.text, self.release.namespace, self.release.name)
        odd = {(obj.identity, obj.canonical()): obj.source for obj in self.manifest.objects}
        for obj in new.objects:
            key = (obj.identity, obj.canonical())
            if odd.pop(key, None) is None:
                odd[key] = obj.source
        return tuple(sorted(set(odd.values())))


class Found(NamedTuple):
    """A cluster's objects, with the owners of their fields."""

    objects: Mapping[Identity, Mapping[str, Any]]


class PutBack(NamedTuple):
    """The plan of restoring a release to a revision.

    there: the drifted objects with their live values, without defaults; None for an immutable one, which must be
    deleted and created again. rendering: the wanted objects, if they differ from the revision's: then replicas that
    operational values set stay. record: its record.
    """

    revision: int
    there: Mapping[Identity, Mapping[str, Any] | None]
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

    async def record(self, name: str) -> str | None:
        """Returns the record of a release's installation if ``stored`` has none: another tool may have upgraded it."""
        ...

    async def found(self, objects: Sequence[Object]) -> Found | None:
        """Returns the live state of these objects; None in a directory, where nothing can drift."""
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

    async def uninstall(self, name: str, options: Options) -> Release:
        """Removes the release; claims of stateful sets stay. Raises ReleaseNotFound."""
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
