"""Find charts by name, path or reference.

A plain name means a chart that ships with Sidelane. Anything else means the same as to Helm: a folder, a packaged
.tgz, ``repo/chart``, an ``oci://`` reference. Helm fetches the last two (sidelane.helm).
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from sidelane.charts.chart import Chart
from sidelane.charts.references import is_name
from sidelane.errors import ChartNotFound
from sidelane.support import carried


def bundled() -> tuple[Chart, ...]:
    """Return the charts that ship with Sidelane, by name, without library charts, which cannot be installed."""
    folder = _bundle()
    charts = (Chart.load(path.parent) for path in sorted(folder.glob("*/Chart.yaml")))
    return tuple(chart for chart in charts if chart.type == "application")


def is_bundled(chart: Chart) -> bool:
    """Return whether a chart ships with Sidelane, so that its name finds it."""
    return chart.path.resolve().parent == _bundle()


def find(reference: str | os.PathLike[str], *, version: str | None = None) -> Chart:
    """Find a chart on this machine: a bundled chart's name, a folder or a .tgz.

    ``version`` is Helm's ``--version``: exact or a range such as ``^0.1``; as in Helm, it does not apply to a path.
    Raises ChartNotFound.
    """
    text = os.fspath(reference)
    if len(text) > 4000 or any(len(part) > 255 for part in text.split("/")):  # longer than any system allows
        raise ChartNotFound(f"there is no chart {text[:60]!r}…", remedy="see `sidelane charts`")
    path = Path(text)
    if text and not is_name(text):
        if not path.exists():
            raise ChartNotFound(f"there is no chart at {text!r}", remedy="check the path, or see `sidelane charts`")
        return Chart.load(path)
    if text and (_bundle() / text / "Chart.yaml").is_file():
        return of_version(Chart.load(_bundle() / text), version)
    names = ", ".join(chart.name for chart in bundled())
    beside = "; for the folder of that name, write ./" + text if text and path.is_dir() else ""
    raise ChartNotFound(f"there is no chart {text!r}", remedy=f"the charts here are: {names}{beside}")


def of_version(chart: Chart, version: str | None) -> Chart:
    """Return the chart if it matches a version or a range, in Helm's syntax. Raises ChartNotFound."""
    try:
        fits = version is None or _satisfies(chart.version, version)
    except (ValueError, AttributeError, TypeError):  # also for a version that is not text
        raise ChartNotFound(
            f"{version!r} is not a chart version or a range of versions",
            remedy="write it such as '0.1.0', '^0.1' or '>=0.1.0, <2'",
        ) from None
    if not fits:
        raise ChartNotFound(
            f"the chart {chart.name} here is {chart.version}, not {version}",
            remedy="ask for another version, or give the chart's folder or repository",
        )
    return chart


def _satisfies(version: str, wanted: str) -> bool:
    from sidelane.charts.ranges import satisfies  # noqa: PLC0415 - few ask for a version

    return satisfies(version, wanted)


@functools.cache
def _bundle() -> Path:
    return carried.folder("charts")
