r"""JSON as Kubernetes reads it: an input that begins with ``{`` and is valid JSON is read as JSON, not as YAML.

Go's YAML reader refuses parts of JSON that YAML 1.1 lacks: ``\ud83d\ude00``, ``\/``, keys of more than 1,024
characters. Questionable input, such as a duplicate key or an invalid number, goes to the YAML reader, which reports
its position.
"""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from sidelane.kubeyaml.scalars import Refusal, resolve, to_json

_BLANK: Final = " \t\r\n"


class _Odd(Exception):
    """JSON that is left to the YAML reader."""


def read(text: str, *, depth_limit: int, value_limit: int) -> tuple[object] | None:
    """Return the data of a text that is one JSON object, as a 1-tuple; None for every other text.

    depth_limit: levels of nesting. value_limit: the most values; a text that may hold more returns None.
    """
    if text[:1] not in ("{", *_BLANK) or not text.lstrip(_BLANK).startswith("{"):
        return None
    if text.count(",") + text.count("{") + text.count("[") > value_limit:
        return None
    try:
        data = _DECODER.decode(text)
        if "\\ud" in text or "\\uD" in text:  # a lone surrogate is not valid text
            json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError, _Odd, Refusal):
        return None
    return (data,) if _depth(data, depth_limit) <= depth_limit else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise _Odd
    return mapping


def _number(text: str) -> Any:
    value = to_json(resolve(text))
    if isinstance(value, str):  # too large for a float
        raise _Odd
    return value


def _constant(text: str) -> NoReturn:
    raise _Odd(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_number, parse_float=_number, parse_constant=_constant
)


def _depth(data: object, limit: int) -> int:
    """Return the number of nested levels of mappings and lists, counted to limit + 1."""
    depth, level = 0, [data]
    while depth <= limit and (level := [item for item in level if isinstance(item, dict | list)]):
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
