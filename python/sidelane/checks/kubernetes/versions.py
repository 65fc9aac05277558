"""Ranges of Kubernetes versions: ``1.30`` and ``1.30-1.36``."""

from __future__ import annotations

import re
from typing import Final

from sidelane.errors import InvalidInput

_RANGE: Final = re.compile(r"v?1\.(\d{1,3})(?:-(?:v?1\.)?(\d{1,3}))?")


def parse(text: str) -> tuple[int, ...]:
    """Return the minor versions of a range, without a gap. Raises InvalidInput.

    >>> parse("1.34-1.36")
    (34, 35, 36)
    """
    match = _RANGE.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if first > last:
        raise InvalidInput(
            f"{text[:40]!r} is not a range of Kubernetes versions", remedy="write it such as 1.34 or 1.30-1.36"
        )
    return tuple(range(first, last + 1))


def shown(minors: tuple[int, ...]) -> str:
    """Return versions for a message: ``1.30, 1.31 and 1.33``."""
    texts = [f"1.{minor}" for minor in minors]
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
