r"""Escaping and redaction of untrusted text. Every output passes through this module.

A name in a manifest, a key in values or a cluster's response may hold escape sequences that move a terminal's cursor,
line breaks that forge a line of a report, or marks that change the direction of writing. Each such character is shown
as its escape, ``\x1b``.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from sidelane.support.redaction import redact

#: The most characters of one line of output.
LINE_LIMIT: Final = 4000


def in_line(text: str, limit: int = LINE_LIMIT) -> str:
    r"""Return the text as part of one line, cut at the limit. Line breaks and tabs are escaped, too.

    >>> print(in_line("zk\n0 errors\x1b[2K"))
    zk\n0 errors\x1b[2K
    """
    text = shortened(text, limit)  # which also redacts it
    return text if text.isprintable() else "".join(_escaped(char) if obeyed(char) else char for char in text)


def in_lines(text: str, limit: int = LINE_LIMIT) -> str:
    """Return the text with its own line breaks and tabs; each line is cut at the limit."""
    text = redact(text)  # before it is split, because a secret may have several lines
    return "\n".join("\t".join(in_line(part, limit) for part in line.split("\t")) for line in text.split("\n"))


def obeyed(char: str) -> bool:
    """Return whether a terminal or a browser may obey the character instead of showing it.

    These are control characters, marks of direction, lone surrogates, line and paragraph separators, unassigned
    characters and those for private use.
    """
    return not char.isprintable() and unicodedata.category(char) != "Zs"


def shortened(text: str, limit: int) -> str:
    """Return the redacted text; if it is longer than the limit, cut it and add its number of characters.

    Secrets are redacted before the cut: half a secret would not be recognized.
    """
    text = redact(text)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
