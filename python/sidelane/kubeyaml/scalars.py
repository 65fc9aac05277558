"""The meaning of one scalar to Kubernetes: go-yaml v2's resolve.go, then the conversion to JSON of sigs.k8s.io/yaml.

A *native* value is go-yaml's value of the text (``1e3`` is the float 1000.0); it then becomes a JSON value or a key.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from types import NoneType
from typing import Any, Final

Native = str | int | float | bool | None

_WORDS: Final[dict[str, Native]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
#: The first characters of scalars that may not be text.
_HINTS: Final = frozenset("yYnNtTfFoO~.+-0123456789")
_NUMERIC: Final = frozenset("+-0123456789")
# Go's strconv.ParseInt with base 0. A leading 0 means octal, so 08 is not an integer but the float 8.
_INTEGER: Final = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))")
_BASES: Final = {2: 16, 3: 8, 4: 2, 5: 10}  # by the group that matched
# go-yaml's own second attempt at binary accepts a sign after the prefix.
_SIGNED_BINARY: Final = re.compile(r"0b([-+][01]{1,63})")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# After a leading dot the text goes to strconv.ParseFloat unchanged, which accepts _ only between digits.
_DOTTED: Final = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_DATE: Final = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.]+(Z|[-+][0-9:]+)?)?"  # compiled where a date is met

_STANDARD: Final = "tag:yaml.org,2002:"
MERGE_TAG: Final = f"{_STANDARD}merge"
_BINARY: Final = f"{_STANDARD}binary"
_TIMESTAMP: Final = f"{_STANDARD}timestamp"
_TYPES: Final[dict[str, type]] = {
    f"{_STANDARD}{name}": kind for name, kind in (("bool", bool), ("int", int), ("float", float), ("null", NoneType))
}


class Refusal(Exception):
    """The reason why a node is refused; the reader adds the position. Never holds a scalar's content."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy
        self.line = self.column = 0

    def at(self, event: Any) -> Refusal:
        """Set the line and column to this event's, unless an inner event has set them, and return itself."""
        if not self.line:
            self.line, self.column = event.start_mark.line + 1, event.start_mark.column + 1
        return self


def resolve(text: str) -> Native:
    """Return the value of an untagged plain scalar: ``1e3`` is 1000.0, ``n`` is False, ``22:22`` and dates are text."""
    if text and text[0] not in _HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMERIC:
        return _number(text.replace("_", ""), text)
    return _float(text.replace("_", ""), text) if _DOTTED.fullmatch(text) else text


def resolve_tagged(tag: str, text: str) -> Native:
    """Return the value of a scalar with a tag. An unknown tag means text, as in Kubernetes; Python's are refused."""
    if tag == _BINARY:
        return _binary(text)
    if tag == _TIMESTAMP and re.fullmatch(_DATE, text):
        return text
    if tag not in _TYPES and tag != _TIMESTAMP:
        refuse_python(tag)
        return text
    value = resolve(text)
    if tag in _TYPES and type(value) is _TYPES[tag]:
        return value
    if tag == f"{_STANDARD}float" and type(value) is int and _fits(value):
        return float(value)
    raise Refusal("a scalar does not match its tag", "remove the tag, or correct the value")


def refuse_python(tag: str | None) -> None:
    """Raise Refusal for a tag that asks PyYAML for a Python object, which no manifest for Kubernetes needs."""
    if tag is not None and tag.startswith(f"{_STANDARD}python/"):
        raise Refusal("a tag asks for a Python object", "remove the tag: Kubernetes reads data only")


def to_json(value: Native) -> Native:
    """Return the value that the API server gets: a whole number in int64 is an int (1e3 is 1000), others are floats."""
    if type(value) is int:
        return value if _fits(value) else float(value)
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise Refusal("infinity and not-a-number do not exist in JSON, which Kubernetes uses", "put it in quotes")
    # JSON carries the shortest digits, which above 2**53 are not the float's exact value.
    if not value.is_integer() or abs(value) >= 2**63:
        return value
    from decimal import Decimal  # noqa: PLC0415 - few manifests have such a number

    return to_json(int(Decimal(repr(value))))


def to_key(value: Native) -> str:
    """Return a mapping's key as text: ``8080``, and ``true`` for ``on``.

    Floats are refused although Kubernetes accepts them: it reads ``1.10`` as the key ``1.1``.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and _fits(value):
        return str(value)
    raise Refusal("a key is null, or a number whose text would change", "put the key in quotes")


def _fits(value: int) -> bool:
    return -(2**63) <= value < 2**63


def _number(plain: str, text: str) -> Native:
    if match := _INTEGER.fullmatch(plain):
        digits = match[match.lastindex or 0].lstrip("0") or "0"
        # Numbers with more digits than 64 bits allow are not converted: Go reads a float, and int() would be slow.
        value = int(match[1] + digits, _BASES[match.lastindex or 0]) if len(digits) <= 64 else 2**64
        if -(2**63) <= value < (2**63 if match[1] else 2**64):
            return value
    if _FLOAT.fullmatch(plain):
        return _float(plain, text)
    signed = _SIGNED_BINARY.fullmatch(plain)
    return int(signed[1], 2) if signed else text


def _float(plain: str, text: str) -> Native:
    value = float(plain)
    return value if math.isfinite(value) else text  # out of range for strconv.ParseFloat, so it stays text


def _binary(text: str) -> str:
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(
            "a !!binary value is not base64 of UTF-8 text, and Kubernetes would damage or refuse it",
            "remove the tag and give the base64 text itself",
        ) from None
