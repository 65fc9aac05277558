"""The proof: two renderings compared by every kind of clash."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sidelane.checks.findings import Finding, Report
from sidelane.checks.side_by_side import CLASHES
from sidelane.checks.side_by_side.clash import Clash, Side, Touch, sides
from sidelane.manifest import Identity, Manifest

_EVERYTHING: Final = Identity("", "Manifest", "", "as a whole")
# A place in a chart, whatever the release: the clash, and template, kind, number and path of both objects.
_Key = tuple[object, ...]


class Pair(NamedTuple):
    """Two renderings of a chart. ``differs`` is what sets them apart, for people: ``two Builds``."""

    differs: str
    first: Manifest
    second: Manifest


def prove(first: Manifest, second: Manifest) -> tuple[Finding, ...]:
    """Return every clash between two renderings. Their objects must have the namespaces of their releases.

    A clash that both renderings have in the same place of the chart is one finding. A clash's function that crashes is
    an error in the result.
    """
    return tuple(sorted(_keyed(first, second).values()))


def report(pairs: Sequence[Pair]) -> Report:
    """Return the clashes of all pairs. A clash that not every pair has says which ones have it."""
    found: dict[_Key, tuple[Finding, list[str]]] = {}
    for pair in pairs:
        for key, finding in _keyed(pair.first, pair.second).items():
            found.setdefault(key, (finding, []))[1].append(pair.differs)
    findings = sorted(_told(finding, differs, len(pairs)) for finding, differs in found.values())
    rendered = {id(manifest): manifest for pair in pairs for manifest in (pair.first, pair.second)}
    objects = sum(len(manifest.objects) for manifest in rendered.values())
    return Report(tuple(findings), objects, tuple(clash.id for clash in CLASHES))


def _told(finding: Finding, differs: Sequence[str], pairs: int) -> Finding:
    if len(differs) == pairs:
        return finding
    return finding._replace(message=f"{finding.message} ({', '.join(differs)})")


def _keyed(first: Manifest, second: Manifest) -> dict[_Key, Finding]:
    """Return the clashes by their places in the chart."""
    mine, theirs = sides(first, second)
    found: dict[_Key, Finding] = {}
    for clash in CLASHES:
        for a, b in ((mine, theirs), (theirs, mine)) if clash.both_ways else ((mine, theirs),):
            try:
                for touch in clash.find(a, b):
                    found.setdefault(_key(clash, touch, a, b), clash.finding(touch))
            except Exception as error:  # noqa: BLE001 - a crash must never give a clean report
                found.setdefault((clash.id, "crash"), _crash(clash, error))
    return found


def _key(clash: Clash, touch: Touch, a: Side, b: Side) -> _Key:
    return (clash.id, a.ordinals[id(touch.obj)], touch.path, b.ordinals[id(touch.other)], touch.other_path)


def _crash(clash: Clash, error: Exception) -> Finding:
    # The place of the crash, but not the error's text, which may hold values of a Secret.
    place = traceback.extract_tb(error.__traceback__)[-1]
    return Finding(
        source="",
        line=0,
        identity=_EVERYTHING,
        path="",
        rule=clash.id,
        severity="error",
        message=f"the comparison failed with {type(error).__name__} at {Path(place.filename).name}:{place.lineno}",
        remedy="report this bug; until it is fixed, these clashes are not found",
    )
