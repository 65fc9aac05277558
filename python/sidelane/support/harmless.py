r"""Untrusted text, made harmless and without secrets (redaction.py): the one place that every output passes.

A name in a manifest, a key in values or an answer of a cluster may hold escape sequences that move a terminal's cursor,
line breaks that forge a line of a report, or marks that turn the direction of writing. Each such character is shown as
its escape, ``\x1b``.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from sidelane.support.redaction import redact

#: The characters of one line of an output: of more, nobody reads a line.
LINE_LIMIT: Final = 4000


def in_line(text: str, limit: int = LINE_LIMIT) -> str:
    r"""The text as part of one line: line breaks and tabs are escaped, too; what is longer than the limit is cut.

    >>> print(in_line("zk\n0 errors\x1b[2K"))
    zk\n0 errors\x1b[2K
    """
    text = shortened(text, limit)  # without secrets
    return text if text.isprintable() else "".join(_escaped(char) if obeyed(char) else char for char in text)


def in_lines(text: str, limit: int = LINE_LIMIT) -> str:
    """The text with its own line breaks and tabs; a line that is longer than the limit is cut."""
    text = redact(text)  # a secret may have several lines
    return "\n".join("\t".join(in_line(part, limit) for part in line.split("\t")) for line in text.split("\n"))


def obeyed(char: str) -> bool:
    """Whether a terminal or a browser obeys the character instead of showing it: control characters, marks of
    direction, halves of pairs, line and paragraph ends, what is not assigned, and private use.
    """
    return not char.isprintable() and unicodedata.category(char) != "Zs"


def shortened(text: str, limit: int) -> str:
    """The text, cut where it is longer than the limit, with the number of its characters. Secrets are hidden before: of
    one that was cut the rest would not be recognized.
    """
    text = redact(text)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
