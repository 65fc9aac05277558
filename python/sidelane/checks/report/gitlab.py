"""A report for GitLab's code quality widget: https://docs.gitlab.com/ci/testing/code_quality/."""

from __future__ import annotations

from typing import Final

from sidelane.checks.findings import Report
from sidelane.support import json_writer
from sidelane.support.harmless import in_line

_SEVERITIES: Final = {"error": "major", "warning": "minor"}


def render_gitlab(report: Report) -> str:
    """Return a JSON list with an item for each finding."""
    return json_writer.dump(
        [
            {
                "description": str(finding),
                "check_name": finding.rule,
                "fingerprint": fingerprint,
                "severity": _SEVERITIES[finding.severity],
                "location": {"path": in_line(finding.source), "lines": {"begin": max(finding.line, 1)}},
            }
            for finding, fingerprint in report.fingerprinted()
        ]
    )
