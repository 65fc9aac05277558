"""A report for GitHub Actions: annotations as workflow commands, and the summary of the job.

A workflow command is a line of output that the runner obeys. Its syntax is
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
"""

from __future__ import annotations

import html
from typing import Final

from sidelane.checks.findings import Finding, Report
from sidelane.checks.report.text import render_text, summary
from sidelane.support.harmless import in_line

#: GitHub refuses a summary of more than 1 MiB; the rest leaves room for other steps.
SUMMARY_LIMIT: Final = 500_000


def render_github(report: Report) -> str:
    """Return one annotation for each finding, and the summary line."""
    return "\n".join([*map(_annotation, report.findings), *map(_data, report.notes), _data(summary(report))]) + "\n"


def render_github_summary(report: Report) -> str:
    """Return the report for the file that GITHUB_STEP_SUMMARY names, in Markdown.

    The text is in a ``<pre>`` block, where Markdown has no meaning.
    """
    text = html.escape(render_text(report))
    if len(text) > SUMMARY_LIMIT:
        text = text[:SUMMARY_LIMIT].rpartition("\n")[0] + "\n…\n"
    return f"### Sidelane: {html.escape(summary(report))}\n\n<pre>\n{text}</pre>\n\n"


def _annotation(finding: Finding) -> str:
    properties = {
        "file": finding.source,
        "line": str(finding.line or 1),
        "title": f"{finding.identity} [{finding.rule}]",
    }
    if not finding.source:
        del properties["file"], properties["line"]
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = ": ".join(filter(None, (finding.path, finding.message)))
    return f"::{finding.severity} {given}::{_data(f'{message}; {finding.remedy}')}"


def _data(text: str) -> str:
    return in_line(text).replace("%", "%25")  # in_line escapes line breaks


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
