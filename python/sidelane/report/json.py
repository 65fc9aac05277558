"""A report as JSON."""

from __future__ import annotations

import json

from sidelane.check import Report


def render_json(report: Report) -> str:
    """The report as one JSON document, indented."""
    return json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"
