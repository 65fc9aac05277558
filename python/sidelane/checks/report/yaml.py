"""A report as YAML."""

from __future__ import annotations

from sidelane.checks.findings import Report
from sidelane.kubeyaml.writer import dump
from sidelane.support.redaction import redacted


def render_yaml(report: Report) -> str:
    """Return the report as one YAML document."""
    return dump(redacted(report.to_json()))
