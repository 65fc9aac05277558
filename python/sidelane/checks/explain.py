"""The explanation of a rule, for people and programs."""

from __future__ import annotations

import difflib

from sidelane.checks.rules import RULES, Rule
from sidelane.errors import InvalidInput

_SCOPES = {
    "lanes": "objects that have a lane",
    "all": "all charts",
    "practice": "charts with lanes; others if sidelane.yaml sets its severity",
    "asked": "charts whose sidelane.yaml sets its severity",
}


def find(rule_id: str) -> Rule:
    """Return a rule. Raises InvalidInput with the nearest name for an unknown one."""
    known = {rule.id: rule for rule in RULES}
    if rule_id in known:
        return known[rule_id]
    near = difflib.get_close_matches(rule_id[:100], known, n=1)
    remedy = f"did you mean {near[0]}?" if near else "`sidelane explain` lists all rules"
    raise InvalidInput(f"{rule_id!r} is not a rule", remedy=remedy)


def text(rule: Rule) -> str:
    """Return the explanation as text of at most 80 columns; examples keep their lines."""
    import textwrap  # noqa: PLC0415 - only this command needs it

    lines = [f"{rule.id}: {rule.title}", "", *textwrap.wrap(rule.explanation, 80, break_on_hyphens=False), ""]
    facts = {"severity": rule.severity, "for": _SCOPES[rule.scope], "origin": rule.origin, "remedy": rule.remedy}
    for key, value in facts.items():
        lines += textwrap.wrap(f"{key + ':':10}{value}", 80, subsequent_indent=" " * 10, break_on_hyphens=False)
    for title, example in (("wrong", rule.wrong[0]), ("right", rule.right[0])):
        lines += ["", f"{title}:", *(f"  {line}".rstrip() for line in example.strip().splitlines())]
    return "\n".join(lines)


def to_json(rule: Rule) -> dict[str, object]:
    """Return the JSON form, with every example."""
    return {
        "id": rule.id,
        "title": rule.title,
        "explanation": rule.explanation,
        "remedy": rule.remedy,
        "severity": rule.severity,
        "scope": rule.scope,
        "origin": rule.origin,
        "wrong": list(rule.wrong),
        "right": list(rule.right),
    }
