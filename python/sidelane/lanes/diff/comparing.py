"""Compare two sides with the lane removed from every name.

Two lanes of the same chart and values differ in every name, label and host name. Therefore each side's own lane is
replaced by ``{lane}`` before the comparison. Checksums of such text are left out; the text itself is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sidelane.manifest import Manifest, Object
from sidelane.manifest.differences import ABSENT, Difference, differences
from sidelane.manifest.drift import Drift
from sidelane.manifest.objects import Identity
from sidelane.naming import labels
from sidelane.naming.lane import Lane
from sidelane.releases.verification import Verification

# Keys and variable names whose whole value is a lane, a Version or a Build.
_ALONE: Final = {
    labels.LANE: "lane", labels.VERSION: "version", labels.BUILD: "build",
    labels.PART_OF: "lane", "lane": "lane",
    "SIDELANE_LANE": "lane", "SIDELANE_VERSION": "version", "SIDELANE_BUILD": "build",
}  # fmt: skip
#: The key that identifies the ConfigMap of charts/common, and the key that holds digests of values.
_GUARD: Final = "operational-values"
_DIGESTS: Final = "values"


class Side(NamedTuple):
    """One side of a comparison. releases: the objects of each release, by its name without the lane."""

    label: str
    lane: Lane
    releases: Mapping[str, Manifest]


class Changed(NamedTuple):
    """One difference, and its release. A release of only one side is a difference without a path."""

    release: str
    difference: Difference

    def to_json(self) -> dict[str, object]:
        return {"release": self.release, **self.difference.to_json()}


@dataclass(frozen=True)
class Comparison:
    """The differences between two sides. only: releases of one side alone, each with the side's label."""

    labels: tuple[str, str]
    differences: tuple[Changed, ...]
    only: tuple[tuple[str, str], ...] = ()

    @property
    def same(self) -> bool:
        return not self.differences and not self.only

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the comparison."""
        return {
            "same": self.same,
            "sides": list(self.labels),
            "only": [{"release": release, "side": label} for release, label in self.only],
            "differences": [difference.to_json() for difference in self.differences],
        }


def compare(a: Side, b: Side) -> Comparison:
    """Compares two sides, in the order of the releases' names and the objects' identities."""
    differing = []
    for release in sorted(a.releases.keys() & b.releases.keys()):
        left, right = (neutral(side.releases[release], side.lane) for side in (a, b))
        differing += [Changed(release, difference) for difference in differences(left, right)]
    only = [
        (release, side.label)
        for side, other in ((a, b), (b, a))
        for release in sorted(side.releases.keys() - other.releases.keys())
    ]
    return Comparison((a.label, b.label), tuple(differing), tuple(sorted(only)))


def of_cluster(label: str, verified: Iterable[Verification]) -> Comparison:
    """Returns the results of verifying releases as a comparison with the cluster."""
    changed = []
    for verification in verified:
        gone = (Difference(identity, "", {}, ABSENT) for identity in verification.missing)
        changed += [
            Changed(verification.release, each)
            for each in (*gone, *map(_difference, (*verification.drift, *verification.scaled)))
        ]
    return Comparison((label, "the cluster"), tuple(changed))


def _difference(drift: Drift) -> Difference:
    return Difference(drift.identity, drift.path, drift.expected, drift.actual)


def neutral(manifest: Manifest, lane: Lane) -> list[Object]:
    """Returns the objects with ``{lane}`` for their lane, and without namespaces: two lanes may have different ones."""
    replaced = _replacing(lane)
    objects = []
    for obj in manifest.installed:
        own = obj.identity
        body = _neutral(obj.body, lane, replaced)
        namespace = (body.get("metadata") or {}).get("namespace")
        if namespace is not None:
            body = {**body, "metadata": {**body["metadata"], "namespace": "{namespace}"}}
        identity = Identity(own.group, own.kind, "{namespace}" if own.namespace else "", replaced(own.name))
        objects.append(obj._replace(identity=identity, body=body))
    return objects


def _replacing(lane: Lane) -> Callable[[str], str]:
    """Returns a function that replaces the lane in a text. A lane of digits is replaced only after a name: 1-4 may be a
    range.
    """
    before = r"(?<![a-z0-9])" if re.search("[a-z]", lane.version) else r"(?<=[a-z0-9]-)"
    pattern = re.compile(f"{before}{re.escape(str(lane))}(?![a-z0-9])")
    return lambda text: pattern.sub("{lane}", text)


def _neutral(value: Any, lane: Lane, replaced: Callable[[str], str], key: str = "") -> Any:
    if isinstance(value, Mapping):
        # The name of a variable tells the meaning of its value.
        name = value.get("name")
        known = {key: name if key == "value" and isinstance(name, str) else key for key in value}
        return {
            replaced(key): "{checksum}" if _is_checksum(key, value) else _neutral(inner, lane, replaced, known[key])
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_neutral(item, lane, replaced) for item in value]
    if not isinstance(value, str):
        return value
    part = _ALONE.get(key)
    alone = {"lane": str(lane), "version": lane.version, "build": lane.build}
    return f"{{{part}}}" if part is not None and value == alone[part] else replaced(value)


def _is_checksum(key: str, siblings: Mapping[str, Any]) -> bool:
    """Tells whether this is a digest of compared content: an annotation, or a digest of values in a chart's guard."""
    return key.startswith("checksum/") or (key == _DIGESTS and _GUARD in siblings)
