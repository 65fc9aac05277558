"""Places in the repository for messages: a template's path, and the line of an object in it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sidelane.charts.chart import Chart
from sidelane.manifest import Object


def located(chart: Chart, obj: Object) -> str:
    """Return an object's template: ``charts/demo/templates/service.yaml:1``.

    Helm does not tell lines. The line is that of the object's kind, if the template has one such line.
    """
    file = template_file(chart, obj.source)
    if file is None:
        return obj.source
    pattern = re.compile(rf"^kind:\s*[\"']?{re.escape(obj.kind)}[\"']?\s*$")
    try:
        lines = [number for number, line in enumerate(file.read_text().splitlines(), 1) if pattern.match(line)]
    except (OSError, ValueError):
        lines = []
    return f"{shown(file)}:{lines[0]}" if len(lines) == 1 else shown(file)


def template_file(chart: Chart, source: str) -> Path | None:
    """Return the file of a template that Helm names ``demo/templates/service.yaml``; None if the chart is a package."""
    file = chart.path / source.partition("/")[2]
    return file if "/" in source and file.is_file() else None


def shown(path: Path) -> str:
    """Return a path relative to the current folder, if it is below it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
