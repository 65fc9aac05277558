"""A report for people: one block per object, within 80 columns unless names are longer."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable
from itertools import groupby
from typing import Final

from sidelane.checks.findings import Finding, Report, severities
from sidelane.support.counting import counted
from sidelane.support.harmless import in_line

_WIDTH: Final = 80
_COLOURS: Final = {"error": "31", "warning": "33", "ok": "32"}


def render_text(report: Report, *, colour: bool = False) -> str:
    """Return the findings by object, and a summary line. ``colour`` adds terminal codes.

    ::

        charts/pipeline/templates/service.yaml:2: Service zk
          error    metadata.name: the name 'zk' does not end in '-coco-1'
                   → name it <component>-<Version>-<Build> [lane-suffix]

        12 objects, 6 rules: 1 error
    """
    lines = functools.cache(functools.partial(_lines, colour=colour))  # many objects have the same findings
    blocks = [_block([*findings], lines) for _, findings in groupby(report.findings, _place)]
    notes = "\n".join(line for note in report.notes for line in _wrapped(in_line(note), width=_WIDTH))
    return "\n\n".join(filter(None, [*blocks, notes, summary(report, colour=colour)])) + "\n"


def _place(finding: Finding) -> tuple[object, ...]:
    return finding.source, finding.line, finding.identity


def _block(findings: list[Finding], lines: Callable[..., str]) -> str:
    first = findings[0]
    source = f"{first.source}:{first.line}" if first.source and first.line else first.source
    title = in_line(": ".join(filter(None, (source, str(first.identity)))))
    return "\n".join(
        [title, *(lines(each.severity, each.path, each.message, each.remedy, each.rule) for each in findings)]
    )


def _lines(severity: str, path: str, message: str, remedy: str, rule: str, *, colour: bool) -> str:
    """Return the lines of a finding, without its object."""
    said = _wrapped(in_line(": ".join(filter(None, (path, message)))))
    advised = _wrapped(in_line(f"{remedy} [{rule}]"), first="→ ")
    title = f"  {_painted(f'{severity:<8}', severity, colour)} {said[0]}"
    return "\n".join([title, *(f"{'':11}{line}" for line in (*said[1:], *advised))])


def _wrapped(text: str, first: str = "", width: int = _WIDTH - 11) -> list[str]:
    # Paths and names are not split, so that they can be copied.
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(report: Report, *, colour: bool = False) -> str:
    """Return the numbers of objects, rules and findings in one line."""
    counts = [_painted(text, severity, colour) for severity, text in severities(report.findings)]
    lane = f" in lane {report.lane}" if report.lane else ""
    scope = f"{counted(report.objects, 'object')}{lane}, {counted(len(report.rules), 'rule')}"
    return f"{scope}: {', '.join(counts) or _painted('clean', 'ok', colour)}"


def _painted(text: str, style: str, colour: bool) -> str:
    return f"\033[{_COLOURS[style]}m{text}\033[0m" if colour else text
