"""Values: their lane, the chart's defaults, and validation against the chart's schema.

Sidelane validates before Helm does, so that it reports all errors at once, each with its path.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from sidelane.charts.sources import Chart, coalesce
from sidelane.errors import InvalidInput, InvalidValues
from sidelane.helm.values import plain, require
from sidelane.naming.lane import Lane
from sidelane.support.schemas import problems, shown
from sidelane.support.secrets import learn_values


def accepted(values: Mapping[str, Any], lane: Lane, chart: Chart) -> dict[str, Any]:
    """Return the values with their lane, validated against the chart's schema.

    Raises InvalidValues, and InvalidManifest for a chart whose own values Helm would not read completely.
    """
    chart.require_whole()
    given = with_lane(values, lane, chart)
    validate(chart, given)
    return given


def with_lane(values: Mapping[str, Any], lane: Lane, chart: Chart) -> dict[str, Any]:
    """Return the values with the lane's Version and Build, always as text, at the chart's place for them.

    A chart whose schema has them only under ``global`` (an outer deployment) gets them there. Raises InvalidValues if
    the values name another lane, or are not plain data.
    """
    learn_values(values)
    require(values)
    result: dict[str, Any] = plain(values)
    if not isinstance(result.get("global"), Mapping | None):
        problem = "global: must be a mapping"
        raise InvalidValues(problem, errors=(problem,), remedy="write it as `key: value` lines")
    wanted = {"Version": lane.version, "Build": lane.build}
    given_global = result.get("global") or {}
    conflicts = [
        f"{place}{key}: {shown([key], given)} is given, but the lane is {lane}"
        for place, given_in in (("", result), ("global.", given_global))
        for key, value in wanted.items()
        if (given := given_in.get(key)) not in (None, "", value) and str(given) != value
    ]
    if conflicts:
        raise InvalidValues(
            "the values name another lane: " + "; ".join(conflicts),
            errors=tuple(conflicts),
            remedy="leave Version and Build out of the values: the lane sets them",
        )
    if _has_lane_in_global(chart):
        result["global"] = {**given_global, **wanted}
    else:
        result.update(wanted)
    return result


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
    except ValueError as error:
        raise InvalidValues(f"the schema of {chart.name} is invalid: {error}", remedy="fix the chart") from None
    if errors:
        which = shlex.quote(chart.name if chart.travels else str(chart.path))
        raise InvalidValues(
            f"the chart {chart.name} does not accept these values:\n  " + "\n  ".join(errors),
            errors=errors,
            remedy=f"see the values of the chart with `sidelane charts {which}`",
        )
