"""The proof: two renderings compared by every kind of clash."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sidelane.checks.conventions import Conventions, preset
from sidelane.checks.conventions.exceptions import apply
from sidelane.checks.findings import Finding, Report
from sidelane.checks.rules import exceptions_hit
from sidelane.checks.side_by_side import CLASHES
from sidelane.checks.side_by_side.clash import Clash, Side, Touch, sides
from sidelane.manifest import Identity, Manifest

_EVERYTHING: Final = Identity("", "Manifest", "", "as a whole")
_CRASH: Final = "crash"
# A place in a chart, whatever the release: the clash, and template, kind, number and path of both objects.
_Key = tuple[object, ...]


class Pair(NamedTuple):
    """Two renderings of a chart. ``differs`` is what sets them apart, for people: ``two Builds``. ``lanes`` are those
    of the two releases, as text.
    """

    differs: str
    first: Manifest
    second: Manifest
    lanes: tuple[str, str] = ("", "")


def prove(first: Manifest, second: Manifest) -> tuple[Finding, ...]:
    """Return every clash between two renderings. Their objects must have the namespaces of their releases.

    A clash that both renderings have in the same place of the chart is one finding. A clash's function that crashes is
    an error in the result.
    """
    return tuple(sorted(_keyed(Pair("", first, second)).values()))


def report(pairs: Sequence[Pair], conventions: Conventions | None = None) -> Report:
    """Return the clashes of all pairs. A clash that not every pair has says which ones have it.

    conventions: their severities, exceptions and left-out objects apply; None for the preset ``sidelane``.
    """
    own = conventions or preset("sidelane")
    merged: dict[_Key, tuple[Finding, list[str]]] = {}
    for pair in pairs:
        for key, finding in _keyed(pair).items():
            merged.setdefault(key, (finding, []))[1].append(pair.differs)
    rendered = {id(manifest): manifest for pair in pairs for manifest in (pair.first, pair.second)}
    objects = tuple(obj for manifest in rendered.values() for obj in manifest.objects)
    ran = tuple(clash.id for clash in CLASHES if own.severity_of(clash.id) != "off")
    crashes = [finding for key, (finding, _) in merged.items() if key[1] == _CRASH]
    lines = (_told(finding, differs, len(pairs)) for key, (finding, differs) in merged.items() if key[1] != _CRASH)
    applied = apply(_weighed(lines, own), Manifest(objects), own, ran, several=True)
    findings = sorted((*crashes, *applied.findings, *exceptions_hit.findings_of(applied.useless, own)))
    return Report(tuple(findings), len(objects), ran)


def _weighed(findings: Iterable[Finding], conventions: Conventions) -> Iterator[Finding]:
    """Yield the findings with the conventions' severities, without those of clashes that are off."""
    for finding in findings:
        severity = conventions.severity_of(finding.rule, finding.severity)
        if severity != "off":
            yield finding._replace(severity=severity)


def _told(finding: Finding, differs: Sequence[str], pairs: int) -> Finding:
    if len(differs) == pairs:
        return finding
    return finding._replace(message=f"{finding.message} ({', '.join(differs)})")


def _keyed(pair: Pair) -> dict[_Key, Finding]:
    """Return the clashes by their places in the chart."""
    mine, theirs = sides(pair.first, pair.second, pair.lanes)
    by_key: dict[_Key, Finding] = {}
    for clash in CLASHES:
        for a, b in ((mine, theirs), (theirs, mine)) if clash.both_ways else ((mine, theirs),):
            try:
                for touch in clash.find(a, b):
                    by_key.setdefault(_key(clash, touch, a, b), clash.finding(touch, a.lane))
            except Exception as error:  # noqa: BLE001 - a crash must never give a clean report
                by_key.setdefault((clash.id, _CRASH), _crash(clash, error))
    return by_key


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
