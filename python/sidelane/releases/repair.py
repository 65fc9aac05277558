"""Restore a release exactly as deployed: to its manifest, which Helm stores and its record confirms.

Missing objects are created again, and drifted fields are reset, whoever owns them. Allowed differences stay: replicas
that operational values or the release's own autoscaler set, rollout restarts, annotations. A workload that was scaled
to 0 gets its pods back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidelane.charts import sources
from sidelane.charts.chart import Chart
from sidelane.charts.rendering import Rendering, read_manifest
from sidelane.errors import ChartNotFound, Refused, TargetBusy
from sidelane.helm.values import json_text
from sidelane.manifest import Identity, Manifest, Object, diff
from sidelane.manifest.as_found import as_found
from sidelane.manifest.differences import ABSENT
from sidelane.manifest.drift import Drift
from sidelane.manifest.fields import mapping
from sidelane.manifest.operational import REPLICAS
from sidelane.naming.contract import parse_name
from sidelane.releases import verify
from sidelane.releases.context import Context
from sidelane.releases.provenance import Record
from sidelane.releases.stores import Options, PutBack, Release, Stored, Target
from sidelane.releases.stores.ours import not_ours
from sidelane.releases.verification import Verification


@dataclass(frozen=True)
class Repair:
    """The planned or completed repair of a release.

    missing: objects to create again. drift: fields to reset, each with its owner. allowed: differences that stay,
    as lines. done: True if the changes were made.
    """

    release: str
    namespace: str
    missing: tuple[Identity, ...] = ()
    drift: tuple[Drift, ...] = ()
    allowed: tuple[str, ...] = ()
    done: bool = False

    @property
    def needed(self) -> bool:
        return bool(self.missing or self.drift)

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the repair."""
        return {
            "release": self.release,
            "namespace": self.namespace,
            "change": ("repaired" if self.done else "drifted") if self.needed else "unchanged",
            "missing": [identity.to_json() for identity in self.missing],
            "drift": [difference.to_json() for difference in self.drift],
            "allowed": list(self.allowed),
        }


async def releases(context: Context, names: Sequence[str], *, dry_run: bool, options: Options) -> tuple[Repair, ...]:
    """Repairs these releases, or with ``dry_run`` plans it. Raises Refused, without any change, for a release that
    differs from its record or was never finished, and NotOurs for one that Sidelane did not create.
    """
    target = context.target
    looked = [await _looked_at(target, name) for name in names]
    for each in looked:
        _require_as_deployed(each.now)
    await _require_ours(target, [each.stored.release for each in looked if each.repair.needed])
    work = [await _work(context, each) if each.repair.needed else None for each in looked]
    done = []
    for each, todo in zip(looked, work, strict=True):
        if todo is not None and not dry_run:
            context.progress(f"repairing {each.repair.release}")
            await target.put_back(each.repair.release, todo, options)
        done.append(dataclasses.replace(each.repair, done=todo is not None and not dry_run))
    if options.waits and not dry_run:
        await target.ready([each.stored for each in looked], ", ".join(names), options)
    return tuple(done)


@dataclass(frozen=True)
class _Looked:
    """A release with its planned repair. interrupted: an earlier repair did not end."""

    stored: Stored
    now: Verification
    bodies: Mapping[Identity, Mapping[str, Any]]
    repair: Repair
    interrupted: bool


async def _looked_at(target: Target, name: str) -> _Looked:
    base = await target.interrupted(name)
    stored = await target.stored(name) if base is None else await target.stored(name, revision=base)
    if base is not None:
        # This is the deployed revision, which a repair's helper revision has superseded.
        stored = dataclasses.replace(stored, release=dataclasses.replace(stored.release, status="deployed"))
    now, live = await verify.of_stored(target, stored)
    bodies = live or {}
    off = tuple(difference for difference in now.scaled if _is_off(difference))
    unchanged = (*(str(difference) for difference in now.scaled if difference not in off), *map(str, now.restarts))
    repair = Repair(now.release, now.namespace, now.missing, (*now.drift, *off), unchanged)
    return _Looked(stored, now, bodies, repair, base is not None)


def _require_as_deployed(now: Verification) -> None:
    if now.changed:
        raise Refused(
            f"{now.release} was changed in Helm:\n  " + "\n  ".join(now.changed),
            remedy=f"find the deployed revision with `helm history {now.release} -n {now.namespace}`, roll back to it, "
            f"then run `sidelane repair {now.release} -n {now.namespace}`",
        )
    if now.status.startswith("pending-"):
        raise TargetBusy(
            f"another process is working on {now.release}, or was until a short time ago",
            remedy="try again when it has ended",
        )
    if now.status != "deployed":
        raise Refused(
            f"the status of {now.release} is {now.status}: it has no deployed revision to restore",
            remedy=f"see `sidelane status {now.release} -n {now.namespace}`",
        )


async def _require_ours(target: Target, releases: Sequence[Release]) -> None:
    known = await target.ours(releases)
    if others := [release.name for release in releases if release.name not in known]:
        raise not_ours(*others, remedy="restore it with Helm, and repair other releases by name")


async def _work(context: Context, looked: _Looked) -> PutBack:
    """Plans the repair. Raises Refused if replicas could not stay unchanged."""
    stored, now = looked.stored, looked.now
    odd = {difference.identity for difference in (*now.drift, *now.scaled)}
    live = {
        obj.identity: _as_it_is(obj, looked.bodies[obj.identity], now)
        for obj in verify.installed(stored)
        if obj.identity in odd
    }
    rendering = None
    numbers = {
        difference.identity: difference.actual
        for difference in now.scaled
        if difference.expected is not ABSENT and not _is_off(difference)
    }
    if numbers:
        rendering = await _with_numbers(context, looked, numbers)
    record = stored.record or await context.target.record(stored.release.name)
    return PutBack(stored.release.revision, live, rendering, record)


def _as_it_is(obj: Object, body: Mapping[str, Any], now: Verification) -> dict[str, Any] | None:
    """Returns an object as it is now, or None for an immutable one, which must be deleted and created again."""
    drifted = {difference.path for difference in now.drift if difference.identity == obj.identity}
    if body.get("immutable") is True and any(path.startswith(("data", "binaryData", "immutable")) for path in drifted):
        return None
    # Replicas that are not in the manifest are left out: removing them again would be a change.
    scaled = {
        difference.path
        for difference in now.scaled
        if difference.identity == obj.identity and (difference.expected is not ABSENT or _is_off(difference))
    }
    return as_found(obj, body, drifted | scaled)


def _is_off(scaled: Drift) -> bool:
    """Tells whether a workload was scaled to 0 by hand."""
    return bool(scaled.actual == 0 and scaled.expected != 0)


async def _with_numbers(context: Context, looked: _Looked, numbers: Mapping[Identity, int]) -> Rendering:
    """Renders the release with its chart and its present replicas."""
    stored, record, lane = looked.stored, looked.now.record, looked.stored.release.lane
    name, namespace = stored.release.name, stored.release.namespace
    if record is None or lane is None or any(not _value(record, identity) for identity in numbers):
        lines = [f"{identity}: {REPLICAS} is {number}" for identity, number in numbers.items()]
        raise Refused(
            f"{name} was scaled, and a repair would undo that:\n  " + "\n  ".join(lines),
            remedy=f"set these numbers with `helm upgrade {name} -n {namespace} --reuse-values`, then repair it",
        )
    values: dict[str, Any] = dict(stored.values)
    for identity, number in numbers.items():
        values = _with(values, _value(record, identity).split("."), number)
    chart = _chart(record, {_value(record, identity): number for identity, number in numbers.items()})
    rendered = await context.renderer(chart).render(chart, lane, values)
    # A chart with an autoscaler sets no replicas.
    sides = [
        Manifest(tuple(_scaled(obj, numbers.get(obj.identity)) for obj in manifest.objects))
        for manifest in (stored.manifest, read_manifest(rendered.text, namespace, name))
    ]
    if differences := diff(*sides, names=("the release", "the chart")):
        raise Refused(
            f"the chart {chart.name} {chart.version} renders {name} differently from its deployed content:\n  "
            + "\n  ".join(differences),
            remedy=f"see `sidelane verify {name} -n {namespace}`",
        )
    text = "".join(f"---\n# Source: {obj.source}\n{json_text(obj.body)}\n" for obj in sides[0].objects)
    return dataclasses.replace(rendered, text=text)


def _value(record: Record, identity: Identity) -> str:
    """Returns the value that sets a workload's replicas, empty if there is none."""
    own = record.scalable.get(identity.path)
    return own.value if own else ""


def _with(values: Mapping[str, Any], path: Sequence[str], number: int) -> dict[str, Any]:
    key, *below = path
    return {**values, key: _with(mapping(dict(values), key), below, number) if below else number}


def _scaled(obj: Object, number: int | None) -> Object:
    if number is None:
        return obj
    return obj._replace(body={**obj.body, "spec": {**obj.body["spec"], "replicas": number}})


def _chart(record: Record, numbers: Mapping[str, int]) -> Chart:
    """Returns the chart of a release, if it is one of Sidelane's. Raises Refused for others."""
    try:
        chart = sources.find(record.chart)
    except ChartNotFound:
        chart = None
    if chart is not None and chart.digest == record.chart_digest:
        return chart
    asked = ",".join(f"{path}={number}" for path, number in sorted(numbers.items()))
    _, lane = parse_name(record.release) or ("", "LANE")
    raise Refused(
        f"{record.release} was scaled, and its chart {record.chart} {record.chart_version} is missing: a repair would "
        "undo the scaling",
        remedy=f"run `sidelane upgrade CHART --lane {lane} --reuse-values --set {asked}` with it, then repair it",
    )
