"""Values for Helm: their document, their limits, and the comparison with the values that Helm used.

Helm reads values as YAML, keeps every number as a 64-bit float, and reports the values that it used. Sidelane refuses
values that Helm would change, and compares the used values with the given ones.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from sidelane.errors import InvalidValues, NotWhatWasChecked
from sidelane.support.harmless import in_line
from sidelane.support.schemas import dotted
from sidelane.support.secrets import HIDDEN, is_secret

#: A 64-bit float holds every whole number below this one (RFC 8259, section 6).
WHOLE_LIMIT: Final = 2**53
#: The most levels of nesting, the same as of YAML (kubeyaml).
DEPTH_LIMIT: Final = 100
#: The most bytes of a key. YAML allows 1,024 characters, and Helm writes values as YAML to validate them.
KEY_LIMIT: Final = 1000
#: The most problems in one report.
REPORTED: Final = 20

_Path = tuple[str | int, ...]


def document(values: Mapping[str, Any]) -> bytes:
    """Return the values as one document that Helm 3 and Helm 4 read completely. Raises InvalidValues.

    It must end with a line break: Helm 4 drops a last line of n × 4,096 bytes without one (helm/helm#32506).
    """
    require(values)
    return (json_text(dict(values)) + "\n").encode()


def json_text(data: object, *, indent: int | None = None) -> str:
    """Return the data as JSON that Helm's YAML reader reads as the same data.

    Characters are not escaped, because that reader does not support surrogate pairs; only characters that break lines
    in YAML, or are not allowed there, are.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, indent=indent)
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def require(values: object, where: str = "") -> None:
    """Raise InvalidValues for values that are not plain JSON data, or that Helm would change, each with its path.

    where: a prefix of each path, such as the place in a file.
    """
    problems = tuple(islice(_problems(values, (), where), REPORTED))
    if problems:
        raise InvalidValues(
            "these values would not reach the chart unchanged:\n  " + "\n  ".join(problems),
            errors=problems,
            remedy="give mappings with text as keys, lists, text, numbers, booleans and null; "
            "put a number whose digits matter in quotes (--set-string)",
        )


def require_used(given: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Compare the values in Helm's answer with the given ones.

    Raises NotWhatWasChecked, with the paths that differ but without the values, which may be secret.
    """
    name = answer.get("name", "")
    if differing := tuple(islice(_differing(given, answer.get("config") or {}, ()), REPORTED)):
        raise NotWhatWasChecked(
            f"Helm used other values for {name} than it was given: {', '.join(differing)}",
            remedy=f"check `helm get values {name}` and the helm on PATH; remove the release and install it again",
        )


def plain(value: Any) -> Any:
    """Return a copy with whole numbers as int: JSON has one kind of number, and Helm returns 1.0 as 1."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _problems(value: object, path: _Path, where: str) -> Iterator[str]:
    if len(path) > DEPTH_LIMIT:
        yield f"{_place(path[:3], where)}…: is nested more than {DEPTH_LIMIT} levels deep"
    elif isinstance(value, dict) or (isinstance(value, Mapping) and not path):
        for key, inner in value.items():
            if isinstance(key, str):
                yield from _text(key, path, where, "a key")
                if len(key) > KEY_LIMIT // 6 and len(json.dumps(key)) > KEY_LIMIT:
                    yield f"{_place((*path, key), where)}: the key has more than {KEY_LIMIT} bytes"
                yield from _problems(inner, (*path, key), where)
            else:
                yield f"{_place(path, where)}: the key {in_line(repr(key), 60)} is {_kind(key)}, not text"
    elif not path:
        yield f"{_place(path, where)}: {_kind(value)} is not a mapping"
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _problems(inner, (*path, index), where)
    elif isinstance(value, str):
        yield from _text(value, path, where, "the text")
    elif isinstance(value, float | int) and not isinstance(value, bool):
        yield from _number(value, path, where)
    elif value is not None and not isinstance(value, bool):
        yield f"{_place(path, where)}: {_kind(value)} is not JSON data"


def _text(text: str, path: _Path, where: str, what: str) -> Iterator[str]:
    try:
        text.encode()
    except UnicodeEncodeError:
        yield f"{_place(path, where)}: {what} is not Unicode (it has a lone surrogate)"


def _number(value: float, path: _Path, where: str) -> Iterator[str]:
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{_place(path, where)}: {value} is not a number in JSON"
    elif abs(value) >= WHOLE_LIMIT:  # a float of this size is whole, too
        shown = HIDDEN if is_secret(path) else in_line(_digits(value), 60)
        yield f"{_place(path, where)}: {shown} has digits that Helm would change: numbers must be below 2^53"


def _digits(value: float) -> str:
    # Python refuses to print an integer of more than 4,300 digits.
    return str(value) if isinstance(value, float) or value.bit_length() < 4096 else "a whole number"


def _differing(given: object, used: object, path: _Path) -> Iterator[str]:
    """Yield the paths where two values differ. A key with null equals a missing key."""
    if isinstance(given, Mapping) and isinstance(used, Mapping):
        for key in sorted(given.keys() | used.keys()):
            yield from _differing(given.get(key), used.get(key), (*path, key))
    elif isinstance(given, list) and isinstance(used, list) and len(given) == len(used):
        for index, (a, b) in enumerate(zip(given, used, strict=True)):
            yield from _differing(a, b, (*path, index))
    elif given != used or isinstance(given, bool) != isinstance(used, bool):
        yield _place(path, "")


def _place(path: _Path, where: str) -> str:
    return f"{where}: {dotted(path)}".removeprefix(": ").removesuffix(": ") if path else where or "the values"


def _kind(value: object) -> str:
    name = type(value).__name__
    return "null" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
