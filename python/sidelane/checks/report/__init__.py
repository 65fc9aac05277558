"""A report as text or data: one format per file, and their registry."""

from __future__ import annotations

import importlib
from typing import Final, cast

from sidelane.checks.findings import Report
from sidelane.checks.report.text import render_text
from sidelane.errors import InvalidInput

__all__ = ["FORMATS", "render", "render_text"]

#: format → its purpose. The module of the same name, without what follows a dash, has the function.
FORMATS: Final[dict[str, str]] = {
    "text": "for people",
    "json": "for programs; schemas/report.schema.json describes it",
    "yaml": "the same as YAML",
    "junit": "for test reports",
    "sarif": "SARIF 2.1.0, for code scanning",
    "github": "annotations and the job's summary in GitHub Actions",
    "github-summary": "the summary alone, in Markdown",
    "gitlab": "for GitLab's code quality",
}


def render(report: Report, format: str = "text") -> str:  # noqa: A002 - the word that `-o` has everywhere
    """Return the report in one of FORMATS, ending in a newline. Raises InvalidInput for another format."""
    if format not in FORMATS:
        raise InvalidInput(f"{format!r} is not a report format", remedy=f"choose one of {', '.join(FORMATS)}")
    module = importlib.import_module(f"{__name__}.{format.partition('-')[0]}")
    return cast("str", getattr(module, f"render_{format.replace('-', '_')}")(report))
