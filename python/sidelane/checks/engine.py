"""The engine: runs the rules on a manifest, by the conventions, and collects a report."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sidelane.checks.conventions import Conventions, preset
from sidelane.checks.conventions.exceptions import apply
from sidelane.checks.findings import Finding, Report
from sidelane.checks.rules import RULES, Context, Rule, exceptions_hit, kubernetes_schemas
from sidelane.manifest import Identity, Manifest, Object
from sidelane.naming import labels
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane

__all__ = ["applies", "check"]

#: The number of objects from which a second process saves more time than it takes.
_MANY: Final = 300
_EVERYTHING: Final = Identity("", "Manifest", "", "as a whole")
_TESTS: Final = frozenset({"test", "test-success"})
_NO_LANES: Final = (
    "No object has a lane, so the rules of lanes did not run: see --lane, and --preset helm for charts without lanes."
)


def check(
    manifest: Manifest,
    *,
    conventions: Conventions | None = None,
    lane: Lane | None = None,
    release: str = "",
    whole: bool = False,
    again: Manifest | None = None,
    rules: Sequence[Rule] = RULES,
    divided: bool = False,
) -> Report:
    """Check every object against every rule.

    conventions: by default the preset ``sidelane``, for manifests that have lanes. Without a lane, each object is
    checked against the lane in its own label; a missing label is a finding. release: the Helm release's name, if it is
    known. ``whole``: the manifest is its complete lanes, not one release of several. again: a
    second rendering of the same, which must be equal. divided: a forked process may run a part of the rules on a large
    manifest. A rule that crashes is an error in the report.
    """
    conventions = conventions or preset("sidelane")
    context = Context(manifest, conventions, lane if conventions.has_lanes else None, whole, release, again)
    lanes = conventions.has_lanes and (lane is not None or conventions.demanded or _shows_lanes(context))
    running = [rule for rule in _set(rules, conventions) if applies(rule, conventions, lanes=lanes)]
    results = _results(running, context, divided=divided and len(manifest.objects) >= _MANY)
    collected = [finding for findings, _ in results for finding in findings]
    crashes = [crash for _, crash in results if crash]
    ran = tuple(rule.id for rule in running)
    remaining, useless = apply(collected, manifest, conventions, ran)
    hits = exceptions_hit.findings_of(useless, conventions) if exceptions_hit.RULE.id in ran else ()
    findings = sorted((*crashes, *remaining, *hits))
    notes = [] if lanes or not conventions.has_lanes or not manifest.objects else [_NO_LANES]
    if kubernetes_schemas.RULE.id in ran and not any(crash.rule == kubernetes_schemas.RULE.id for crash in crashes):
        notes += kubernetes_schemas.unknown(context)
    return Report(tuple(findings), len(manifest.objects), ran, lane, tuple(notes))


def _set(rules: Sequence[Rule], conventions: Conventions) -> Iterator[Rule]:
    """Yield the rules that are not off, with the conventions' severities."""
    for rule in rules:
        severity = conventions.severity_of(rule.id, rule.severity)
        if severity != "off":
            yield rule._replace(severity=severity)


def applies(rule: Rule, conventions: Conventions, *, lanes: bool) -> bool:
    """Return whether a rule runs on a manifest with or without lanes."""
    by_itself = rule.scope == "all" or (lanes and rule.scope in {"lanes", "practice"})
    return by_itself or (rule.scope != "lanes" and rule.id in conventions.rules)


def _shows_lanes(context: Context) -> bool:
    """Return whether an object has a lane's label, or all names end in the same lane."""
    keys = {labels.VERSION, labels.BUILD, labels.LANE, context.conventions.lane_label}
    if any(not keys.isdisjoint(obj.labels) for obj in context.manifest.objects):
        return True
    named = {parsed and parsed[1] for parsed in (parse_name(obj.name) for obj in context.manifest.objects)}
    return len(named) == 1 and None not in named


class _Result(NamedTuple):
    """The findings of a rule, and the finding of its crash. No exception applies to a crash."""

    findings: list[Finding]
    crash: Finding | None = None


def _results(rules: Sequence[Rule], context: Context, *, divided: bool) -> Sequence[_Result]:
    """Run the rules. divided: a forked process runs some of them."""
    if not divided:
        return [_run(rule, context) for rule in rules]
    from sidelane.support import forked  # noqa: PLC0415 - few manifests are large

    # This process runs the first, and the schemas of that rule are needed here again.
    ordered = sorted(rules, key=lambda rule: rule.id != kubernetes_schemas.RULE.id)
    return forked.Division([functools.partial(_run, rule, context) for rule in ordered]).results()


def _run(rule: Rule, context: Context) -> _Result:
    tests = (
        () if rule.tests else {obj.identity for obj in context.manifest.objects if obj.hooks and _TESTS & {*obj.hooks}}
    )
    findings: list[Finding] = []
    try:
        findings.extend(finding for finding in rule.run(context) if finding.identity not in tests)
    except Exception as error:  # noqa: BLE001 - a crash must never give a clean report
        return _Result(findings, _crash(rule, _culprit(rule, context), error))
    return _Result(findings)


def _culprit(rule: Rule, context: Context) -> Object | None:
    """Return the object that makes the rule crash on its own, or None if only several objects do."""
    for obj in context.manifest.objects:
        try:
            list(rule.run(context._replace(manifest=Manifest((obj,)))))
        except Exception:  # noqa: BLE001 - the crash that this function looks for
            return obj
    return None


def _crash(rule: Rule, obj: Object | None, error: Exception) -> Finding:
    import traceback  # noqa: PLC0415 - rules seldom crash

    # The place of the crash, but not the error's text, which may hold values of a Secret.
    place = traceback.extract_tb(error.__traceback__)[-1]
    return Finding(
        source=obj.source if obj else "",
        line=obj.line if obj else 0,
        identity=obj.identity if obj else _EVERYTHING,
        path="",
        rule=rule.id,
        severity="error",
        message=f"the rule failed with {type(error).__name__} at {Path(place.filename).name}:{place.lineno}",
        remedy="report this bug; until it is fixed, the rule checks nothing",
        crash=True,
    )
