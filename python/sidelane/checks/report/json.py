"""A report as JSON."""

from __future__ import annotations

from sidelane.checks.findings import Report
from sidelane.support import json_writer
from sidelane.support.redaction import redacted


def render_json(report: Report) -> str:
    """Return the report as one JSON document."""
    return json_writer.dump(redacted(report.to_json()))
