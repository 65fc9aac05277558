"""A report as SARIF 2.1.0, for code scanning and editors.

The specification is https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. GitHub requires a place with a
line for each result, and matches results by the fingerprint ``primaryLocationLineHash``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from sidelane.checks.findings import Finding, Place, Report
from sidelane.checks.rules import RULES, Rule
from sidelane.manifest import Identity
from sidelane.support import json_writer
from sidelane.support.harmless import in_line
from sidelane.version import VERSION

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(report: Report) -> str:
    """Return the report as a SARIF log with one run."""
    rules = list(dict.fromkeys([*report.rules, *(finding.rule for finding in report.findings)]))
    results = [
        _result(finding, rules.index(finding.rule), fingerprint) for finding, fingerprint in report.fingerprinted()
    ]
    driver = {"name": "Sidelane", "semanticVersion": VERSION, "rules": list(_described(rules))}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json_writer.dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _described(ids: Iterable[str]) -> Iterable[dict[str, Any]]:
    known = {rule.id: rule for rule in RULES}
    for each in ids:
        yield _rule(known[each]) if each in known else {"id": each}


def _rule(rule: Rule) -> dict[str, Any]:
    origin = f"Origin: {rule.origin}."
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {
            "text": f"{rule.explanation}\n\nFix: {rule.remedy}.\n\n{origin}",
            "markdown": f"{rule.explanation}\n\n**Fix:** {rule.remedy}.\n\nWrong:\n\n```yaml\n{rule.wrong[0].strip()}\n"
            f"```\n\nRight:\n\n```yaml\n{rule.right[0].strip()}\n```\n\n{origin}",
        },
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["helm", "kubernetes"], "origin": rule.origin, "scope": rule.scope},
    }


def _result(finding: Finding, index: int, fingerprint: str) -> dict[str, Any]:
    field_path = f"{finding.path}: " if finding.path else ""
    other = finding.other
    related = {} if other is None else {"relatedLocations": [_location(other, other.identity, other.path)]}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": _text(f"{finding.identity}: {field_path}{finding.message}; {finding.remedy}")},
        "locations": [_location(finding, finding.identity, finding.path)],
        **related,
        **({} if finding.fix is None else {"properties": {"fix": _text(str(finding.fix))}}),
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "sidelaneFinding/v1": fingerprint},
    }


def _location(place: Finding | Place, identity: Identity, path: str) -> dict[str, Any]:
    name = in_line("/".join(filter(None, (identity.path, path))))
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": name, "kind": "object"}]}
    if place.source:
        artifact = {"uri": _uri(in_line(place.source))}
        location["physicalLocation"] = {"artifactLocation": artifact, "region": {"startLine": max(place.line, 1)}}
    return location


def _uri(source: str) -> str:
    """Return a path as a URI, which has no scheme or host of its own, whatever the path holds."""
    return f"file://{quote(source)}" if source.startswith("/") else quote(source)


def _text(text: str) -> str:
    """Return a message without links: a viewer shows ``[text](target)`` as one, and the text may be hostile."""
    return in_line(text).replace("](", "] (")
