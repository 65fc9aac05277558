"""A report as YAML."""

from __future__ import annotations

from sidelane import kubeyaml
from sidelane.check import Report


def render_yaml(report: Report) -> str:
    """The report as one YAML document."""
    return kubeyaml.dump(report.to_json())
