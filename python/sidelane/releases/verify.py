"""Compare a release with its record and the cluster.

Four things are compared: the record of the installation, Helm's stored release, the cluster's objects, and what runs:
pods and revisions of workloads, and objects of no release that affect the release (running/).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sidelane.charts.chart import coalesce
from sidelane.errors import SidelaneError
from sidelane.manifest import Identity, Object
from sidelane.manifest.differences import ABSENT
from sidelane.manifest.drift import drift
from sidelane.manifest.fields import mapping
from sidelane.manifest.objects import parse_object
from sidelane.manifest.operational import REPLICAS, autoscaled, nested, scalable
from sidelane.manifest.ownership import ownership
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context
from sidelane.releases.provenance import Record, comparing, config_map
from sidelane.releases.readiness.counting import short_of_pods
from sidelane.releases.stores import Release, Stored, Target, hooks
from sidelane.releases.stores.ours import required_of_lane, route_of
from sidelane.releases.verification import Restart, Verification
from sidelane.support.concurrency import some_at_a_time
from sidelane.support.secrets import secret_texts

if TYPE_CHECKING:
    from sidelane.releases.running.reading import Running

#: The annotation of pods that `kubectl rollout restart` sets to replace them.
_RESTARTED: Final = "annotations[kubectl.kubernetes.io/restartedAt]"
_OPERATIONAL: Final = "operational-values"  # in the ConfigMap of charts/common


async def names(target: Target, which: Lane | str) -> list[str]:
    """Returns the names of a lane's releases, or the given name. Raises ReleaseNotFound for a lane without releases."""
    if isinstance(which, str):
        return [which]
    return [release.name for release in await required_of_lane(target, which)]


def remedy(states: Iterable[str], namespace: str | None) -> str:
    """Returns the command that restores these releases as deployed."""
    where = f" -n {namespace}" if namespace else ""
    return "restore what is deployed with " + ", ".join(f"`sidelane repair {name}{where}`" for name in states)


async def drifted(context: Context, wanted: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Returns the lines of drift of each drifted release, by name.

    Empty if the cluster cannot be read, which is reported: the caller's own work is already done.
    """
    try:
        verified = await releases(context.target, wanted, explain=False) if wanted else ()
    except SidelaneError as error:
        context.progress(_unread(wanted, error))
        return {}
    return {verification.release: verification.odd for verification in verified if verification.odd}


async def with_drift(context: Context, releases: Sequence[Release]) -> tuple[Release, ...]:
    """Returns the releases, with the drift of the unchanged ones."""
    unchanged = [release.name for release in releases if release.change == "unchanged"]
    if not unchanged or context.is_directory:  # a directory has no drift
        return tuple(releases)
    drift = await drifted(context, unchanged)
    return tuple(replace(release, drift=drift.get(release.name, ())) for release in releases)


async def releases(
    target: Target, wanted: Sequence[str], *, explain: bool = True, whole: bool = False
) -> tuple[Verification, ...]:
    """Verifies these releases, in this order. Raises ReleaseNotFound.

    explain: also read what runs for them, and find why pods are not ready. whole: they are all releases of their lanes.
    """
    stored, verified = await _read(target, wanted, explain=explain, whole=whole)
    if any(each.odd or each.ran or each.strangers for each in verified):
        stored, again = await _read(target, wanted, explain=explain, whole=whole)
        verified = [_confirmed(*both) for both in zip(verified, again, strict=True)]
    return await _explained(target, verified, stored) if explain else tuple(verified)


async def _read(
    target: Target, wanted: Sequence[str], *, explain: bool, whole: bool
) -> tuple[list[Stored], list[Verification]]:
    """Reads releases once, and verifies them."""

    async def with_record(stored: Stored) -> tuple[Stored, str | None]:
        return stored, stored.record or await target.record(stored.release.name)

    pairs = await some_at_a_time(map(with_record, await target.stored_all(wanted)))
    read = [stored for stored, _ in pairs]
    objects = [installed(stored) for stored in read]
    every = [obj for each in objects for obj in each]
    running = await target.running(every, wanted) if explain else None
    live = running.live if running is not None else await target.live(every)
    verified = [_verified(*pair, each, live) for pair, each in zip(pairs, objects, strict=True)]
    if running is not None:
        verified = _with_running(verified, read, objects, running, whole=whole)
    return read, verified


def _confirmed(first: Verification, second: Verification) -> Verification:
    """Returns the second result of a release, without what differs from the cluster only in it: in other fields, or in
    other objects, than in the first one.

    One reading is not one moment: Helm's releases are read before their objects, and pods before their workloads. What
    a route's change, an upgrade or the end of a rollout leaves in between looks like drift, or like pods of nobody.
    """
    fields = {(each.identity, each.path) for each in (*first.drift, *first.ran)}
    strangers = {each.identity for each in first.strangers}
    return replace(
        second,
        missing=tuple(each for each in second.missing if each in first.missing),
        drift=tuple(each for each in second.drift if (each.identity, each.path) in fields),
        ran=tuple(each for each in second.ran if (each.identity, each.path) in fields),
        strangers=tuple(each for each in second.strangers if each.identity in strangers),
    )


def _with_running(
    verified: Sequence[Verification],
    stored: Sequence[Stored],
    objects: Sequence[Sequence[Object]],
    running: Running,
    *,
    whole: bool,
) -> list[Verification]:
    """Adds what runs for each release, and the objects of no release that affect it."""
    from sidelane.releases.running import pods, strangers  # noqa: PLC0415 - only on a cluster

    own_hooks = [tuple(obj for obj in each.manifest.objects if obj.is_hook) for each in stored]
    own = {each.release: (*objs, *more) for each, objs, more in zip(verified, objects, own_hooks, strict=True)}
    statuses = {each.release: each.status for each in verified}
    others = strangers.find(strangers.Scope(own, whole=whole, statuses=statuses), running)
    added = []
    for each, objs in zip(verified, objects, strict=True):
        ran = pods.compare(objs, running)
        foreign, notes = others[each.release]
        added.append(replace(each, ran=ran.drift, strangers=foreign, notes=(*ran.notes, *notes), rolling=ran.rolling))
    return added


async def _explained(
    target: Target, verified: Sequence[Verification], stored: Sequence[Stored]
) -> tuple[Verification, ...]:
    """Adds the reason for each pod that is not ready; reads nothing if all are ready."""
    short = [each for release, each in zip(verified, stored, strict=True) if release.degraded]
    assessed = await target.readiness(short) if short else None
    readiness = {each.release.name: its for each, its in zip(short, assessed or (), strict=False)}
    return tuple(replace(release, readiness=readiness.get(release.release)) for release in verified)


async def of_stored(target: Target, stored: Stored) -> tuple[Verification, Mapping[Identity, Mapping[str, Any]] | None]:
    """Verifies one release, at the given revision, and returns also the cluster's objects."""
    text = stored.record or await target.record(stored.release.name)
    objects = installed(stored)
    live = await target.live(objects)
    return _verified(stored, text, objects, live), live


async def odd(context: Context, stored: Stored) -> tuple[str, ...]:
    """Returns the lines of a release's drift; none if the cluster cannot be read, as in ``drifted``."""
    try:
        verification, _ = await of_stored(context.target, stored)
    except SidelaneError as error:
        context.progress(_unread([stored.release.name], error))
        return ()
    return verification.odd


def _unread(names: Sequence[str], error: SidelaneError) -> str:
    some = ", ".join(names[:3]) + (" …" if names[3:] else "")
    return f"the drift of {some} can't be read: {error.problem}"


def installed(stored: Stored) -> tuple[Object, ...]:
    """Returns the permanent objects of a release, with its record; hooks may be gone."""
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


def _verified(
    stored: Stored, text: str | None, objects: Sequence[Object], live: Mapping[Identity, Mapping[str, Any]] | None
) -> Verification:
    release = stored.release
    record = Record.read(text) if text is not None else None
    compared = comparing.compared(record, stored.manifest, stored.values) if record else comparing.Compared((), ())
    # A directory has no drift.
    bodies = live if live is not None else {obj.identity: obj.body for obj in objects}
    present = [(obj, bodies[obj.identity]) for obj in objects if obj.identity in bodies]
    drifted = [difference for obj, body in present for difference in drift(obj, body)]
    if live is not None:
        own = (release.name, release.namespace)
        drifted += [difference for obj, body in present for difference in ownership(obj, body, *own)]
    may = _scalable(stored, record, objects)
    scaled = [each for each in drifted if each.path == REPLICAS and each.identity in may]
    restarts = [each for each in drifted if each.path.endswith(_RESTARTED)]
    return Verification(
        release=release.name,
        namespace=release.namespace,
        status=release.status,
        changed=(*compared.changed, *stored.odd, *hooks.odd(stored.hooks)),
        missing=tuple(obj.identity for obj in objects if obj.identity not in bodies),
        drift=tuple(each for each in drifted if each not in scaled and each not in restarts),
        operated=compared.operated,
        scaled=tuple(scaled),
        restarts=tuple(
            Restart(each.identity, str(each.actual), each.by) for each in restarts if each.actual is not ABSENT
        ),
        degraded=tuple(_degraded(present, may, autoscaled(objects))) if live is not None else (),
        record=record,
        route=route_of(stored) is not None,
        digest=stored.manifest.without_secrets(secret_texts(stored.values)).digest(),
    )


def _degraded(
    present: Iterable[tuple[Object, Mapping[str, Any]]], may: Container[Identity], least: Mapping[Identity, int]
) -> Iterator[str]:
    """Yields a line for each workload with too few ready pods."""
    for obj, body in present:
        if lacking := short_of_pods(obj, body, may_differ=obj.identity in may, least=least.get(obj.identity, 1)):
            yield f"{obj.identity}: {lacking}"


def _scalable(stored: Stored, record: Record | None, objects: Sequence[Object]) -> frozenset[Identity]:
    """Returns the workloads whose replicas may change: by an operational value, or by the release's own autoscaler."""
    targets = autoscaled(objects)
    if record is not None:
        return frozenset(
            obj.identity for obj in objects if obj.identity.path in record.scalable or obj.identity in targets
        )
    # Plain Helm installed it. The chart's defaults are unknown; its ConfigMap has the names of operational values.
    names = _operational(stored)
    return frozenset(scalable(objects, names, coalesce(nested(names), stored.values)))


def _operational(stored: Stored) -> frozenset[str]:
    """Returns the operational values of a release of plain Helm, from the chart's ConfigMap."""
    for obj in stored.manifest.objects:
        if obj.kind == "ConfigMap" and _OPERATIONAL in mapping(obj.body, "data"):
            return frozenset(filter(None, str(obj.body["data"][_OPERATIONAL]).split(",")))
    return frozenset()
