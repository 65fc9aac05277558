"""Whether a release still is what was deployed: held against its record, and against the cluster.

Three things are compared in turn: the record, which says what was installed; what Helm keeps of the release now; and
what the cluster has of it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple

from sidelane.charts.sources import coalesce
from sidelane.errors import SidelaneError
from sidelane.manifest import Identity, Object
from sidelane.manifest.differences import ABSENT
from sidelane.manifest.drift import Drift, drift
from sidelane.manifest.fields import mapping
from sidelane.manifest.objects import parse_object
from sidelane.manifest.operational import REPLICAS, autoscaled, nested, scalable
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context
from sidelane.releases.provenance import Record, comparing, config_map
from sidelane.releases.readiness import Readiness, Unready
from sidelane.releases.readiness.counting import short_of_pods
from sidelane.releases.stores import Found, Release, Stored, Target
from sidelane.releases.stores.ours import required_of_lane, route_of
from sidelane.support.concurrency import some_at_a_time
from sidelane.support.harmless import in_line

#: What a release is: the first of these that holds.
State = Literal["missing", "drifted", "changed", "unfinished", "degraded", "unrecorded", "unchanged"]

#: The annotation of pods by which `kubectl rollout restart` makes new ones of the same content.
_RESTARTED: Final = "annotations[kubectl.kubernetes.io/restartedAt]"
_OPERATIONAL: Final = "operational-values"  # of the ConfigMap that charts/common leaves


class Restart(NamedTuple):
    """A rollout restart: new pods of the same content. at: when, as it was written. by: who, where that is known."""

    identity: Identity
    at: str
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        by = f" by {', '.join(self.by)}" if self.by else ""
        return in_line(f"{self.identity}: was restarted at {self.at}{by}")

    def to_json(self) -> dict[str, object]:
        return {"object": self.identity.to_json(), "at": self.at, "by": list(self.by)}


@dataclass(frozen=True)
class Verification:
    """What became of a release.

    status: Helm's word. route: whether it is a route, which changes in place,
    keeps its history in the target and needs no record. changed: what Helm has otherwise than was recorded, and
    operated: the same of what the one who operates the release may change; lines for people. missing: objects that are
    gone. drift: fields that the cluster has otherwise than Helm, and scaled: the same of numbers of pods that may.
    restarts: of its workloads, which change nothing. degraded: a line for each workload without the ready pods that it
    should have, and readiness: why, where that could be read. record: what it was held against, None where there is
    none.
    """

    release: str
    namespace: str
    status: str
    changed: tuple[str, ...] = ()
    missing: tuple[Identity, ...] = ()
    drift: tuple[Drift, ...] = ()
    operated: tuple[str, ...] = ()
    scaled: tuple[Drift, ...] = ()
    restarts: tuple[Restart, ...] = ()
    degraded: tuple[str, ...] = ()
    readiness: Readiness | None = field(default=None, repr=False)
    record: Record | None = field(default=None, repr=False)
    route: bool = False

    @property
    def recorded(self) -> Literal["there", "none", "not needed"]:
        """Whether there is a record, in words."""
        if self.record is not None:
            return "there"
        return "not needed" if self.route else "none"

    @property
    def operational(self) -> tuple[str, ...]:
        """What differs and may, as lines."""
        return (*self.operated, *map(str, self.scaled))

    @property
    def odd(self) -> tuple[str, ...]:
        """What the cluster has otherwise than Helm, and `repair` brings back, as lines."""
        return (*(f"{identity}: is missing" for identity in self.missing), *map(str, self.drift))

    @property
    def unready(self) -> tuple[Unready, ...]:
        """The pods and other objects that are not ready, of a release that is degraded."""
        return self.readiness.unready if self.readiness else ()

    @property
    def state(self) -> State:
        states: tuple[tuple[State, bool], ...] = (
            ("missing", bool(self.missing)),
            ("drifted", bool(self.drift)),
            ("changed", bool(self.changed)),
            ("unfinished", self.status != "deployed"),
            ("degraded", bool(self.degraded)),
            ("unrecorded", self.recorded == "none"),
        )
        return next((state for state, holds in states if holds), "unchanged")

    def to_json(self) -> dict[str, object]:
        """The verification as programs read it."""
        return {
            "release": self.release,
            "namespace": self.namespace,
            "state": self.state,
            "status": self.status,
            "record": self.recorded,
            "changed": list(self.changed),
            "missing": [identity.to_json() for identity in self.missing],
            "drift": [one.to_json() for one in self.drift],
            "operational": list(self.operational),
            "restarts": [one.to_json() for one in self.restarts],
            "degraded": list(self.degraded),
            "unready": [one.to_json() for one in self.unready],
        }


async def names(target: Target, which: Lane | str) -> list[str]:
    """Returns the names of a lane's releases, or the one name that is given. Raises ReleaseNotFound for a lane that has
    none.
    """
    if isinstance(which, str):
        return [which]
    return [release.name for release in await required_of_lane(target, which)]


def remedy(found: Iterable[str], namespace: str | None) -> str:
    """How to bring back what is deployed of these releases."""
    where = f" -n {namespace}" if namespace else ""
    return "bring back what is deployed with " + ", ".join(f"`sidelane repair {name}{where}`" for name in found)


async def drifted(target: Target, wanted: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Lines for what the cluster has otherwise of these releases, by their names; only of those that drifted.

    Empty where that can't be read: whoever asks has done what was asked of it.
    """
    try:
        found = await releases(target, wanted, explain=False) if wanted else ()
    except SidelaneError:
        return {}
    return {one.release: one.odd for one in found if one.odd}


async def with_drift(context: Context, found: Sequence[Release]) -> tuple[Release, ...]:
    """Returns the same releases, with what the cluster has otherwise of those that are unchanged."""
    unchanged = [one.name for one in found if one.change == "unchanged"]
    if not unchanged or context.is_directory:  # nothing runs there
        return tuple(found)
    drift = await drifted(context.target, unchanged)
    return tuple(replace(one, drift=drift.get(one.name, ())) for one in found)


async def releases(target: Target, wanted: Sequence[str], *, explain: bool = True) -> tuple[Verification, ...]:
    """These releases, in this order. explain: say why pods are not ready. Raises ReleaseNotFound."""

    async def kept(name: str) -> tuple[Stored, str | None]:
        stored = await target.stored(name)
        return stored, stored.record or await target.record(name)

    all_kept = await some_at_a_time(kept(name) for name in wanted)
    objects = [installed(stored) for stored, _ in all_kept]
    found = await target.found([obj for each in objects for obj in each])
    verified = [_verified(*kept, each, found) for kept, each in zip(all_kept, objects, strict=True)]
    return await _explained(target, verified, [stored for stored, _ in all_kept]) if explain else tuple(verified)


async def _explained(
    target: Target, verified: Sequence[Verification], stored: Sequence[Stored]
) -> tuple[Verification, ...]:
    """The same, with the reason of each pod that is not ready. Where all are, nothing more is read."""
    short = [(one, its) for one, its in zip(verified, stored, strict=True) if one.degraded]
    found = await target.readiness([its for _, its in short]) if short else None
    readiness = {one.release: its for (one, _), its in zip(short, found or (), strict=False)}
    return tuple(replace(one, readiness=readiness.get(one.release)) for one in verified)


async def one(target: Target, stored: Stored) -> tuple[Verification, Found | None]:
    """One release, whichever of its revisions it is held by, and what the cluster has of its objects."""
    text = stored.record or await target.record(stored.release.name)
    objects = installed(stored)
    found = await target.found(objects)
    return _verified(stored, text, objects, found), found


def installed(stored: Stored) -> tuple[Object, ...]:
    """The objects of a release that are there as long as it is, its record too; a hook may be gone."""
    objects = tuple(obj for obj in stored.manifest.objects if not obj.is_hook)
    if stored.record_data is None:
        return objects
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": config_map(stored.release.name)},
        "immutable": True,
        "data": dict(stored.record_data),
    }
    return (*objects, parse_object(body, "the record", namespace=stored.release.namespace, source="", line=0))


def _verified(stored: Stored, text: str | None, objects: Sequence[Object], found: Found | None) -> Verification:
    release = stored.release
    record = Record.read(text) if text is not None else None
    compared = comparing.compared(record, stored.manifest, stored.values) if record else comparing.Compared((), ())
    runs = found is not None
    found = found or Found({obj.identity: obj.body for obj in objects})  # where nothing runs, nothing differs
    there = [(obj, found.objects[obj.identity]) for obj in objects if obj.identity in found.objects]
    drifted = [one for obj, body in there for one in drift(obj, body)]
    may = _scalable(stored, record, objects)
    scaled = [one for one in drifted if one.path == REPLICAS and one.identity in may]
    restarts = [one for one in drifted if one.path.endswith(_RESTARTED)]
    return Verification(
        release=release.name,
        namespace=release.namespace,
        status=release.status,
        changed=(*compared.changed, *stored.odd),
        missing=tuple(obj.identity for obj in objects if obj.identity not in found.objects),
        drift=tuple(one for one in drifted if one not in scaled and one not in restarts),
        operated=compared.operated,
        scaled=tuple(scaled),
        restarts=tuple(Restart(one.identity, str(one.found), one.by) for one in restarts if one.found is not ABSENT),
        degraded=tuple(_degraded(there, may, autoscaled(objects))) if runs else (),
        record=record,
        route=route_of(stored) is not None,
    )


def _degraded(
    there: Iterable[tuple[Object, Mapping[str, Any]]], may: Container[Identity], least: Mapping[Identity, int]
) -> Iterator[str]:
    """A line for each workload that has fewer ready pods than it should have."""
    for obj, body in there:
        if lacking := short_of_pods(obj, body, may_differ=obj.identity in may, least=least.get(obj.identity, 1)):
            yield f"{obj.identity}: {lacking}"


def _scalable(stored: Stored, record: Record | None, objects: Sequence[Object]) -> frozenset[Identity]:
    """The workloads whose number of pods somebody may set: by a value that is operational, or an autoscaler that is the
    release's own.
    """
    targets = autoscaled(objects)
    if record is not None:
        return frozenset(
            obj.identity for obj in objects if obj.identity.path in record.scalable or obj.identity in targets
        )
    # Plain Helm installed it. The chart's defaults are not known; its ConfigMap has the names of operational values.
    names = _operational(stored)
    return frozenset(scalable(objects, names, coalesce(nested(names), stored.values)))


def _operational(stored: Stored) -> frozenset[str]:
    """The operational values of a release that plain Helm installed, as the chart's own ConfigMap has them."""
    for obj in stored.manifest.objects:
        if obj.kind == "ConfigMap" and _OPERATIONAL in mapping(obj.body, "data"):
            return frozenset(filter(None, str(obj.body["data"][_OPERATIONAL]).split(",")))
    return frozenset()
