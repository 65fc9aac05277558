"""Findings and reports: the result of a check, whatever made it and however it is written."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sidelane.manifest import Identity
from sidelane.naming.lane import Lane
from sidelane.support.harmless import in_line

Severity = Literal["error", "warning"]


class Place(NamedTuple):
    """The place of a field: its object, and the template or input with the object's first line."""

    source: str
    line: int
    identity: Identity
    path: str

    def to_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"object": self.identity.to_json(), "source": self.source, "line": self.line, "path": self.path}


class Finding(NamedTuple):
    """One problem with its place and its remedy. Findings sort by place.

    ``source`` is the template, or the input's name; ``line`` is the object's first line in the input, from 1; ``path``
    is the field's path, empty for the whole object. ``other`` is the second place of a problem between two objects.
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

    def __str__(self) -> str:
        field_path = f" {self.path}" if self.path else ""
        return in_line(f"{self.source}: {self.identity}{field_path}: {self.message}; {self.remedy} [{self.rule}]")

    def to_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "object": self.identity.to_json(),
            "source": self.source,
            "line": self.line,
            "path": self.path,
            "message": self.message,
            "remedy": self.remedy,
            **({} if self.other is None else {"other": self.other.to_json()}),
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
