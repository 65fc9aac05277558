"""Text from a cluster, prepared for drawing."""

from __future__ import annotations

import unicodedata

from sidelane.support.harmless import obeyed


def plain(text: str) -> str:
    """Return the text with ``�`` for each control character, so that its width is its visible width."""
    return "".join("\N{REPLACEMENT CHARACTER}" if obeyed(char) else char for char in text)


def cells(text: str) -> int:
    """Return the width of the text in columns of a fixed-width font: wide characters (UAX 11) take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def shortened(text: str, limit: int) -> str:
    """Return the text, or a part that fits with an ellipsis. For labels whose full text is elsewhere."""
    if cells(text) <= limit:
        return text
    while cells(text) > limit - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"
