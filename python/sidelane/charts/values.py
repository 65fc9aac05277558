"""Values: their lane, the chart's defaults, and validation against the chart's schema.

Sidelane validates before Helm does, so that it reports all errors at once, each with its path.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from sidelane.charts import strvals
from sidelane.charts.chart import Chart, coalesce
from sidelane.errors import InvalidInput, InvalidValues
from sidelane.helm.values import plain, require
from sidelane.naming.lane import Lane
from sidelane.support.schemas import problems, shown
from sidelane.support.secrets import learn_values


def accepted(values: Mapping[str, Any], lane: Lane | None, chart: Chart) -> dict[str, Any]:
    """Return the values with their lane, if there is one, validated against the chart's schema.

    Raises InvalidValues, and InvalidManifest for a chart whose own values Helm would not read completely.
    """
    chart.require_whole()
    given = _plain(values) if lane is None else with_lane(values, lane, chart)
    validate(chart, given)
    return given


def with_lane(values: Mapping[str, Any], lane: Lane, chart: Chart) -> dict[str, Any]:
    """Return the values with the lane's Version and Build, always as text, at the chart's place for them.

    A chart whose schema has them only under ``global`` (an outer deployment) gets them there. One whose conventions
    name keys for them gets them only there, and one that is held to conventions without lanes, or whose schema refuses
    both, gets them only if it knows them. Raises InvalidValues if the values name another lane, or are not plain data.
    """
    result = _plain(values)
    wanted = {"Version": lane.version, "Build": lane.build}
    keys = chart.held.keys
    places = dict(zip(keys, wanted.values(), strict=True)) if any(keys) else wanted
    if places is wanted and (_refuses_lanes(chart) or not (chart.held.lanes or knows_lanes(chart))):
        return result
    if conflicts := _conflicts(result, {key: text for key, text in places.items() if key}, lane):
        raise InvalidValues(
            "the values name another lane: " + "; ".join(conflicts),
            errors=tuple(conflicts),
            remedy=f"leave {' and '.join(filter(None, places))} out of the values: the lane sets them",
        )
    if places is not wanted:
        for key, text in places.items():
            if key:
                strvals.set_string_into(result, f"{key}={text}")
    elif _has_lane_in_global(chart):
        result["global"] = {**(result.get("global") or {}), **wanted}
    else:
        result.update(wanted)
    return result


def own_lane(values: Mapping[str, Any]) -> Lane | None:
    """Return the lane that values name themselves, at their top or under ``global``; None if they name none."""
    shared = values.get("global")
    given = {**(shared if isinstance(shared, Mapping) else {}), **values}
    version, build = given.get("Version"), given.get("Build")
    return None if version in (None, "") or build in (None, "") else Lane(str(version), str(build))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    learn_values(values)
    require(values)
    result: dict[str, Any] = plain(values)
    if not isinstance(result.get("global"), Mapping | None):
        problem = "global: must be a mapping"
        raise InvalidValues(problem, errors=(problem,), remedy="write it as `key: value` lines")
    return result


def _conflicts(values: Mapping[str, Any], wanted: Mapping[str, str], lane: Lane) -> list[str]:
    """Return a sentence for each Version and Build in the values that is of another lane."""
    return [
        f"{place}{key}: {shown(key.split('.'), given)} is given, but the lane is {lane}"
        for place, given_in in (("", values), ("global.", values.get("global") or {}))
        for key, text in wanted.items()
        if (given := _at(given_in, key)) not in (None, "", text) and str(given) != text
    ]


def _at(values: object, path: str) -> object:
    for key in path.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def knows_lanes(chart: Chart) -> bool:
    """Return whether the chart has the values Version and Build, at its top or under ``global``."""
    properties = (chart.schema or {}).get("properties", {})
    shared = chart.defaults.get("global")
    places = (properties, properties.get("global", {}).get("properties", {}), chart.defaults, shared)
    return any(isinstance(place, Mapping) and {"Version", "Build"} <= place.keys() for place in places)


def _refuses_lanes(chart: Chart) -> bool:
    """Return whether the chart's schema has Version and Build as unknown keys: it is not one of lanes."""
    if chart.schema is None or knows_lanes(chart):
        return False
    try:
        errors = problems(chart.schema, {"Version": "coco", "Build": "1"})
    except ValueError:
        return False
    return any(error.startswith(("Version: unknown key", "Build: unknown key")) for error in errors)


def _has_lane_in_global(chart: Chart) -> bool:
    properties = (chart.schema or {}).get("properties", {})
    return "Version" not in properties and "Version" in properties.get("global", {}).get("properties", {})


def with_service(
    values: Mapping[str, Any], chart: Chart, *, name: str | None = None, service_version: str | None = None
) -> Mapping[str, Any]:
    """Return the values with a service's name and version, for a chart that names its releases by them.

    Raises InvalidInput for a chart that does not, InvalidValues if the values have other ones, or are not plain data.
    """
    require(values)
    given = {key: text for key, text in (("name", name), ("serviceVersion", service_version)) if text is not None}
    for key, text in given.items():
        if f"{{{key}}}" not in chart.release_pattern:
            raise InvalidInput(
                f"the chart {chart.name} does not name its releases by {key}, but {text!r} is given",
                remedy="leave it out: the chart and the lane name the release",
            )
        if values.get(key) not in (None, "", text):
            problem = f"{key}: {shown([key], values[key])} is in the values, but {text!r} is given separately"
            raise InvalidValues(problem, errors=(problem,), remedy="give it in one place only")
    return {**values, **given}


def release_subject(chart: Chart, values: Mapping[str, Any]) -> str:
    """Return the part of a release's name before its lane: the chart's name, or its pattern with the values.

    Raises InvalidValues if a value that the pattern names is not text.
    """
    everything = coalesce(chart.defaults, values) if "{" in chart.release_pattern else {}

    def filled(match: re.Match[str]) -> str:
        value = everything.get(match[1])
        if not isinstance(value, str) or not value:
            problem = f"{match[1]}: must be given as text, because it names the release"
            raise InvalidValues(problem, errors=(problem,), remedy=f"give it, such as --set-string {match[1]}=…")
        return value

    return re.sub(r"\{(\w+)\}", filled, chart.release_pattern)


def validate(chart: Chart, values: Mapping[str, Any]) -> None:
    """Validate values against the chart's schema. Raises InvalidValues with every error, each with its path."""
    if chart.schema is None:
        return
    try:
        errors = problems(chart.schema, coalesce(chart.defaults, values))
        # Helm 4 removes a default that is null, and Helm 3 keeps some; the schema may allow only one of both.
        if errors and not problems(chart.schema, coalesce(_without_null(chart.defaults), values)):
            return
    except ValueError as error:
        raise InvalidValues(f"the schema of {chart.name} is invalid: {error}", remedy="fix the chart") from None
    if errors:
        which = shlex.quote(chart.name if chart.travels else str(chart.path))
        raise InvalidValues(
            f"the chart {chart.name} does not accept these values:\n  " + "\n  ".join(errors),
            errors=errors,
            remedy=f"see the values of the chart with `sidelane charts {which}`",
        )


def _without_null(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_null(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }
