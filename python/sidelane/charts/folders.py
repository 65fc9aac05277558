"""Folders of charts, and the values files with which a chart is tested."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sidelane import kubeyaml
from sidelane.charts.files import file
from sidelane.charts.references import is_name, is_remote

#: The file of a chart's default values.
DEFAULTS: Final = "values.yaml"


def is_chart(folder: Path) -> bool:
    """Return whether a folder is a chart."""
    return (folder / "Chart.yaml").is_file()


def charts_in(reference: str) -> list[Path]:
    """Return the charts of a folder of charts, by name. A chart, and a reference that is no path, has none."""
    folder = Path(reference)
    if is_name(reference) or is_remote(reference) or not folder.is_dir() or is_chart(folder):
        return []
    return [path for path in sorted(folder.iterdir()) if is_chart(path)]


def values_files(chart: Path) -> list[Path]:
    """Return the files that chart-testing takes, too: ``ci/*-values.yaml``, by name; without any, values.yaml."""
    return sorted(chart.glob("ci/*-values.yaml")) or [chart / DEFAULTS]


def with_dependencies(chart: Path) -> Iterator[Path]:
    """Yield a chart's folder, and those of its dependencies in other folders (``file://``), with theirs."""
    waiting, seen = [chart.resolve()], set()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        yield folder
        waiting += [(folder / path).resolve() for path in _local(folder)]


def _local(chart: Path) -> Iterator[str]:
    """Yield the paths of a chart's dependencies that Chart.yaml gives as ``file://…``, relative to the chart."""
    text = file(chart, "Chart.yaml") if chart.is_dir() else None
    data = kubeyaml.read(text, source=f"{chart}/Chart.yaml") if text else None
    dependencies = data.get("dependencies") if isinstance(data, dict) else None
    for each in dependencies if isinstance(dependencies, list) else []:
        repository = each.get("repository") if isinstance(each, dict) else None
        if isinstance(repository, str) and repository.startswith("file://"):
            yield re.sub(r"^file://", "", repository)
