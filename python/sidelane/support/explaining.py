"""Explanations of data that a JSON schema refuses, from Python's jsonschema. Imported only for refused data.

An error has the path, the value unless it is secret, the accepted form and the schema's own description of it.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jsonschema
import referencing
from jsonschema.exceptions import ValidationError, best_match

from sidelane.support.harmless import in_line, shortened
from sidelane.support.schemas import named, shown

#: The most characters of a description.
_DESCRIBED: Final = 120

_ARTICLES: Final = {
    "object": "a mapping", "array": "a list", "string": "text", "integer": "a whole number", "null": "null",
}  # fmt: skip

#: keyword → the accepted form; {} is the keyword's value.
_FORMS: Final = {
    "const": "{!r}",
    "contains": "a list with an accepted item",
    "exclusiveMaximum": "less than {}",
    "exclusiveMinimum": "more than {}",
    "format": "text in the format {}",
    "maxItems": "a list of at most {} items",
    "maxLength": "text of at most {} characters",
    "maxProperties": "a mapping of at most {} keys",
    "maximum": "at most {}",
    "minItems": "a list of at least {} items",
    "minLength": "text of at least {} characters",
    "minProperties": "a mapping of at least {} keys",
    "minimum": "at least {}",
    "multipleOf": "a multiple of {}",
    "pattern": "text that matches {}",
    "uniqueItems": "a list without repeated items",
}


def sentences(schema: Mapping[str, Any], data: object) -> Iterator[str]:
    """Yield one sentence for each error, in no order; none if jsonschema accepts the data or cannot use the schema."""
    return (f"{path}: {text}" for path, text in errors(schema, data))


def errors(schema: Mapping[str, Any], data: object) -> Iterator[tuple[str, str]]:
    """Yield each error as sentences does, as its path and what is wrong there."""
    dialect = jsonschema.validators.validator_for(schema, default=jsonschema.Draft7Validator)
    own = {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional}
    # An empty registry: a reference to another file is never followed.
    validator = jsonschema.validators.extend(dialect, own)(
        schema, registry=referencing.Registry(), format_checker=dialect.FORMAT_CHECKER
    )
    try:
        for error in validator.iter_errors(data):
            yield from _explained(error)
    except (re.error, RecursionError, referencing.exceptions.Unresolvable):
        return


@functools.cache
def _regex(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of JSON schema, whose ``$`` does not match before a line break as Python's does."""
    return re.compile(re.sub(r"(\\.|\[(?:\\.|[^\]\\])*\])|\$", lambda match: match[1] or r"\Z", pattern), re.ASCII)


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _regex(pattern).search(instance):
        yield ValidationError("does not match")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    for pattern, schema in patterns.items() if validator.is_type(instance, "object") else ():
        for key in filter(_regex(pattern).search, instance):
            yield from validator.descend(instance[key], schema, path=key, schema_path=pattern)


def _additional(validator: Any, accepted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    unknown = _unknown(instance, schema) if validator.is_type(instance, "object") else []
    if accepted is False and unknown:
        yield ValidationError("has unknown keys")
    elif accepted is not False:
        for key in unknown:
            yield from validator.descend(instance[key], accepted, path=key)


def _explained(error: ValidationError) -> Iterator[tuple[str, str]]:
    path, value, given = list(error.absolute_path), error.validator_value, error.instance
    if "propertyNames" in error.absolute_schema_path:
        at = named([*path, str(given)])
        yield at, f"the key {shown([], given)} is not {_form(error)}{_described(error.schema)}"
        return
    match error.validator:
        case "additionalProperties":
            unknown = _unknown(given, error.schema)
            yield from ((named([*path, key]), f"unknown key {_hint(key, error.schema)}") for key in unknown)
        case "required":
            for key in (key for key in value if key not in given):
                meaning = _described(_properties(error.schema).get(key))
                yield named([*path, key]), f"is required but missing{meaning}"
        case "anyOf" | "oneOf":
            yield from _of_forms(error)
        case _:
            yield named(path), f"{shown(path, given)} is not {_form(error)}{_described(error.schema)}"


def _of_forms(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield the error of the form that the value is nearest to, or all forms if it is none of them from the start."""
    path, forms = list(error.absolute_path), error.context or []
    nearest = best_match([error])
    if nearest is not None and len(nearest.absolute_path) > len(path):
        yield from _explained(nearest)
        return
    if not forms:
        accepted = "exactly one of the accepted forms"
    else:
        kinds = dict.fromkeys(_form(each) for each in forms if list(each.absolute_path) == path)
        accepted = " or ".join(kinds) or "one of the accepted forms"
    yield named(path), f"{shown(path, error.instance)} is not {accepted}{_described(error.schema)}"


def _form(error: ValidationError) -> str:
    """Return the form that a keyword of the schema accepts."""
    keyword, value = error.validator, error.validator_value
    if keyword == "type":
        kinds = [value] if isinstance(value, str) else value
        return " or ".join(_ARTICLES.get(kind, f"a {kind}") for kind in kinds)
    if keyword == "enum":
        return "one of " + ", ".join(repr(item) for item in value)
    if keyword == "required":
        return f"a mapping with {', '.join(key for key in value if key not in error.instance)}"
    if keyword not in _FORMS:
        return f"valid in the schema ({in_line(str(keyword), 60)})"
    text = _FORMS[keyword].format(value)
    return re.sub(r"\b(1 (?:item|character|key))s\b", r"\1", text)


def _unknown(instance: Mapping[str, Any], schema: Any) -> list[str]:
    known = _properties(schema)
    patterns = [_regex(pattern) for pattern in schema.get("patternProperties", {})]
    return [key for key in instance if key not in known and not any(each.search(key) for each in patterns)]


def _hint(key: str, schema: Any) -> str:
    known = list(_properties(schema))
    near = difflib.get_close_matches(key[:100], known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(known)) or 'none'}"
    return f"{shortened(repr(key), 60)}; {hint}"


def _properties(schema: Any) -> Mapping[str, Any]:
    return schema.get("properties", {}) if isinstance(schema, dict) else {}


def _described(schema: Any) -> str:
    """Return the schema's own description in brackets, or nothing."""
    text = schema.get("description") if isinstance(schema, dict) else None
    return f" ({shortened(in_line(text.strip().rstrip('.')), _DESCRIBED)})" if isinstance(text, str) and text else ""
