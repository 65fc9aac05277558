"""A report as YAML."""

from __future__ import annotations

from sidelane.checks.findings import Report
from sidelane.kubeyaml.writer import dump


def render_yaml(report: Report) -> str:
    """Return the report as one YAML document."""
    return dump(report.to_json())
