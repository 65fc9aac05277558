"""Text from a cluster, made fit to be drawn."""

from __future__ import annotations

import unicodedata

from sidelane.support.harmless import obeyed


def plain(text: str) -> str:
    """The text with ``�`` for each character that is not shown but obeyed, so that it takes the room that is seen."""
    return "".join("\N{REPLACEMENT CHARACTER}" if obeyed(char) else char for char in text)


def cells(text: str) -> int:
    """How many columns of a fixed-width font the text takes: wide characters (UAX 11) take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def shortened(text: str, limit: int) -> str:
    """The text, or as much of it as fits with an ellipsis after it. For labels that are told in full elsewhere."""
    if cells(text) <= limit:
        return text
    while cells(text) > limit - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"
