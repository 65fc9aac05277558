"""Validation of data against a JSON schema, with an error for people for each place."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sidelane.support.harmless import in_line, shortened
from sidelane.support.redaction import redact
from sidelane.support.secrets import HIDDEN, is_secret

#: The most errors in one report.
REPORTED: Final = 500


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path in data as text: ``storage.classes[0].name``. Keys are escaped, and cut to 60 characters."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{in_line(step, 60)}" for step in path)
    return "".join(steps).lstrip(".")


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
            yield f"{_dotted(path)}: {shown(path, error.instance)} is not {kinds or 'one of the accepted forms'}"
        case _:
            yield f"{_dotted(path)}: {shown(path, error.instance)} is not {_expected(kind)}"


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


def shown(path: Sequence[str | int], value: object) -> str:
    """Return a value for a message, cut to 60 characters; the value of a secret key is hidden."""
    if is_secret(path):
        return HIDDEN
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = redact(json.dumps(value) if value is None or isinstance(value, bool) else repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _dotted(path: Sequence[str | int]) -> str:
    return dotted(tuple(path)) or "(all values)"
