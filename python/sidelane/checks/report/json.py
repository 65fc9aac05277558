"""A report as JSON."""

from __future__ import annotations

from sidelane.checks.findings import Report
from sidelane.support import json_writer


def render_json(report: Report) -> str:
    """Return the report as one JSON document."""
    return json_writer.dump(report.to_json())
