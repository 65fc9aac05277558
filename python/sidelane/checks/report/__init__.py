"""A report as text, JSON or YAML: one format per file, and their registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sidelane.checks.findings import Report
from sidelane.checks.report.json import render_json
from sidelane.checks.report.text import render_text
from sidelane.checks.report.yaml import render_yaml
from sidelane.errors import InvalidInput

__all__ = ["FORMATS", "render", "render_text"]

FORMATS: Final[dict[str, Callable[[Report], str]]] = {"text": render_text, "json": render_json, "yaml": render_yaml}


def render(report: Report, format: str = "text") -> str:  # noqa: A002 - the word that `-o` has everywhere
    """Return the report in one of FORMATS, ending in a newline. Raises InvalidInput for another format."""
    if format not in FORMATS:
        raise InvalidInput(f"{format!r} is not a report format", remedy=f"choose one of {', '.join(FORMATS)}")
    return FORMATS[format](report)
