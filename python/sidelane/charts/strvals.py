"""Helm's ``--set`` language: ``a.b=1,list[0].c=x,names={x,y}``, read as Helm reads it (its package pkg/strvals).

Sidelane reads it itself for two reasons: it checks all values before Helm runs, and it gives them to Helm on standard
input, because every user of the machine can read an argument list.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, NoReturn, cast

from sidelane.errors import InvalidInput

MAX_INDEX = 65536  # Helm's own limits: a typing error must not fill the memory
MAX_NESTING = 30
MAX_DEPTH = 100  # levels of JSON, the same as of YAML (kubeyaml)

#: A place in values: keys of mappings and indexes of lists.
Path = list[str | int]


def set_into(values: dict[str, Any], text: str) -> None:
    """Add the values of ``--set``: booleans, null and whole numbers get their types, everything else is text.

    Raises InvalidInput for text that Helm would refuse.
    """
    _read(values, text, "--set", _typed)


def set_string_into(values: dict[str, Any], text: str) -> None:
    """Add the values of ``--set-string``: every value is text. Raises InvalidInput."""
    _read(values, text, "--set-string", lambda value: value)


def set_file_into(values: dict[str, Any], text: str, read: Callable[[str], str]) -> None:
    """Add the values of ``--set-file``: every value is a file's content, from ``read``. Raises InvalidInput."""
    _read(values, text, "--set-file", read)


def set_json_into(values: dict[str, Any], text: str) -> None:
    """Add the values of ``--set-json``: ``key=<JSON>`` pairs, or one JSON object to merge. Raises InvalidInput."""
    if text.lstrip().startswith("{"):
        value, end = _json_at(text, len(text) - len(text.lstrip()))
        if text[end:].strip():
            raise _invalid("--set-json", "there is text after the JSON object")
        merge_into(values, cast("dict[str, Any]", value))
        return
    position = 0
    while position < len(text):
        path, position = _path(text, position, "--set-json")
        end_of_empty = re.compile(r"\s*(,|$)").match(text, position)
        if end_of_empty:
            value, position = None, end_of_empty.end()
        else:
            value, position = _json_at(text, position)
            blank = re.compile(r"\s*,?").match(text, position)
            position = blank.end() if blank else position
        _assign(values, path, value, "--set-json")


def merge_into(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge ``over`` into ``base`` as Helm merges values files: mappings merge, others replace. Return ``base``."""
    for key, value in over.items():
        current = base.get(key)
        if isinstance(value, dict) and isinstance(current, dict):
            merge_into(current, value)
        else:
            base[key] = value
    return base


def _read(values: dict[str, Any], text: str, flag: str, convert: Callable[[str], Any]) -> None:
    position = 0
    while position < len(text):
        path, position = _path(text, position, flag)
        if text[position : position + 1] == "{":
            value, position = _list(text, position + 1, flag, convert)
        else:
            raw, position, stop = _until(text, position, ",")
            if not raw and not stop and any(isinstance(a, int) and isinstance(b, str) for a, b in pairwise(path)):
                # Helm 3 and 4 read `a[0].b=` at the end as an empty list `a`.
                raise InvalidInput(
                    f"{flag}: Helm drops the empty value of {_dotted(path)!r} at the end, with the list's item",
                    remedy=f"write it with --set-json '{_dotted(path)}=\"\"'",
                )
            value = convert(raw)
        _assign(values, path, value, flag)


def _path(text: str, position: int, flag: str) -> tuple[Path, int]:
    """Read ``a.b[0].c=`` from a position. Return the path and the position after the equals sign."""
    path: Path = []
    expects_key = True
    while True:
        token, position, stop = _until(text, position, "=[,.")
        if expects_key:
            path.append(token)
        elif token:
            raise _invalid(flag, f"{token!r} must not follow an index")
        expects_key = stop == "."
        if stop == "=":
            return path, position
        if stop == "[":
            index, position, closed = _until(text, position, "]")
            path.append(_index(index, flag) if closed else _index("", flag))
        elif stop != ".":
            raise _invalid(flag, f"the key {_dotted(path)!r} has no value")
        if len(path) > MAX_NESTING:
            raise _invalid(flag, f"a key is nested deeper than {MAX_NESTING}")


def _list(text: str, position: int, flag: str, convert: Callable[[str], Any]) -> tuple[list[Any], int]:
    items = []
    while True:
        raw, position, stop = _until(text, position, ",}")
        if not stop:
            raise _invalid(flag, "a list does not end with '}'")
        items.append(convert(raw))
        if stop == "}":
            return items, position + (text[position : position + 1] == ",")


def _until(text: str, position: int, stops: str) -> tuple[str, int, str]:
    """Read to the first of ``stops``. A backslash escapes the next character."""
    token: list[str] = []
    while position < len(text):
        character = text[position]
        position += 1
        if character in stops:
            return "".join(token), position, character
        if character == "\\":
            character, position = text[position : position + 1], position + 1
        token.append(character)
    return "".join(token), position, ""


def _assign(values: dict[str, Any], path: Path, value: object, flag: str) -> None:
    if "" in path:
        raise _invalid(flag, f"{_dotted(path)!r} has an empty key")
    here: Any = values
    for step, following in pairwise(path):
        here = _child(here, step, [] if isinstance(following, int) else {}, path, flag)
    if isinstance(here, list):
        _reach(here, cast("int", path[-1]))
    here[path[-1]] = value


def _child(here: Any, step: str | int, empty: Any, path: Path, flag: str) -> Any:
    """Return the container one step down a path, and create it if it is missing."""
    if isinstance(here, list):
        _reach(here, cast("int", step))
        child = empty if here[cast("int", step)] is None else here[cast("int", step)]
    else:
        child = here.get(step, empty)
    here[step] = child
    if type(child) is not type(empty):
        raise _invalid(flag, f"{_dotted(path)!r} goes through {step!r}, which is not a {type(empty).__name__}")
    return child


def _reach(items: list[Any], index: int) -> None:
    items.extend([None] * (index + 1 - len(items)))


def _index(text: str, flag: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > MAX_INDEX:
        raise _invalid(flag, f"the index {text!r} must be a number from 0 to {MAX_INDEX}")
    return int(text)


def _typed(text: str) -> object:
    words: dict[str, object] = {"true": True, "false": False, "null": None, "0": 0}
    if text.lower() in words:
        return words[text.lower()]
    # A number must not begin with 0 and must have digits only, so 01 and 1e3 stay text.
    if re.fullmatch(r"[+-]?[0-9]{1,19}", text) and text[0] != "0" and -(2**63) <= int(text) < 2**63:
        return int(text)
    return text


def _json_at(text: str, position: int) -> tuple[object, int]:
    start = position + len(text[position:]) - len(text[position:].lstrip())
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        raise _invalid("--set-json", "a value is not JSON, or a number out of range") from None
    if _depth(value) > MAX_DEPTH:
        raise _invalid("--set-json", f"a value is nested deeper than {MAX_DEPTH}")
    return value, end


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(text)
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


#: JSON as Go reads it: no NaN, no Infinity, and no number that overflows to it.
_DECODER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_no_number)


def _depth(value: object) -> int:
    """Return the number of nested levels of mappings and lists."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def _dotted(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _invalid(flag: str, problem: str) -> InvalidInput:
    return InvalidInput(f"{flag}: {problem}", remedy="write it such as key.inner=value,list[0]=value")
