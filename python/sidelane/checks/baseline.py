"""Baselines: the findings that a chart had when its checks began, which do not fail the check.

The file is schemas/baseline.schema.json. It has no lines, messages or lanes, so it stays the same when other things
change, and it can be committed.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, NamedTuple

from sidelane.checks.findings import Report
from sidelane.errors import InvalidInput
from sidelane.support import files, json_writer
from sidelane.support.counting import counted

API_VERSION: Final = "sidelane.dev/v1alpha1"
KIND: Final = "Baseline"
#: The most bytes of a baseline that are read.
LIMIT: Final = 32 * 1024 * 1024


class Known(NamedTuple):
    """One finding of a baseline, with its object and field for people."""

    fingerprint: str
    rule: str
    place: str


def written(report: Report) -> str:
    """Return the text of a baseline with these findings, in an order of its own. A rule's crash is never known."""
    known = (finding for finding in report.findings if not finding.crash)
    findings = sorted(Known(finding.fingerprint, finding.rule, finding.place) for finding in known)
    findings.sort(key=lambda known: (known.place, known.rule))
    items = [known._asdict() for known in findings]
    return json_writer.dump({"apiVersion": API_VERSION, "kind": KIND, "findings": items})


def read(path: str) -> tuple[Known, ...]:
    """Read a baseline. Raises InvalidInput for a file that is not one."""
    try:
        content = files.bounded(path, LIMIT)
    except (OSError, ValueError) as error:
        raise InvalidInput.unreadable(path, error) from None
    try:
        data: Any = json.loads(content) if len(content) <= LIMIT else {}
        if (data["apiVersion"], data["kind"]) == (API_VERSION, KIND):
            return tuple(_known(item) for item in data["findings"])
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise InvalidInput(f"{path!r} is not a baseline", remedy="write one with `sidelane check … --write-baseline FILE`")


def without_known(report: Report, known: tuple[Known, ...], name: str) -> Report:
    """Return the report without the findings of the baseline, with notes about them, and about those that are gone.

    A baseline that has a finding once hides it once. name: the baseline's, for the notes.
    """
    left = Counter(each.fingerprint for each in known)
    new = []
    for finding in report.findings:
        if left[finding.fingerprint] > 0 and not finding.crash:
            left[finding.fingerprint] -= 1
        else:
            new.append(finding)
    hidden = len(report.findings) - len(new)
    notes = [f"{counted(hidden, 'finding')} known from {name}"] if hidden else []
    for each in known:
        if left[each.fingerprint] > 0:
            left[each.fingerprint] -= 1
            notes.append(f"gone since {name}: {each.place} [{each.rule}]")
    return report._replace(findings=tuple(new), notes=(*report.notes, *notes))


def _known(item: Any) -> Known:
    return Known(*(str(item[key]) for key in Known._fields))
