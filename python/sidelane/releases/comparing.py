"""Compare a chart and values with an existing release: for install, upgrade, plan and apply.

A chart in a lane gives the same release again, or one that differs only in operational values, or another one. The
given values are compared with the release's values, and the chart with the release's objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.rendering import Renderer, Rendering
from sidelane.charts.values import accepted, with_lane
from sidelane.errors import HelmError, InvalidValues, Refused, ReleaseConflict, SidelaneError
from sidelane.manifest.operational import under
from sidelane.naming.lane import Lane
from sidelane.releases.provenance import leaves
from sidelane.releases.provenance.carried import apart
from sidelane.releases.stores import Stored
from sidelane.support.concurrency import together
from sidelane.support.secrets import without_secrets

#: same: the release has this content. operational: only operational values differ. other: it has other content.
Answer = Literal["same", "operational", "other"]


@dataclass(frozen=True)
class Comparison:
    """The result of comparing a chart and values with an existing release.

    rendering: with the release's new values. differences: the fields that would change, one line each. kept:
    operational values of the release that stay because they are not given, one line each. chart: the fields that this
    chart renders differently from the release's own values. values: the paths of values that differ but must not
    change; if there are none, of the operational ones that differ.
    """

    stored: Stored
    rendering: Rendering
    answer: Answer
    differences: tuple[str, ...] = ()
    kept_values: tuple[str, ...] = ()
    chart: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """The forbidden difference, as a sentence."""
        chart, name = self.rendering.chart, self.stored.release.name
        if self.chart:
            return f"the chart {chart.name} {chart.version} differs from the one that {name} was deployed with"
        may = ", ".join(sorted(chart.operational_values)) or "none"
        values = ", ".join(self.values)
        return f"{name} is deployed, and these values must not change: {values} (operational values: {may})"

    def refusal(self) -> ReleaseConflict | None:
        """Returns the error for an upgrade that would change more than operational values, without its remedy."""
        if self.chart:
            lines = "\n  ".join(self.chart)
            return ReleaseConflict(f"{self.why}:\n  {lines}", differences=self.chart)
        if self.answer == "other":
            return ReleaseConflict(self.why, differences=self.values)
        return None


async def compare(
    renderer: Renderer,
    stored: Stored,
    chart: Chart,
    lane: Lane,
    values: Mapping[str, Any],
    *,
    rendered: Rendering | None = None,
    keep: bool = True,
) -> Comparison:
    """Compares a chart and valid values with an existing release.

    rendered: the chart with these values, if already rendered. keep: operational values that are not given stay as in
    the release. Raises as rendering does.
    """
    wanted, unchanged = _kept(chart, stored, values) if keep else (values, ())
    if rendered is not None and not unchanged:
        differences = stored.differences(rendered)
        rendering, odd = rendered, await _made_by(renderer, stored, chart, lane) if differences else ()
    else:
        wanted = accepted(wanted, lane, chart) if unchanged else wanted
        rendering, odd = await together(renderer.render(chart, lane, wanted), _made_by(renderer, stored, chart, lane))
        differences = stored.differences(rendering)
    if not differences:
        return Comparison(stored, rendering, "same", kept_values=unchanged)
    if odd:
        return Comparison(stored, rendering, "other", differences, unchanged, chart=odd)
    old, new = coalesce(chart.defaults, _in_lane(stored.values, lane, chart)), coalesce(chart.defaults, wanted)
    if refused := tuple(_changed(old, new, chart.operational_values)):
        return Comparison(stored, rendering, "other", differences, unchanged, values=refused)
    if changed := tuple(_changed(old, new, ())):
        return Comparison(stored, rendering, "operational", differences, unchanged, values=changed)
    # The values are the same: the chart renders differently on an upgrade.
    return Comparison(stored, rendering, "same", kept_values=unchanged)


async def upgraded(renderer: Renderer, chart: Chart, lane: Lane, values: Mapping[str, Any]) -> Rendering:
    """Renders a chart for an upgrade, during which it may read the cluster."""
    return await _rendered(renderer, chart, lane, values, upgrade=True)


async def _rendered(
    renderer: Renderer, chart: Chart, lane: Lane, values: Mapping[str, Any], *, upgrade: bool
) -> Rendering:
    rendering = await renderer.render(chart, lane, values, upgrade=upgrade)
    # On an upgrade, charts print the release's record again, which is not part of their own content.
    return replace(rendering, text=apart(rendering.text, rendering.release).text) if upgrade else rendering


async def _made_by(renderer: Renderer, stored: Stored, chart: Chart, lane: Lane) -> tuple[str, ...]:
    """Returns the differences between the release and the chart rendered with the release's own values, one line each.

    A chart may read the cluster on an upgrade, so an upgraded release is compared with a rendering for upgrades.
    """
    differences: tuple[str, ...] = ()
    for upgrade in (False, True) if stored.release.revision > 1 and renderer.upgrades else (False,):
        try:
            before = await _rendered(renderer, chart, lane, stored.values, upgrade=upgrade)
        except SidelaneError as error:
            if not isinstance(error, Refused) and type(error) is not HelmError:
                raise  # for example, the cluster does not respond
            differences = differences or tuple(error.problem.splitlines())
            continue
        lines = stored.differences(before)
        if not lines:
            return ()
        differences = differences or lines
    return differences


def _in_lane(values: Mapping[str, Any], lane: Lane, chart: Chart) -> Mapping[str, Any]:
    """Returns a release's values with its lane as text: with plain Helm they may be numbers."""
    try:
        return with_lane(values, lane, chart)
    except InvalidValues:  # the values name another lane, so they differ
        return values


def _kept(chart: Chart, stored: Stored, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Returns the values with the release's operational ones added if not given, and a line for each of these that
    differs from the chart's default.
    """
    own: dict[str, Any] = {}
    for name in chart.operational_values:
        _copy(stored.values, own, name.split("."))
    wanted = _laid(own, values)
    plain, shown = (dict(leaves(without_secrets(coalesce(chart.defaults, each)))) for each in (values, wanted))
    lines = tuple(
        f"{path} stays {_written(shown.get(path))}: it is not given (the default is {_written(plain.get(path))})"
        for path in sorted({*plain, *shown})
        if under(path, chart.operational_values) and _written(plain.get(path)) != _written(shown.get(path))
    )
    return (wanted, lines) if lines else (values, ())


def _copy(source: Any, into: dict[str, Any], path: list[str]) -> None:
    key, *rest = path
    if not isinstance(source, Mapping) or key not in source:
        return
    if not rest:
        into[key] = source[key]
    elif isinstance(source[key], Mapping):
        _copy(source[key], into.setdefault(key, {}), rest)


def _laid(under: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values merged over others; a null stays, because it removes a default."""
    both = {key: (under[key], values[key]) for key in under.keys() & values.keys()}
    inner = {key: _laid(*each) for key, each in both.items() if all(isinstance(side, Mapping) for side in each)}
    return {**under, **values, **inner}


def _changed(old: Any, new: Any, may: Iterable[str], path: str = "") -> Iterator[str]:
    """Yields the path of every value that differs but must not, below mappings."""
    if path in may:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _changed(old.get(key), new.get(key), may, f"{path}.{key}" if path else key)
    elif _written(old) != _written(new):
        yield path


def _written(value: Any) -> str:
    """Returns JSON, in which 1 and true differ, as in a manifest but not in Python."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
