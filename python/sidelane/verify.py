"""Whether a release still is what was deployed: held against its record, and against the cluster.

Three things are compared in turn: the record, which says what was installed; what Helm keeps of the release now; and
what the cluster has of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from sidelane.hidden import without_secrets
from sidelane.lane import Lane
from sidelane.manifest import Identity, Object, digest
from sidelane.manifest.differences import ABSENT, in_line
from sidelane.manifest.drift import Drift, drift
from sidelane.manifest.fields import mapping
from sidelane.manifest.objects import canonical, parse_object
from sidelane.record import Record, config_map, leaves, under
from sidelane.record.statement import digests, guarded
from sidelane.targets import Found, Stored, Target, no_release
from sidelane.targets.ours import of_lane, route_of

#: What a release is: the first of these that holds.
State = Literal["missing", "drifted", "changed", "unfinished", "unrecorded", "unchanged"]

#: How many Helms run at a time.
_AT_ONCE: Final = 4
_OPERATIONAL: Final = "operational-values"  # of the ConfigMap that charts/common leaves


@dataclass(frozen=True)
class Verification:
    """What became of a release.

    status: Helm's word. route: whether it is a route, which changes in place,
    keeps its history in the target and needs no record. changed: what Helm has otherwise than was recorded, and
    operated: the same of what the one who operates the release may change; lines for people. missing: objects that are
    gone. drift: fields that the cluster has otherwise than Helm, and scaled: the same of numbers of pods that may.
    record: what it was held against, None where there is none.
    """

    release: str
    namespace: str
    status: str
    changed: tuple[str, ...] = ()
    missing: tuple[Identity, ...] = ()
    drift: tuple[Drift, ...] = ()
    operated: tuple[str, ...] = ()
    scaled: tuple[Drift, ...] = ()
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
    def state(self) -> State:
        states: tuple[tuple[State, bool], ...] = (
            ("missing", bool(self.missing)),
            ("drifted", bool(self.drift)),
            ("changed", bool(self.changed)),
            ("unfinished", self.status != "deployed"),
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
        }


async def lane(target: Target, wanted: Lane) -> tuple[Verification, ...]:
    """Every release of a lane, by name. Raises ReleaseNotFound for a lane that has none."""
    names = [release.name for release in await of_lane(target, wanted)]
    if not names:
        raise await no_release(target, wanted)
    return await releases(target, names)


async def releases(target: Target, names: Sequence[str]) -> tuple[Verification, ...]:
    """These releases, in this order. Raises ReleaseNotFound."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def kept(name: str) -> tuple[Stored, str | None]:
        async with limit:
            stored = await target.stored(name)
            return stored, stored.record or await target.record(name)

    all_kept = await asyncio.gather(*(kept(name) for name in names))
    objects = [_installed(stored) for stored, _ in all_kept]
    found = await target.found([obj for each in objects for obj in each])
    return tuple(_verified(*kept, each, found) for kept, each in zip(all_kept, objects, strict=True))


def _installed(stored: Stored) -> tuple[Object, ...]:
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
    operational = record.operational if record else _operational(stored)
    changed, allowed = _changed(stored, record) if record else ((), ())
    found = found or Found({obj.identity: obj.body for obj in objects})  # where nothing runs, nothing differs
    missing = [obj.identity for obj in objects if obj.identity not in found.objects]
    drifted = [
        one for obj in objects if obj.identity in found.objects for one in drift(obj, found.objects[obj.identity])
    ]
    scaled = [one for one in drifted if _is_scaling(one, found, operational)]
    return Verification(
        release=release.name,
        namespace=release.namespace,
        status=release.status,
        changed=changed,
        missing=tuple(missing),
        drift=tuple(one for one in drifted if one not in scaled),
        operated=allowed,
        scaled=tuple(scaled),
        record=record,
        route=route_of(stored) is not None,
    )


def _operational(stored: Stored) -> frozenset[str]:
    """The operational values of a release that plain Helm installed, as the chart's own ConfigMap has them."""
    for obj in stored.manifest.objects:
        if obj.kind == "ConfigMap" and _OPERATIONAL in mapping(obj.body, "data"):
            return frozenset(filter(None, str(obj.body["data"][_OPERATIONAL]).split(",")))
    return frozenset()


def _is_scaling(one: Drift, found: Found, operational: Iterable[str]) -> bool:
    """Whether it is the number of pods, where an autoscaler or the one who operates the release may set it."""
    may = one.identity in found.scaled or any(name.rpartition(".")[2] == "replicas" for name in operational)
    return one.path == "spec.replicas" and may


def _changed(stored: Stored, record: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What Helm has otherwise than was recorded: what may not change, and what may."""
    now = digests(stored.manifest, stored.values)
    objects = sorted(path for path in {*now, *record.objects} if now.get(path) != record.objects.get(path))
    verbs = {(True, True): "is changed", (True, False): "is new", (False, True): "is gone"}
    others = tuple(f"{path} {verbs[path in now, path in record.objects]}" for path in objects)
    shown = without_secrets(dict(stored.values))
    if record.values is None:
        if guarded(shown, record.operational) != record.guarded:
            return ("values: are changed, and the record has their digest alone", *others), ()
        same = digest(canonical(shown)) == record.values_digest
        return (others, ()) if same else ((), ("values: operational ones are changed",))
    before, after = dict(leaves(record.values)), dict(leaves(shown))
    values = [path for path in sorted({*before, *after}) if before.get(path, ABSENT) != after.get(path, ABSENT)]
    lines = tuple(f"values: {path}: {in_line(before.get(path, ABSENT), after.get(path, ABSENT))}" for path in values)
    if values and all(under(path, record.operational) for path in values):
        return (), lines
    return (*lines, *others), ()
