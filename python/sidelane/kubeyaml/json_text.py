r"""JSON as Kubernetes reads it: an input that begins with ``{`` and is JSON goes to a JSON reader, and not to YAML's.

Go's YAML reader refuses what JSON has and YAML 1.1 has not: ``\ud83d\ude00``, ``\/``, keys of more than 1,024
characters. Whatever is odd is left to the YAML reader, which says where: a key twice, a number that is none.
"""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from sidelane.kubeyaml.scalars import Refusal, resolve, to_json

_BLANK: Final = " \t\r\n"


class _Odd(Exception):
    """JSON that is not read here."""


def read(text: str, *, depth_limit: int, value_limit: int) -> tuple[object] | None:
    """The data of a text that is one JSON object, None for every other text.

    depth_limit: levels of nesting. value_limit: a text that may hold more values is not read here.
    """
    if text[:1] not in ("{", *_BLANK) or not text.lstrip(_BLANK).startswith("{"):
        return None
    if text.count(",") + text.count("{") + text.count("[") > value_limit:
        return None
    try:
        data = _DECODER.decode(text)
        if "\\ud" in text or "\\uD" in text:  # a surrogate that stands alone is no text
            json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError, _Odd, Refusal):
        return None
    return (data,) if _depth(data, depth_limit) <= depth_limit else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Odd
    return found


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
    """How many mappings and lists are inside one another, counted to one more than the limit."""
    depth, level = 0, [data]
    while depth <= limit and (level := [item for item in level if isinstance(item, dict | list)]):
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
