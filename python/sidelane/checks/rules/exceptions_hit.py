"""Every exception is needed, has a reason, and has not ended. The engine finds those that don't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sidelane.checks.conventions import Conventions
from sidelane.checks.conventions.exceptions import Useless
from sidelane.checks.findings import Finding
from sidelane.checks.rules.rule import Rule

_OBJECT: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: zk-2-coco-1
  labels:
    app: zk-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
  annotations:
    except.sidelane.dev/text-fields: {reason}
data: {{limit: {limit}}}
"""

RULE: Final[Rule] = Rule(
    id="exceptions-hit",
    title="Every exception is needed, has a reason and has not ended",
    explanation=(
        "An exception whose finding is gone would hide the next one. So an exception that matches no finding is a "
        "finding itself, and so is one that has no reason or names no rule. After its last day an exception does not "
        "hold any more. An exception is an entry of the conventions file, or the annotation except.sidelane.dev/<rule> "
        "of the object, "
        "with the reason as its value, such as `until 2027-01-31: the vendor's name`."
    ),
    remedy="remove it",
    wrong=(_OBJECT.format(reason="a number is enough", limit='"1"'),),
    right=(_OBJECT.format(reason="a number is enough", limit="1"),),
    check=lambda _context: (),
    origin="Sidelane's conventions file",
    scope="all",
    severity="warning",
)


def findings_of(useless: Iterable[Useless], conventions: Conventions) -> Iterator[Finding]:
    """Yield a finding for each useless exception, unless the rule is off."""
    severity = conventions.severity_of(RULE.id, RULE.severity)
    if severity != "off":
        for source, line, identity, path, message, remedy in useless:
            yield Finding(source, line, identity, path, RULE.id, severity, message, remedy)
