"""Findings and reports: the result of a check, whatever made it and however it is written."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from sidelane.support.counting import counted
from sidelane.support.harmless import in_line

if TYPE_CHECKING:
    from pathlib import Path

    from sidelane.errors import SidelaneError
    from sidelane.manifest import Identity
    from sidelane.naming.lane import Lane

Severity = Literal["error", "warning"]


class Place(NamedTuple):
    """The place of a field: its object, and the template or input with the object's line, as in Finding."""

    source: str
    line: int
    identity: Identity
    path: str

    def to_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"object": self.identity.to_json(), "source": self.source, "line": self.line, "path": self.path}


class Fix(NamedTuple):
    """A change of the rendered object that removes a finding and is safe: the field gets this value.

    Nothing applies it to a chart: its template may make many objects, and the line that made this one is not known.
    """

    path: str
    value: str | bool

    def __str__(self) -> str:
        return in_line(f"set {self.path} to {json.dumps(self.value)}")

    def to_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"path": self.path, "value": self.value}


class Finding(NamedTuple):
    """One problem with its place and its remedy. Findings sort by place.

    ``source`` is the template, or the input's name; ``line`` is the object's line there, from 1, or 0 if it is not
    known; ``path`` is the field's path, empty for the whole object. ``other`` is the second place of a problem between
    two objects. ``lane`` is the lane of the object, as text; it may be empty. ``crash``: the rule itself failed; no
    exception and no baseline hides that. ``fix`` is a safe change, if there is one.
    """

    source: str
    line: int
    identity: Identity
    path: str
    rule: str
    severity: Severity
    message: str
    remedy: str
    other: Place | None = None
    lane: str = ""
    crash: bool = False
    fix: Fix | None = None

    def __str__(self) -> str:
        field_path = f" {self.path}" if self.path else ""
        source = f"{self.source}: " if self.source else ""
        return in_line(f"{source}{self.identity}{field_path}: {self.message}; {self.remedy} [{self.rule}]")

    @property
    def fingerprint(self) -> str:
        """Return 32 hexadecimal digits that stay the same from run to run.

        They do not depend on the lane, the namespace, the template, the line or the message. Two problems of one rule
        with one field have the same.
        """
        import hashlib  # noqa: PLC0415 - a clean report needs none

        _, kind, _, name = self.identity
        other = "" if self.other is None else self.other.identity.kind
        text = "\0".join((self.rule, self.identity.group, kind, *map(self._without_lane, (name, self.path)), other))
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]

    @property
    def place(self) -> str:
        """Return the object and the field, without the lane: ``Service zk-{lane} metadata.name``."""
        return self._without_lane(" ".join(filter(None, (str(self.identity), self.path))))

    def _without_lane(self, text: str) -> str:
        pattern = rf"(?<![a-z0-9]){re.escape(self.lane)}(?![a-z0-9])"
        return re.sub(pattern, "{lane}", text) if self.lane else text

    def to_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "fingerprint": self.fingerprint,
            "object": self.identity.to_json(),
            "source": self.source,
            "line": self.line,
            "path": self.path,
            "message": self.message,
            "remedy": self.remedy,
            **({} if self.other is None else {"other": self.other.to_json()}),
            **({} if self.fix is None else {"fix": self.fix.to_json()}),
        }


class Report(NamedTuple):
    """The findings of a check. ``lane`` is None if each object was checked against the lane in its own label.

    ``notes`` are sentences about the check itself, such as rules that did not run.
    """

    findings: tuple[Finding, ...]
    objects: int
    rules: tuple[str, ...]
    lane: Lane | None = None
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Return whether no finding is an error. Warnings do not count."""
        return not any(finding.severity == "error" for finding in self.findings)

    def fingerprinted(self) -> Iterator[tuple[Finding, str]]:
        """Yield each finding with a fingerprint that no other one has: that of the second equal one ends in ``:2``."""
        seen: Counter[str] = Counter()
        for finding in self.findings:
            fingerprint = finding.fingerprint
            seen[fingerprint] += 1
            yield finding, fingerprint if seen[fingerprint] == 1 else f"{fingerprint}:{seen[fingerprint]}"

    def to_json(self) -> dict[str, object]:
        """Return the JSON form."""
        lane = {} if self.lane is None else {"lane": str(self.lane)}
        return {
            "clean": self.clean,
            **lane,
            "objects": self.objects,
            "rules": list(self.rules),
            "findings": [finding.to_json() for finding in self.findings],
            **({"notes": list(self.notes)} if self.notes else {}),
        }


class Checks(NamedTuple):
    """The result of many checks.

    report: the findings of all, equal ones once; its notes name the charts and values files that have findings.
    charts: the folder of each chart, by the chart's name. failures: what could not be checked, with the error.
    """

    report: Report
    charts: Mapping[str, Path] = {}
    failures: tuple[tuple[str, SidelaneError], ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the JSON form: that of the report, and the failures."""
        failures = [{"chart": name, **error.to_json()} for name, error in self.failures]
        return {**self.report.to_json(), **({"failures": failures} if failures else {})}


def severities(findings: Iterable[Finding]) -> Iterator[tuple[Severity, str]]:
    """Yield each severity that findings have, with their number: ``2 errors``."""
    numbers = Counter(finding.severity for finding in findings)
    for severity in get_args(Severity):
        if numbers[severity]:
            yield severity, counted(numbers[severity], severity)
