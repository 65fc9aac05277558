"""Values: their lane, the chart's defaults, and validation against the chart's schema.

Sidelane validates before Helm does, so that it reports all errors at once, each with its path.
"""

from __future__ import annotations

import difflib
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sidelane.charts.sources import Chart, coalesce
from sidelane.errors import InvalidInput, InvalidValues
from sidelane.helm.values import dotted, plain, require
from sidelane.naming.lane import Lane
from sidelane.support.harmless import shortened
from sidelane.support.redaction import redact
from sidelane.support.secrets import HIDDEN, is_secret, learn_values

#: The most errors in one report.
REPORTED: Final = 500


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
        f"{place}{key}: {_shown([key], given)} is given, but the lane is {lane}"
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
            problem = f"{key}: {_shown([key], values[key])} is in the values, but {text!r} is given separately"
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


def problems(schema: dict[str, Any], data: dict[str, Any]) -> tuple[str, ...]:
    """Return the errors of the data against a schema, one sentence each, with its path.

    A schema with references to other files is assumed to accept everything: Helm follows them when it renders. Raises
    ValueError for an invalid schema.
    """
    # This library loads in 5 ms; Python's jsonschema takes as long as Helm takes to render.
    import jsonschema_rs  # noqa: PLC0415

    dialect = jsonschema_rs.Draft7Validator if "$schema" not in schema else jsonschema_rs.validator_for
    try:
        errors = list(dialect(schema, retriever=_unreachable).iter_errors(data))
    except jsonschema_rs.ValidationError as error:
        if error.kind.name == "$ref":
            return ()
        raise ValueError(error.message) from None
    sentences = (sentence for error in errors for sentence in _sentences(error, schema))
    return tuple(sorted(set(islice(sentences, REPORTED))))


def _unreachable(uri: str) -> Any:
    raise LookupError(uri)


def _sentences(error: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield one error for people: its path, the problem, and the accepted form."""
    path, kind = list(error.instance_path), error.kind
    match kind.name:
        case "additionalProperties":
            known = _known(schema, error.schema_path[:-1])
            for key in kind.unexpected:
                near = difflib.get_close_matches(key[:100], known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(known)) or 'none'}"
                yield f"{_dotted([*path, key])}: unknown key {shortened(repr(key), 60)}; {hint}"
        case "required":
            yield f"{_dotted([*path, kind.property])}: is required but missing"
        case "anyOf" | "oneOf":
            inner = (each for branch in kind.context for each in branch if list(each.instance_path) == path)
            kinds = " or ".join(dict.fromkeys(_expected(each.kind) for each in inner))
            yield f"{_dotted(path)}: {_shown(path, error.instance)} is not {kinds or 'one of the accepted forms'}"
        case _:
            yield f"{_dotted(path)}: {_shown(path, error.instance)} is not {_expected(kind)}"


def _known(schema: Any, path: Sequence[str | int]) -> list[str]:
    """Return the keys of the schema at a path, as far as it can be reached without following references."""
    for step in path:
        schema = schema.get(step, {}) if isinstance(schema, dict) else schema[step] if isinstance(step, int) else {}
    return list(schema.get("properties", {})) if isinstance(schema, dict) else []


def _expected(kind: Any) -> str:
    match kind.name:
        case "type":
            return " or ".join(_article(name) for name in kind.types)
        case "enum":
            return "one of " + ", ".join(repr(item) for item in kind.options)
        case "const":
            return repr(kind.expected_value)
        case "pattern":
            return f"text that matches {kind.pattern}"
        case "minimum" | "minLength" | "minItems" | "minProperties":
            return f"at least {kind.limit}" if kind.name == "minimum" else f"of at least {kind.limit}"
        case "maximum" | "maxLength" | "maxItems" | "maxProperties":
            return f"at most {kind.limit}" if kind.name == "maximum" else f"of at most {kind.limit}"
        case _:
            return f"valid in the schema ({kind.name})"


def _article(kind: str) -> str:
    names = {"object": "a mapping", "array": "a list", "string": "text", "integer": "a whole number", "null": "null"}
    return names.get(kind, f"a {kind}")


def _shown(path: Sequence[str | int], value: object) -> str:
    if is_secret(path):
        return HIDDEN
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = redact(json.dumps(value) if value is None or isinstance(value, bool) else repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _dotted(path: Sequence[str | int]) -> str:
    return dotted(tuple(path)) or "(all values)"
