"""Check a chart without installing it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from sidelane.charts import sources
from sidelane.charts.chart import Chart
from sidelane.charts.rendering import PlainRendering, Renderer
from sidelane.charts.values import LaneKeys, accepted, knows_lanes
from sidelane.checks import conventions
from sidelane.checks.conventions import Conventions
from sidelane.checks.engine import check
from sidelane.checks.findings import Report
from sidelane.errors import InvalidInput
from sidelane.naming.lane import Lane


class Wanted(NamedTuple):
    """The conventions that a caller wants: a file or a preset by its name, and keys for the lane.

    installation: those that an installation holds the chart to. fetched: the chart has no folders of the user's above.
    """

    given: str | os.PathLike[str] | None = None
    version_key: str | None = None
    build_key: str | None = None
    installation: bool = False
    fetched: bool = False

    def of(self, chart: Chart) -> Conventions:
        """Returns the conventions of a chart. Raises as conventions.read does."""
        own = self._of(chart)
        return own._replace(version_key=self.version_key or own.version_key, build_key=self.build_key or own.build_key)

    def _of(self, chart: Chart) -> Conventions:
        if self.installation:
            return of_installation(chart)
        if self.given is not None:
            return named(self.given)
        if sources.is_bundled(chart) or self.fetched:
            return _inside(chart) or conventions.preset("sidelane")
        return _inside(chart) or conventions.find(chart.path)


def of_installation(chart: Chart) -> Conventions:
    """Returns the conventions that an installation holds a chart to: those of the chart's own ``sidelane.yaml``, which
    the chart's digest covers, or else the naming contract without exceptions.

    No file elsewhere counts, and none for a chart that ships with Sidelane: a file that lies around must not weaken
    what an installation checks. Raises as conventions.read does.
    """
    return _inside(chart) or conventions.preset("sidelane")._replace(annotated=False, demanded=True)


def named(given: str | os.PathLike[str]) -> Conventions:
    """Returns the conventions of a file, or a preset by its name. Raises as conventions.read does."""
    text = os.fspath(given)
    if text in conventions.PRESETS:
        return conventions.preset(text)._replace(demanded=True)
    return conventions.read_file(text)


def _inside(chart: Chart) -> Conventions | None:
    """Returns the conventions in a chart, also in a packaged one; None for a chart that ships with Sidelane."""
    content = None if sources.is_bundled(chart) else chart.file(conventions.NAME)
    return None if content is None else conventions.read(content, f"{chart.path}/{conventions.NAME}")


async def check_chart(
    renderer: Renderer, chart: Chart, lane: Lane | None, values: Mapping[str, Any], wanted: Wanted, *, whole: bool
) -> tuple[PlainRendering, Report]:
    """Renders a chart in a lane, or as a release without one, and checks it.

    Raises InvalidInput for a chart with lanes and no lane, and as ``client.check`` does.
    """
    own = wanted.of(chart)
    rendering = await _rendered(renderer, chart, lane, values, LaneKeys(own.version_key, own.build_key))
    report = check(rendering.manifest, conventions=own, lane=lane, release=rendering.release, whole=whole)
    return rendering, report


async def _rendered(
    renderer: Renderer, chart: Chart, lane: Lane | None, values: Mapping[str, Any], keys: LaneKeys
) -> PlainRendering:
    if lane is not None:
        return await renderer.render(chart, lane, accepted(values, lane, chart, keys))
    if knows_lanes(chart):
        raise InvalidInput(
            f"the chart {chart.name} needs a lane to render", remedy="give it with --lane or SIDELANE_LANE"
        )
    return await renderer.render_plain(chart, accepted(values, None, chart))
