"""A report as JSON."""

from __future__ import annotations

from sidelane import json_writer
from sidelane.check import Report


def render_json(report: Report) -> str:
    """The report as one JSON document."""
    return json_writer.dump(report.to_json())
