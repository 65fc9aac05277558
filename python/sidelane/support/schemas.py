"""Validation of data against a JSON schema: quick for valid data; explaining.py has the errors for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from sidelane.support.harmless import in_line
from sidelane.support.redaction import redact
from sidelane.support.secrets import HIDDEN, is_secret

#: The most errors in one report.
REPORTED: Final = 500
#: The most schemas that are kept compiled.
COMPILED: Final = 32


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path in data as text: ``storage.classes[0].name``. Keys are escaped, and cut to 60 characters."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{in_line(step, 60)}" for step in path)
    return "".join(steps).lstrip(".")


def problems(schema: dict[str, Any], data: dict[str, Any]) -> tuple[str, ...]:
    """Return the errors of the data against a schema, one sentence each, with its path.

    A schema with references to other files is assumed to accept everything: Helm follows them when it renders. A schema
    is compiled once, so it must not be changed afterwards. Raises ValueError for an invalid schema.
    """
    # This library loads in 5 ms; Python's jsonschema, which explains, takes as long as Helm takes to render.
    import jsonschema_rs  # noqa: PLC0415

    try:
        validator = _compiled(schema)
        if validator.is_valid(data):
            return ()
    except jsonschema_rs.ValidationError as error:
        if error.kind.name == "$ref":
            return ()
        raise ValueError(error.message) from None
    from sidelane.support import explaining  # noqa: PLC0415 - only for refused data

    sentences = tuple(sorted(set(islice(explaining.sentences(schema, data), REPORTED))))
    return sentences or tuple(sorted({_unexplained(error) for error in islice(validator.iter_errors(data), REPORTED)}))


#: The schemas that were compiled last, by their identity, each with its validator.
_validators: Final[dict[int, tuple[dict[str, Any], Any]]] = {}


def _compiled(schema: dict[str, Any]) -> Any:
    """Return the validator of a schema. To compile that of a chart takes longer than to validate its values."""
    import jsonschema_rs  # noqa: PLC0415

    if (kept := _validators.get(id(schema))) is not None:
        return kept[1]
    dialect = jsonschema_rs.Draft7Validator if "$schema" not in schema else jsonschema_rs.validator_for
    validator = dialect(schema, retriever=_unreachable)
    if len(_validators) >= COMPILED:
        _validators.clear()
    _validators[id(schema)] = schema, validator
    return validator


def _unreachable(uri: str) -> Any:
    raise LookupError(uri)


def _unexplained(error: Any) -> str:
    """Return the sentence for an error that Python's jsonschema does not see, such as one of its own patterns."""
    path = list(error.instance_path)
    return f"{named(path)}: {shown(path, error.instance)} is not valid in the schema ({error.kind.name})"


def shown(path: Sequence[str | int], value: object) -> str:
    """Return a value for a message, cut to 60 characters; the value of a secret key is hidden."""
    if is_secret(path):
        return HIDDEN
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = redact(json.dumps(value) if value is None or isinstance(value, bool) else repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def named(path: Sequence[str | int]) -> str:
    """Return the path of a value for a message."""
    return dotted(tuple(path)) or "(all values)"
