"""Pairs of renderings of one chart that should run side by side, and what sets them apart.

A chart that knows Version and Build is rendered as two lanes, as two Builds, and for a service as two service versions.
Any other chart is rendered as two releases of one namespace, and as one release in two namespaces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sidelane.charts import strvals
from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.rendering import Renderer, documents, read_manifest, release_of
from sidelane.charts.values import accepted, knows_lanes
from sidelane.errors import InvalidInput
from sidelane.helm.values import require
from sidelane.manifest import Manifest
from sidelane.naming.contract import release_name
from sidelane.naming.lane import Lane
from sidelane.support.concurrency import some_at_a_time
from sidelane.support.secrets import learn_values

#: The namespaces of a chart that is rendered in two; the first one's is the caller's.
OTHER_NAMESPACE: Final = "other"

#: Values that differ: the first and the second rendering's, by path.
Vary = Mapping[str, tuple[object, object]]


class Rendered(NamedTuple):
    """Two renderings, with what sets them apart, and with the lanes of the two releases, as text."""

    differs: str
    first: Manifest
    second: Manifest
    lanes: tuple[str, str]


class _Wanted(NamedTuple):
    """The input of one rendering."""

    lane: Lane
    release: str
    namespace: str
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        return json.dumps([self.release, self.namespace, self.values], sort_keys=True, default=str)


async def render(
    renderer: Renderer, chart: Chart, lane: Lane | None, values: Mapping[str, Any], vary: Vary
) -> list[Rendered]:
    """Render every pair; equal renderings only once, and several at a time.

    lane: the first's; None for the one in the values, or for any. Raises Helm's errors, InvalidLane, InvalidValues.
    """
    chart.require_whole()
    learn_values(values)
    require(values)
    own = lane or _lane_in(values) or Lane("coco", 1)
    pairs = _pairs(chart, own, renderer.namespace or "default", values, vary)
    wanted = {each.key: each for _, *two in pairs for each in two}
    manifests = await some_at_a_time(_manifest(renderer, chart, each) for each in wanted.values())
    by_key = dict(zip(wanted, manifests, strict=True))
    return [
        Rendered(differs, by_key[first.key], by_key[second.key], (str(first.lane), str(second.lane)))
        for differs, first, second in pairs
    ]


async def _manifest(renderer: Renderer, chart: Chart, wanted: _Wanted) -> Manifest:
    own = renderer._replace(namespace=wanted.namespace, definitions=True)
    rendering = await own.render(chart, wanted.lane, wanted.values, release=wanted.release)
    return read_manifest(_with_sources(rendering.text), wanted.namespace, chart.name)


def _with_sources(text: str) -> str:
    """Return Helm's output with the source above every definition: Helm names it once for each file of crds/.

    A comment or `---` at the beginning of such a file parts the name from its definitions.
    """
    parts, source = [], ""
    for document in documents(text):
        named = re.search(r"^# Source: .*$", document, re.MULTILINE)
        if named is not None:
            source = named[0]
        parts.append(document if named is not None else f"{source}\n{document}")
    return "\n---\n".join(parts)


def _pairs(
    chart: Chart, lane: Lane, namespace: str, values: Mapping[str, Any], vary: Vary
) -> list[tuple[str, _Wanted, _Wanted]]:
    build = Lane(lane.version, str(int(lane.build) + 1))
    if not knows_lanes(chart):
        mine, theirs = (_varied(values, vary, number) for number in (0, 1))
        if any(chart.held.keys):  # they take the lane
            mine, theirs = accepted(mine, lane, chart), accepted(theirs, build, chart)
        release, other = (_Wanted(each, release_name(chart.name, each), namespace, mine) for each in (lane, build))
        return [
            ("two releases in one namespace", release, other._replace(values=theirs)),
            ("one release in two namespaces", release, release._replace(namespace=_other(namespace), values=theirs)),
        ]
    mine, theirs = (_varied(_without_lane(values), vary, number) for number in (0, 1))
    first = _in_lane(chart, lane, namespace, mine)
    pairs = [
        ("two Builds", first, _in_lane(chart, build, namespace, theirs)),
        ("two Versions", first, _in_lane(chart, _other_version(lane), namespace, theirs)),
    ]
    if (version := _next_service_version(chart, mine)) is not None:
        second = _in_lane(chart, lane, namespace, {**theirs, "serviceVersion": version})
        pairs.append(("two service versions", first, second))
    return pairs


def _lane_in(values: Mapping[str, Any]) -> Lane | None:
    """Return the lane that the values name, or None. Raises InvalidLane."""
    for place in (values, values.get("global")):
        if isinstance(place, Mapping) and place.get("Version") and place.get("Build"):
            return Lane(place["Version"], place["Build"])
    return None


def _without_lane(values: Mapping[str, Any]) -> dict[str, Any]:
    def without(place: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in place.items() if key not in ("Version", "Build")}

    shared = values.get("global")
    return {**without(values), **({"global": without(shared)} if isinstance(shared, Mapping) else {})}


def _in_lane(chart: Chart, lane: Lane, namespace: str, values: Mapping[str, Any]) -> _Wanted:
    given = accepted(values, lane, chart)
    return _Wanted(lane, release_of(chart, lane, given), namespace, given)


def _other(namespace: str) -> str:
    return OTHER_NAMESPACE if namespace != OTHER_NAMESPACE else f"{OTHER_NAMESPACE}-2"


def _other_version(lane: Lane) -> Lane:
    """Return a lane that a careless rule takes for the given one: its name ends in it."""
    return Lane(f"2-{lane.version}", lane.build)


def _next_service_version(chart: Chart, values: Mapping[str, Any]) -> str | None:
    """Return the next version of a chart's service, or None for a chart without one."""
    if "{serviceVersion}" not in chart.release_pattern:
        return None
    number = re.fullmatch(r"v([0-9]+)", str(coalesce(chart.defaults, values).get("serviceVersion")))
    return None if number is None else f"v{int(number[1]) + 1}"


def _varied(values: Mapping[str, Any], vary: Vary, number: int) -> dict[str, Any]:
    """Return the values with the first (0) or second (1) of what differs. Raises InvalidInput."""
    result: dict[str, Any] = json.loads(json.dumps(values))
    for path, pair in vary.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InvalidInput(f"the values of {path!r} must be two", remedy="give the first's and the second's")
        strvals.set_json_into(result, f"{path}={json.dumps(pair[number])}")
    return result
