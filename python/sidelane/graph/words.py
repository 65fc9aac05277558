"""Text from a cluster, made fit to be drawn."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """The text without what a terminal or a browser would obey instead of show: control characters, marks that turn
    the direction of writing, halves of pairs. Each becomes ``�``.
    """
    return "".join("\N{REPLACEMENT CHARACTER}" if _obeyed(char) else char for char in text)


def _obeyed(char: str) -> bool:
    # Control, format, half of a pair, unassigned, private use (which fonts draw as they like), line and paragraph ends.
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}


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
