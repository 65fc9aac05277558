"""The engine: runs all rules on a manifest and collects a report."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sidelane.checks.findings import Finding, Report
from sidelane.checks.rules import RULES, Context, Rule
from sidelane.manifest import Identity, Manifest, Object
from sidelane.naming.lane import Lane

__all__ = ["check"]

_EVERYTHING: Final = Identity("", "Manifest", "", "as a whole")


def check(
    manifest: Manifest, *, lane: Lane | None = None, whole: bool = False, rules: Sequence[Rule] = RULES
) -> Report:
    """Check every object against every rule.

    Without a lane, each object is checked against the lane in its own label; a missing label is a finding. ``whole``:
    the manifest is its complete lanes, not one release of several. A rule that crashes is an error in the report.
    """
    context = Context(manifest, lane, whole)
    findings = sorted(finding for rule in rules for finding in _run(rule, context))
    return Report(tuple(findings), len(manifest.objects), tuple(rule.id for rule in rules), lane)


def _run(rule: Rule, context: Context) -> Iterator[Finding]:
    try:
        yield from rule.run(context)
    except Exception as error:  # noqa: BLE001 - a crash must never give a clean report
        yield _crash(rule, _culprit(rule, context), error)


def _culprit(rule: Rule, context: Context) -> Object | None:
    """Return the object that makes the rule crash on its own, or None if only several objects do."""
    for obj in context.manifest.objects:
        try:
            list(rule.run(Context(Manifest((obj,)), context.lane, context.whole)))
        except Exception:  # noqa: BLE001 - the crash that this function looks for
            return obj
    return None


def _crash(rule: Rule, obj: Object | None, error: Exception) -> Finding:
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
    )
