"""Values: gathered as Helm gathers them, laid over the chart's own, and held against its schema.

All of it happens before Helm runs, so that every mistake is told at once, each with its path.
"""

from __future__ import annotations

import copy
import difflib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sidelane import kubeyaml, strvals
from sidelane.charts import Chart
from sidelane.errors import InvalidInput, InvalidValues
from sidelane.lane import Lane

#: Values of such keys are never shown, whatever they hold.
SECRET_KEY = re.compile(r"pass(word|wd|phrase)?$|secret|token|credential|private|api-?key", re.IGNORECASE)


def gather(
    files: Iterable[str] = (),
    *,
    set_json: Iterable[str] = (),
    set: Iterable[str] = (),  # noqa: A002 - Helm's own name
    set_string: Iterable[str] = (),
    set_file: Iterable[str] = (),
) -> dict[str, Any]:
    """What ``-f`` and ``--set…`` say together, in Helm's order: files first, each later one over the earlier.

    Raises InvalidInput for a file that can't be read or a flag that Helm would not take, InvalidManifest for a file
    that is not YAML.
    """
    values: dict[str, Any] = {}
    for name in files:
        strvals.merge_into(values, _file(name))
    for text in set_json:
        strvals.set_json_into(values, text)
    for text in set:
        strvals.set_into(values, text)
    for text in set_string:
        strvals.set_string_into(values, text)
    for text in set_file:
        strvals.set_file_into(values, text, _text)
    return values


def _file(name: str) -> dict[str, Any]:
    source = "standard input" if name == "-" else name
    data = kubeyaml.read(_text(name), source=source)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidInput(f"{source} holds no mapping of values", remedy="write it as `key: value` lines")
    return data


def _text(name: str) -> str:
    try:
        return sys.stdin.read(kubeyaml.SIZE_LIMIT + 1) if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInput(
            f"the file {name!r} can't be read: {reason}", remedy="check its path and its rights"
        ) from None


def with_lane(values: Mapping[str, Any], lane: Lane, chart: Chart) -> dict[str, Any]:
    """The values with the lane's Version and Build, always as text, where the chart keeps them.

    A chart whose schema has them under ``global`` alone (an outer deployment) gets them there. Raises InvalidValues
    when the values name another lane than ``lane``.
    """
    result = copy.deepcopy(dict(values))
    wanted = {"Version": lane.version, "Build": lane.build}
    given_global = result.get("global") or {}
    conflicts = [
        f"{place}{key}: {given!r} is given, and the lane is {lane}"
        for place, given_in in (("", result), ("global.", given_global if isinstance(given_global, dict) else {}))
        for key, value in wanted.items()
        if (given := given_in.get(key)) not in (None, "", value) and str(given) != value
    ]
    if conflicts:
        raise InvalidValues(
            "the values name another lane: " + "; ".join(conflicts),
            errors=tuple(conflicts),
            remedy="leave Version and Build out of the values: the lane gives them",
        )
    if _has_lane_in_global(chart):
        result["global"] = {**given_global, **wanted}
    else:
        result.update(wanted)
    return result


def _has_lane_in_global(chart: Chart) -> bool:
    properties = (chart.schema or {}).get("properties", {})
    return "Version" not in properties and "Version" in properties.get("global", {}).get("properties", {})


def validate(chart: Chart, values: Mapping[str, Any]) -> None:
    """Holds values against the chart's schema. Raises InvalidValues with every error, each with its path."""
    if chart.schema is None:
        return
    # Imported here: it takes as long as Helm takes to render, and a chart without a schema needs none of it.
    from jsonschema import Draft7Validator  # noqa: PLC0415
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        found = list(Draft7Validator(chart.schema).iter_errors(coalesce(chart.defaults, values)))
    except SchemaError as error:
        raise InvalidValues(f"the schema of {chart.name} is broken: {error.message}") from None
    errors = sorted({sentence for error in found for sentence in _sentences(error)})
    if errors:
        raise InvalidValues(
            f"the chart {chart.name} does not take these values:\n  " + "\n  ".join(errors),
            errors=tuple(errors),
            remedy=f"see the values of the chart with `sidelane charts {chart.name}`",
        )


def coalesce(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates see: the chart's defaults under the given values; a null takes a default away, as in Helm."""
    result: dict[str, Any] = {key: copy.deepcopy(value) for key, value in defaults.items() if key not in values}
    for key, value in values.items():
        default = defaults.get(key)
        if value is None and key in defaults:
            continue
        both = isinstance(value, dict) and isinstance(default, dict)
        result[key] = coalesce(default, value) if both and isinstance(default, dict) else value
    return result


def _sentences(error: Any) -> Iterator[str]:
    """One error as people read it: path, what is wrong, and what would be right."""
    path = list(error.absolute_path)
    if error.context and error.validator in ("anyOf", "oneOf"):
        kinds = " or ".join(dict.fromkeys(_expected(inner) for inner in error.context if not inner.path))
        yield f"{_dotted(path)}: {_shown(path, error.instance)} is not {kinds or 'any of the forms it may have'}"
    elif error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        patterns = list(error.schema.get("patternProperties", {}))
        for key in error.instance:
            if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(sorted(known)) or 'none'}"
                yield f"{_dotted([*path, key])}: unknown key {key!r}; {hint}"
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield f"{_dotted([*path, key])}: is required and not given"
    else:
        yield f"{_dotted(path)}: {_shown(path, error.instance)} is not {_expected(error)}"


def _expected(error: Any) -> str:
    value = error.validator_value
    match error.validator:
        case "type":
            return " or ".join(_article(kind) for kind in ([value] if isinstance(value, str) else value))
        case "enum":
            return "one of " + ", ".join(repr(item) for item in value)
        case "const":
            return repr(value)
        case "pattern":
            return f"text that matches {value}"
        case "minimum":
            return f"at least {value}"
        case "maximum":
            return f"at most {value}"
        case "minLength" | "minItems" | "minProperties":
            return f"of at least {value}"
        case "maxLength" | "maxItems" | "maxProperties":
            return f"of at most {value}"
        case _:
            return f"what the schema asks for ({error.validator})"


def _article(kind: str) -> str:
    names = {"object": "a mapping", "array": "a list", "string": "text", "integer": "a whole number", "null": "null"}
    return names.get(kind, f"a {kind}")


def _shown(path: Sequence[str | int], value: object) -> str:
    if any(isinstance(key, str) and SECRET_KEY.search(key) for key in path):
        return "(hidden)"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _dotted(path: Sequence[str | int]) -> str:
    dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
    return dotted or "(the whole of the values)"
