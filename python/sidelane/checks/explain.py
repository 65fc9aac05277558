"""The explanation of a rule, or of a clash of two releases, for people and programs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sidelane.checks.rules import RULES, Rule
from sidelane.checks.side_by_side import CLASHES, Clash
from sidelane.errors import InvalidInput

_SCOPES = {
    "lanes": "objects that have a lane",
    "all": "all charts",
    "practice": "charts with lanes; others if sidelane.yaml sets its severity",
    "asked": "charts whose sidelane.yaml sets its severity",
}


#: Every rule, and every clash of the proof, in the order of reports.
ALL: tuple[Rule | Clash, ...] = (*RULES, *CLASHES)


def find(rule_id: str) -> Rule | Clash:
    """Return a rule or a clash. Raises InvalidInput with the nearest name for an unknown one."""
    for rule in ALL:
        if rule.id == rule_id:
            return rule
    raise InvalidInput(f"{rule_id!r} is not a rule", remedy=_near(rule_id))


def unknown(rule_id: str) -> str:
    """Return a sentence with the nearest name for an unknown rule; empty for a known one."""
    known = any(rule.id == rule_id for rule in ALL)
    return "" if known else f"{rule_id[:100]!r} is not a rule; {_near(rule_id)}"


def _near(rule_id: str) -> str:
    near = difflib.get_close_matches(rule_id[:100], [rule.id for rule in ALL], n=1)
    return f"did you mean {near[0]}?" if near else "`sidelane explain` lists all rules"


def text(rule: Rule | Clash) -> str:
    """Return the explanation as text of at most 80 columns; examples keep their lines."""
    import textwrap  # noqa: PLC0415 - only this command needs it

    lines = [f"{rule.id}: {rule.title}", "", *textwrap.wrap(rule.explanation, 80, break_on_hyphens=False), ""]
    facts = {"severity": rule.severity, "for": _scope(rule), "origin": rule.origin, "remedy": rule.remedy}
    if isinstance(rule, Rule) and rule.fix:
        facts["safe fix"] = rule.fix
    for key, value in facts.items():
        lines += textwrap.wrap(f"{key + ':':10}{value}", 80, subsequent_indent=" " * 10, break_on_hyphens=False)
    for title, example in (("wrong", rule.wrong[0]), ("right", rule.right[0])):
        lines += ["", f"{title}:", *(f"  {line}".rstrip() for line in _shown(example).splitlines())]
    return "\n".join(lines)


def _scope(rule: Rule | Clash) -> str:
    return _SCOPES[rule.scope] if isinstance(rule, Rule) else "two releases, with --side-by-side"


def _shown(example: str | Sequence[str]) -> str:
    """Return an example; of a clash, one object of each release."""
    if isinstance(example, str):
        return example.strip()
    both = zip(("first", "second"), example, strict=True)
    return "\n".join(f"# the {which} release\n{content.strip()}" for which, content in both)


def to_json(rule: Rule | Clash) -> dict[str, object]:
    """Return the JSON form, with every example; those of a clash are pairs of texts."""
    return {
        "id": rule.id,
        "title": rule.title,
        "explanation": rule.explanation,
        "remedy": rule.remedy,
        "severity": rule.severity,
        "scope": rule.scope if isinstance(rule, Rule) else "side-by-side",
        "origin": rule.origin,
        **({"fix": rule.fix} if isinstance(rule, Rule) and rule.fix else {}),
        "wrong": list(rule.wrong),
        "right": list(rule.right),
    }
