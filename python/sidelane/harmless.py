r"""Untrusted text, made harmless: the one place that every output passes.

A name in a manifest, a key in values or an answer of a cluster may hold escape sequences that move a terminal's cursor,
line breaks that forge a line of a report, or marks that turn the direction of writing. Each such character is shown as
its escape, ``\x1b``.
"""

from __future__ import annotations

import re
from typing import Final

#: The characters of one line of an output: of more, nobody reads a line.
LINE_LIMIT: Final = 4000

# C0 and C1 controls, line and paragraph separators, marks of direction, the byte order mark, lone surrogates.
_UNSAFE: Final = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
)
_IN_LINES: Final = re.compile(f"[{_UNSAFE}]")
_IN_LINE: Final = re.compile(f"[\t\n{_UNSAFE}]")


def in_line(text: str, limit: int = LINE_LIMIT) -> str:
    r"""The text as part of one line: line breaks and tabs are escaped, too; what is longer than the limit is cut.

    >>> print(in_line("zk\n0 errors\x1b[2K"))
    zk\n0 errors\x1b[2K
    """
    return _IN_LINE.sub(_escaped, shortened(text, limit))


def in_lines(text: str, limit: int = LINE_LIMIT) -> str:
    """The text with its own line breaks and tabs; a line that is longer than the limit is cut."""
    if len(text) > limit:
        text = "\n".join(shortened(line, limit) for line in text.split("\n"))
    return _IN_LINES.sub(_escaped, text)


def shortened(text: str, limit: int) -> str:
    """The text, cut where it is longer than the limit, with the number of its characters."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
