"""Durations as Go and Helm write them: ``90s``, ``1h30m``."""

from __future__ import annotations

import re

from sidelane.errors import InvalidInput

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")


def seconds(text: str) -> float:
    """Return the duration in seconds.

    >>> seconds("1h30m")
    5400.0

    Raises InvalidInput for text that Go's time.ParseDuration would refuse, and for a negative duration.
    """
    if not isinstance(text, str) or (text != "0" and not re.fullmatch(f"({_PART.pattern})+", text)):
        raise InvalidInput(f"{text!r} is not a duration", remedy="write it such as 90s, 5m or 24h")
    return sum((float(number) * _UNITS[unit] for number, unit in _PART.findall(text)), 0.0)


def written(age: float) -> str:
    """Return an age in seconds in kubectl's form, in one unit: ``80s``, ``5m``, ``3h``, ``12d``.

    >>> [written(age) for age in (0, 80, 300, 7500, 90_000, 1_036_800)]
    ['0s', '80s', '5m', '125m', '25h', '12d']
    """
    for unit, size, least in (("d", 86400, 172800), ("h", 3600, 10800), ("m", 60, 120)):
        if age >= least:
            return f"{int(age // size)}{unit}"
    return f"{max(int(age), 0)}s"
