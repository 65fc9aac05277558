"""Where releases live: the same few verbs on a cluster and on a directory."""

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

#: Creates a release of what was rendered and checked, with its record; a route, which changes in place, has none.
#: Makes the record of a release from what is known of its cluster, None where there is none.
MakeRecord = Callable[["Facts | Unread | None"], str]
Create = Callable[[Rendering, MakeRecord | None], Awaitable["Release"]]


class Options(NamedTuple):
    """How a release is brought in: what the user wants, in Helm's words.

    wait: return when all that was installed is ready. timeout: how long Helm may take for each step, such as ``5m``.
    rollback_on_failure: undo what a failed call did. create_namespace: make the namespace where there is none.
    progress: told what Helm waits for.
    """

    wait: bool = False
    timeout: str | None = None
    rollback_on_failure: bool = False
    create_namespace: bool = False
    progress: Callable[[str], None] = lambda _: None

    @property
    def waits(self) -> bool:
        """True when the call waits until all is ready, which rollback_on_failure implies."""
        return self.wait or self.rollback_on_failure


class ObjectStatus(NamedTuple):
    """One object of a release. ready: such as ``3/3``, empty for what is never ready or not ready."""

    kind: str
    name: str
    ready: str = ""

    def to_json(self) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name, "ready": self.ready}


@dataclass(frozen=True)
class Release:
    """A release as its target knows it.

    lane: None for a release whose name is not of the naming contract. status: Helm's word (deployed, failed,
    pending-install …). revision: 1 for what was never upgraded. chart: name and version, ``zookeeper-0.1.0``.
    change: what this call did: created, unchanged, upgraded, finished (what a dead process began), uninstalled; empty
    where it only looked. changes: the fields that an upgrade changed, a line each. kept: operational values that stayed
    as they are because they were not given, a line each. readiness: where it was asked for, and on a cluster. drift:
    lines for what the cluster has otherwise, of a release that is unchanged.
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
        """Whether a Helm is making or changing it, or was when it was killed."""
        return self.status.startswith("pending-")

    def to_json(self) -> dict[str, object]:
        """The release as programs read it; what is not known is left out."""
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
    """What a target keeps of a release: enough to tell whether another rendering is the same.

    record: the in-toto Statement that the release was made with, None where there is none. record_data: what the
    ConfigMap of a record holds, None where there is none. odd: what else the target has otherwise than Sidelane
    wrote it, as lines.
    """

    release: Release
    values: Mapping[str, Any]
    text: str  # as Helm printed it
    record: str | None = None
    record_data: Mapping[str, str] | None = None
    odd: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        learn_values(self.values)

    @functools.cached_property
    def manifest(self) -> Manifest:
        """The text as Kubernetes reads it. Raises InvalidManifest."""
        return read_manifest(self.text, self.release.namespace, self.release.name)

    def differences(self, rendering: Rendering, *, just_made: bool = False) -> tuple[str, ...]:
        """What a rendering would change, a line a field; empty for the same content. just_made: the release was made
        from it, so what both read from the cluster may have changed in between.
        """
        if sorted(documents(self.text)) == sorted(documents(rendering.text)):
            return ()
        from sidelane.manifest import diff_objects  # noqa: PLC0415 - see rendering.py
        from sidelane.manifest.autoscaled import without_their_replicas  # noqa: PLC0415

        # One namespace for both: the rendering may not know yet which one Helm takes.
        new = read_manifest(rendering.text, self.release.namespace, self.release.name)
        both = without_their_replicas(self.manifest.objects, new.objects, numbers=just_made)
        return tuple(diff_objects(*both, names=("the release", "the chart")))

    def sources(self, rendering: Rendering) -> tuple[str, ...]:
        """The templates of the objects that a rendering would change."""
        new = read_manifest(rendering.text, self.release.namespace, self.release.name)
        odd = {(obj.identity, obj.canonical()): obj.source for obj in self.manifest.objects}
        for obj in new.objects:
            key = (obj.identity, obj.canonical())
            if odd.pop(key, None) is None:
                odd[key] = obj.source
        return tuple(sorted(set(odd.values())))


class Found(NamedTuple):
    """Objects as a cluster has them, with who set what."""

    objects: Mapping[Identity, Mapping[str, Any]]


class PutBack(NamedTuple):
    """How a release is brought back to a revision.

    there: the objects that drifted, as they are now, in their author's words; None for one that can't be changed, and
    must go before it is made again. rendering: what shall be there, where it is not the revision's own: then the
    numbers of pods that operational values set are as they are now. record: its record.
    """

    revision: int
    there: Mapping[Identity, Mapping[str, Any] | None]
    rendering: Rendering | None = None
    record: str | None = None


class Target(Protocol):
    """The verbs that every place for releases has. Names are release names; namespaces are the target's own.

    A verb either does all that it says or raises, and what it raises is of the families in errors.py. namespace: None
    is Helm's own choice.
    """

    @property
    def namespace(self) -> str | None: ...

    async def chosen(self) -> str:
        """Returns the name of the namespace. Where Helm chooses it, Helm is asked."""
        ...

    async def where(self) -> str:
        """Returns the place in words: ``namespace streams``. Where Helm chooses the namespace, Helm is asked."""
        ...

    def installing(
        self, name: str, chart: Chart, lane: Lane, options: Options, basis: Basis = NOTHING
    ) -> AbstractAsyncContextManager[Create]:
        """Gets ready to create a release while it is still rendered and checked; the block gets what creates it.

        basis: is kept with the release. A block that does not call it changes nothing. The call raises ReleaseExists
        when one of that name is there.
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
        """Puts the rendering in the place of the release of its name, with that record. Raises ReleaseNotFound.

        basis: what is kept anew with the release. take_over: fields that others set become the release's again.
        """
        ...

    async def finish(self, release: Release, options: Options) -> Release:
        """Brings a release that failed, or that a dead process left half-made, back to what was last deployed of it, or
        where nothing was, to the end that it says itself. Raises TargetBusy when somebody works on it.
        """
        ...

    async def clear(self, release: Release, options: Options) -> None:
        """Removes what ``finish`` would finish, so that it can be made again. Raises as that does."""
        ...

    async def abandoned(self, releases: Iterable[Release]) -> frozenset[str]:
        """Of these releases, the names of those that a dead process left half-made and nobody works on."""
        ...

    async def ours(self, releases: Iterable[Release]) -> frozenset[str]:
        """Returns the names of those of these releases that are Sidelane's: see ours.py."""
        ...

    async def beyond(self, stored: Sequence[Stored]) -> Mapping[str, tuple[str, ...]]:
        """Returns the objects that go with each of these releases although they are not of its namespace, a line each:
        cluster-scoped ones, and with a definition the objects of its kind. Releases that have none are left out.
        """
        ...

    async def claims(self, lane: Lane, release: str | None) -> tuple[str, ...] | None:
        """Returns the names of the volume claims that the stateful sets of a lane, or of one release of it, made; None
        where they may not be read.
        """
        ...

    async def made_from(self, inputs: Mapping[str, str]) -> frozenset[str]:
        """Of releases by name, with a digest of inputs each, the names of those that are known to be made from them. A
        name that is left out is not known not to be.
        """
        ...

    async def mine(self, lane: Lane) -> frozenset[str]:
        """The names of the lane's releases that this process made, wholly or in part, as far as the target tells."""
        ...

    async def levels(self, lane: Lane) -> Mapping[str, int]:
        """The lane's releases by name, each with the level that it was installed with (see Basis)."""
        ...

    async def needing(self, name: str) -> tuple[str, ...]:
        """The releases that need this one, by name, as they were installed (see Basis)."""
        ...

    async def require_rights(self, releases: Iterable[Stored], *, claims: bool = False) -> None:
        """Raises ClusterDenied when a right is missing that removing these releases takes, with or without claims."""
        ...

    async def put_back(self, name: str, work: PutBack, options: Options) -> None:
        """Brings the cluster's objects of a release back to what one of its revisions says. Raises Refused where
        nothing runs, TargetBusy when somebody works on the release.
        """
        ...

    async def interrupted(self, name: str) -> int | None:
        """The revision that a ``put_back`` of this release was to bring back when it was ended; None where none was."""
        ...

    async def delete_claims(self, lane: Lane, release: str | None, options: Options) -> tuple[str, ...]:
        """Deletes the volume claims that the stateful sets of a lane, or of one release of it, left behind. Returns
        their names.
        """
        ...

    async def stored(self, name: str, *, revision: int | None = None) -> Stored:
        """What is kept of a release, now or at a revision. Raises ReleaseNotFound."""
        ...

    async def record(self, name: str) -> str | None:
        """The record that a release was made with, where ``stored`` has none: somebody else may have upgraded it."""
        ...

    async def found(self, objects: Sequence[Object]) -> Found | None:
        """What there is of these objects now, None where nothing runs and so nothing can differ."""
        ...

    async def readiness(self, stored: Sequence[Stored]) -> tuple[Readiness, ...] | None:
        """Returns the present readiness of each release, None in a directory, where nothing runs.

        Readiness that can't be read has a note with the reason; nothing is raised.
        """
        ...

    async def ready(self, stored: Sequence[Stored], what: str, options: Options) -> Readiness | None:
        """Returns when these releases are ready; None at once where nothing runs. ``what`` names them in messages.

        Raises TimedOut when the timeout is over, NotReady when they can't get ready.
        """
        ...

    async def facts(self) -> Facts | None:
        """Which cluster this is, None where it is none."""
        ...

    async def releases(self, *, all_namespaces: bool = False) -> tuple[Release, ...]:
        """Every release, in every state, by namespace and name."""
        ...

    async def status(self, name: str) -> Release:
        """A release with its objects as they are now. Raises ReleaseNotFound."""
        ...

    async def uninstall(self, name: str, options: Options) -> Release:
        """Removes the release; claims of stateful sets stay. Raises ReleaseNotFound."""
        ...


async def no_release(target: Target, name: str | Lane) -> ReleaseNotFound:
    """Returns the error for a release, or for a lane without releases, that is not in the target's namespace."""
    return not_there(name, await target.where())


def not_there(name: str | Lane, where: str) -> ReleaseNotFound:
    """The same for a known place."""
    what = f"no release {name!r}" if isinstance(name, str) else f"no release of lane {name}"
    return ReleaseNotFound(
        f"there is {what} in {where}", remedy="see `sidelane list`, or name another namespace with -n"
    )
