"""Two lanes compared, or a lane and a file, with the lane taken out of every name: so that only real differences show.

Two lanes of the same chart and values differ in every name, label and host name that they have. Each side's own lane
is written ``{lane}`` before the two are compared. A checksum of such text is not: the text itself is compared.
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
from sidelane.releases.verify import Verification

# Where a lane, a Version or a Build stands alone, by the key or by the variable's name.
_ALONE: Final = {
    labels.LANE: "lane", labels.VERSION: "version", labels.BUILD: "build",
    labels.PART_OF: "lane", "lane": "lane",
    "SIDELANE_LANE": "lane", "SIDELANE_VERSION": "version", "SIDELANE_BUILD": "build",
}  # fmt: skip
#: The key by which the ConfigMap is known that charts/common leaves, and the one that holds digests of values.
_GUARD: Final = "operational-values"
_DIGESTS: Final = "values"


class Side(NamedTuple):
    """One of the two that are compared. releases: the objects of each, by its name without the lane."""

    label: str
    lane: Lane
    releases: Mapping[str, Manifest]


class Changed(NamedTuple):
    """One difference, and the release that it is in. A release that only one side has is a difference without path."""

    release: str
    difference: Difference

    def to_json(self) -> dict[str, object]:
        return {"release": self.release, **self.difference.to_json()}


@dataclass(frozen=True)
class Comparison:
    """What differs between two sides. only: releases that one side alone has, each with the side's label."""

    labels: tuple[str, str]
    differences: tuple[Changed, ...]
    only: tuple[tuple[str, str], ...] = ()

    @property
    def same(self) -> bool:
        return not self.differences and not self.only

    def to_json(self) -> dict[str, object]:
        """The comparison as programs read it."""
        return {
            "same": self.same,
            "sides": list(self.labels),
            "only": [{"release": release, "side": label} for release, label in self.only],
            "differences": [one.to_json() for one in self.differences],
        }


def compare(a: Side, b: Side) -> Comparison:
    """What differs between two sides, in the order of the releases' names and the objects' identities."""
    found = []
    for release in sorted(a.releases.keys() & b.releases.keys()):
        left, right = (neutral(side.releases[release], side.lane) for side in (a, b))
        found += [Changed(release, one) for one in differences(left, right)]
    only = [
        (release, side.label)
        for side, other in ((a, b), (b, a))
        for release in sorted(side.releases.keys() - other.releases.keys())
    ]
    return Comparison((a.label, b.label), tuple(found), tuple(sorted(only)))


def of_cluster(label: str, found: Iterable[Verification]) -> Comparison:
    """Releases against what the cluster has of them: what was found out by verifying them, as a comparison."""
    changed = []
    for one in found:
        gone = (Difference(identity, "", {}, ABSENT) for identity in one.missing)
        changed += [Changed(one.release, each) for each in (*gone, *map(_difference, (*one.drift, *one.scaled)))]
    return Comparison((label, "the cluster"), tuple(changed))


def _difference(drift: Drift) -> Difference:
    return Difference(drift.identity, drift.path, drift.expected, drift.found)


def neutral(manifest: Manifest, lane: Lane) -> list[Object]:
    """The objects with ``{lane}`` for their lane, and no namespace: two lanes may live in two."""
    replaced = _replacing(lane)
    objects = []
    for obj in manifest.objects:
        one = obj.identity
        body = _neutral(obj.body, lane, replaced)
        namespace = (body.get("metadata") or {}).get("namespace")
        if namespace is not None:
            body = {**body, "metadata": {**body["metadata"], "namespace": "{namespace}"}}
        identity = Identity(one.group, one.kind, "{namespace}" if one.namespace else "", replaced(one.name))
        objects.append(obj._replace(identity=identity, body=body))
    return objects


def _replacing(lane: Lane) -> Callable[[str], str]:
    """What writes ``{lane}`` for the lane in a text. One of digits alone counts behind a name only: 1-4 is a range."""
    before = r"(?<![a-z0-9])" if re.search("[a-z]", lane.version) else r"(?<=[a-z0-9]-)"
    pattern = re.compile(f"{before}{re.escape(str(lane))}(?![a-z0-9])")
    return lambda text: pattern.sub("{lane}", text)


def _neutral(value: Any, lane: Lane, replaced: Callable[[str], str], key: str = "") -> Any:
    if isinstance(value, Mapping):
        # Of a variable it is its name that says what its value is.
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
    """Whether it is a digest of what is compared itself: an annotation, or what a chart's guard keeps of values."""
    return key.startswith("checksum/") or (key == _DIGESTS and _GUARD in siblings)
