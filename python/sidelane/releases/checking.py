"""Check a chart without installing it, by the conventions that it is held to."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sidelane.charts import sources
from sidelane.charts.chart import Chart
from sidelane.charts.held import BY_CONTRACT, Held, LaneKeys
from sidelane.charts.rendering import PlainRendering, Renderer
from sidelane.charts.values import accepted, knows_lanes
from sidelane.checks import conventions
from sidelane.checks.conventions import Conventions
from sidelane.errors import InvalidConventions, InvalidInput
from sidelane.naming.lane import Lane
from sidelane.releases.provenance import Record
from sidelane.support.concurrency import all_of

if TYPE_CHECKING:
    from sidelane.checks.findings import Report


class Wanted(NamedTuple):
    """The conventions that a caller wants: a file or a preset by its name, and keys for the lane.

    installation: those that an installation holds the chart to. fetched: the chart has no folders of the user's above.
    kubernetes_versions, schemas: as in Conventions.with_schemas.
    """

    given: str | os.PathLike[str] | None = None
    version_key: str | None = None
    build_key: str | None = None
    installation: bool = False
    fetched: bool = False
    kubernetes_versions: str | None = None
    schemas: tuple[str | os.PathLike[str], ...] = ()

    def of(self, chart: Chart) -> Conventions:
        """Returns the conventions of a chart that is only checked. Raises as conventions.read does."""
        own = self._of(chart).with_schemas(self.kubernetes_versions, self.schemas)
        return own._replace(version_key=self.version_key or own.version_key, build_key=self.build_key or own.build_key)

    def _of(self, chart: Chart) -> Conventions:
        if self.given is not None:
            return conventions.named(self.given)
        if sources.is_bundled(chart) or self.fetched:
            return _inside(chart) or conventions.preset("sidelane")
        return _inside(chart) or conventions.find(chart.path)

    @property
    def flags(self) -> tuple[str, ...]:
        """The options of the command line that say the same."""
        given = os.fspath(self.given) if self.given is not None else ""
        option = "--preset" if given in conventions.PRESETS else "--conventions"
        pairs = ((option, given), ("--version-key", self.version_key), ("--build-key", self.build_key))
        return tuple(word for option, text in pairs if text for word in (option, text))


def hold(chart: Chart, wanted: Wanted) -> Chart:
    """Returns a chart with the conventions that an installation holds it to: the given ones; or else those of the
    chart's own ``sidelane.yaml``, which the chart's digest covers; or else those of the nearest one above in the same
    git repository; or else the naming contract without exceptions. The release's record has a file outside the chart.

    No file elsewhere counts, and none for a chart that ships with Sidelane: a file that lies around must not weaken
    what an installation checks. Raises InvalidInput for conventions that are given for a chart of Sidelane, and as
    conventions.read does.
    """
    if sources.is_bundled(chart):
        if wanted.flags:
            raise InvalidInput(
                f"the chart {chart.name} ships with Sidelane, and its releases keep the naming contract",
                remedy=f"leave out {' '.join(wanted.flags[::2])}",
            )
        return chart
    source, text = _chosen(chart, wanted)
    own = _held(chart, source, text)
    keys = LaneKeys(wanted.version_key or own.version_key, wanted.build_key or own.build_key)
    return dataclasses.replace(chart, held=Held(source, text, keys, own.has_lanes, wanted.flags))


def as_recorded(chart: Chart, record: str | None) -> Chart:
    """Returns a chart with the conventions of its release's record. Raises as conventions.read does."""
    recorded = Record.read(record).conventions if record else {}
    if not recorded:
        return hold(chart, Wanted(fetched=True))
    held = Held.from_json(recorded, lanes=True)
    return dataclasses.replace(
        chart, held=held._replace(lanes=_held(chart, held.source, held.text).has_lanes, flags=_flags(held))
    )


def _flags(held: Held) -> tuple[str, ...]:
    return Wanted(held.source if held.source in conventions.PRESETS else None, *held.keys).flags


def of_installation(chart: Chart) -> Conventions:
    """Returns the conventions that a chart is held to; see hold. Raises as conventions.read does."""
    return _held(chart, chart.held.source, chart.held.text).without_schemas()


def words(own: Conventions) -> str:
    """Returns the conventions in words, for a message."""
    if own.source:
        return f"the conventions in {own.source}"
    return "the naming contract" if own.preset == "sidelane" else f"the conventions of the preset {own.preset}"


def remedy(chart: Chart, own: Conventions) -> str:
    """Returns the remedy for a chart that breaks its conventions."""
    if chart.held == BY_CONTRACT and own.preset == "sidelane" and not knows_lanes(chart):
        return (
            "fix the chart or its values; or, for a chart without Version and Build, add --preset helm, or a "
            "sidelane.yaml with `extends: helm` to the chart"
        )
    return "fix the chart or its values"


def _chosen(chart: Chart, wanted: Wanted) -> tuple[str, str]:
    """Returns a preset's name, or the path and content of a file outside the chart; empty texts for neither."""
    if wanted.given is not None:
        given = os.fspath(wanted.given)
        return (given, "") if given in conventions.PRESETS else (given, _text(given))
    if chart.file(conventions.NAME) is not None or wanted.fetched:
        return "", ""
    file = conventions.nearest(chart.path, in_repository=True)
    return ("", "") if file is None else (str(file), _text(file))


def _text(file: str | Path) -> str:
    try:
        return conventions.content_of(file).decode()
    except UnicodeDecodeError:
        raise InvalidConventions(
            f"{file} is not a conventions file: it is not UTF-8", remedy="save it as UTF-8"
        ) from None


def _held(chart: Chart, source: str, text: str) -> Conventions:
    if source:
        return recorded(source, text)
    return _inside(chart) or conventions.preset("sidelane")._replace(annotated=False, demanded=True)


def recorded(source: str, text: str) -> Conventions:
    """Returns the conventions that a record names by Held.source and Held.text. Raises as conventions.read does."""
    return conventions.read(text.encode(), source) if text else conventions.named(source)


def _inside(chart: Chart) -> Conventions | None:
    """Returns the conventions in a chart, also in a packaged one; None for a chart that ships with Sidelane."""
    content = None if sources.is_bundled(chart) else chart.file(conventions.NAME)
    return None if content is None else conventions.read(content, f"{chart.path}/{conventions.NAME}")


def for_check(chart: Chart, wanted: Wanted) -> tuple[Conventions, Chart]:
    """Returns the wanted conventions of a chart, and the chart that gets its lane by them."""
    if wanted.installation:
        chart = hold(chart, wanted)
        return of_installation(chart), chart
    own = wanted.of(chart)
    held = Held(keys=LaneKeys(own.version_key, own.build_key), lanes=own.has_lanes)
    return own, dataclasses.replace(chart, held=held)


async def check_chart(
    renderer: Renderer, chart: Chart, lane: Lane | None, values: Mapping[str, Any], wanted: Wanted, *, whole: bool
) -> tuple[PlainRendering, Report]:
    """Renders a chart in a lane, or as a release without one, and checks it.

    Raises InvalidInput for a chart with lanes and no lane, and as ``client.check`` does.
    """
    own, chart = for_check(chart, wanted)
    # Only a chart with functions such as randAlphaNum is rendered twice, and both at once.
    times = 2 if chart.may_vary and own.severity_of("nothing-random") != "off" else 1
    rendering, *more = await all_of(_rendered(renderer, chart, lane, values) for _ in range(times))
    from sidelane.checks.engine import check  # noqa: PLC0415 - imported while Helm renders

    again = more[0].manifest if more else None
    report = check(rendering.manifest, conventions=own, lane=lane, release=rendering.release, whole=whole, again=again)
    return rendering, report


async def _rendered(renderer: Renderer, chart: Chart, lane: Lane | None, values: Mapping[str, Any]) -> PlainRendering:
    if lane is not None:
        return await renderer.render(chart, lane, accepted(values, lane, chart))
    if knows_lanes(chart):
        raise InvalidInput(
            f"the chart {chart.name} needs a lane to render", remedy="give it with --lane or SIDELANE_LANE"
        )
    return await renderer.render_plain(chart, accepted(values, None, chart))
