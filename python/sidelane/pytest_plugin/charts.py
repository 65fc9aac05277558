"""The charts to test, and their values files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sidelane.charts.chart import Chart
from sidelane.charts.folders import is_chart
from sidelane.errors import ChartNotFound
from sidelane.helm.executable import find


def roots(config: pytest.Config) -> list[Path]:
    """Return the paths of ``--sidelane-charts`` and of the setting. Raises UsageError for a missing one."""
    given = [Path(config.invocation_params.dir, path) for path in config.getoption("sidelane_charts")]
    paths = [Path(os.path.normpath(path)) for path in (*given, *config.getini("sidelane_charts"))]
    for path in paths:
        if not path.is_dir():
            raise pytest.UsageError(
                f"--sidelane-charts: {str(path)!r} is not a folder; give a chart's folder, or a folder of charts"
            )
    return paths


def helm(config: pytest.Config) -> str:
    """Return the Helm of ``--sidelane-helm``, or else the helm on PATH, or that of ``sidelane[helm]``."""
    return str(config.getoption("sidelane_helm")) or find()


def chart_at(root: Path, reference: str | os.PathLike[str]) -> Chart:
    """Return the chart at a path relative to a folder. Raises ChartNotFound."""
    path = root / reference
    if not path.exists():
        raise ChartNotFound(
            f"there is no chart at {str(path)!r}", remedy="check the path; it is relative to pytest's root"
        )
    return Chart.load(path)


def under_test(config: pytest.Config, file: Path) -> Path:
    """Return the chart that a test's file belongs to, or the only one of ``--sidelane-charts``. Raises UsageError."""
    for folder in file.parents:
        if is_chart(folder):
            return folder
        if folder == config.rootpath:
            break
    charts = [folder for root in roots(config) for folder in (root, *sorted(root.glob("*"))) if is_chart(folder)]
    if len(charts) == 1:
        return charts[0]
    raise pytest.UsageError(
        f"the chart of {file.name} is unknown: {len(charts)} charts are given; "
        "override the fixture `chart`, or name the chart in the call: render('charts/demo')"
    )
