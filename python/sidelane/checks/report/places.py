"""The files of findings: a template in Helm's words is a file of the repository that has the chart."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from sidelane.checks.findings import Finding, Place, Report
from sidelane.support import files

#: The most bytes of a template that are read; Helm's own limit for a file.
_LIMIT: Final = 5 * 1024 * 1024

_P = TypeVar("_P", Finding, Place)


def in_files(report: Report, charts: Mapping[str, Path]) -> Report:
    """Return the report with the templates' files, relative to the working directory, in place of Helm's names.

    charts: the folder of each chart, by the chart's name. The line is that of the object's ``kind:`` if only one line
    of the template has it, or else unknown. Templates that are not files there keep Helm's name.
    """
    if not charts:  # a manifest
        return report
    line = functools.cache(_line)
    findings = (
        _in_file(finding, charts, line)._replace(other=finding.other and _in_file(finding.other, charts, line))
        for finding in report.findings
    )
    return report._replace(findings=tuple(findings))


def _in_file(place: _P, charts: Mapping[str, Path], line: Callable[[Path, str], int]) -> _P:
    chart, _, template = place.source.partition("/")
    if chart not in charts or not template or ".." in template.split("/"):
        return place
    # Links are followed: git and its services know the file under its own path only.
    file = Path(os.path.realpath(charts[chart] / template))
    if not file.is_file():
        return place
    here = Path(os.path.realpath("."))
    source = file.relative_to(here) if file.is_relative_to(here) else file
    return place._replace(source=str(source), line=line(file, place.identity.kind))


def _line(file: Path, kind: str) -> int:
    text = files.bounded(file, _LIMIT).decode(errors="replace")
    pattern = re.compile(rf"\s*kind:\s*[\"']?{re.escape(kind)}[\"']?\s*(#.*)?")
    lines = [number for number, line in enumerate(text.split("\n"), 1) if pattern.fullmatch(line)]
    return lines[0] if len(lines) == 1 else 0
