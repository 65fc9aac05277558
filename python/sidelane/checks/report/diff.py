"""A comparison as text in the form of `diff -u`, with fields instead of line numbers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from sidelane.kubeyaml.writer import dump
from sidelane.manifest.differences import ABSENT, Difference
from sidelane.support.harmless import in_line

_HUNK: Final = re.compile(r"@@ -(\d+)")
_COLOURS: Final = {"-": "31", "+": "32", "@": "36"}


def render_differences(
    labels: tuple[str, str], changes: list[tuple[str, Difference]], only: list[tuple[str, str]], *, colour: bool = False
) -> str:
    """Return the differences by object; empty text if there are none.

    only: the releases that one side alone has, each with that side's label.
    """
    if not changes and not only:
        return ""
    lines = [f"--- {labels[0]}", f"+++ {labels[1]}"]
    lines += [f"{'-' if side == labels[0] else '+'}release {release}" for release, side in only]
    for (release, identity), group in groupby(changes, key=lambda change: (change[0], change[1].identity)):
        lines += ["", f"{release}: {identity}"]
        for _, difference in group:
            lines += _hunk(difference)
    lines = [in_line(line) for line in lines]
    return "".join(f"{_painted(line) if colour else line}\n" for line in lines)


def _hunk(difference: Difference) -> Iterator[str]:
    path = difference.path
    if not path:
        yield "+the whole object" if difference.before is ABSENT else "-the whole object"
        return
    before, after = _lines(difference.before), _lines(difference.after)
    if len(before) > 1 and len(after) > 1:
        for line in list(difflib.unified_diff(before, after, lineterm=""))[2:]:
            hunk = _HUNK.match(line)
            yield f"@@ {path}, line {hunk[1]} @@" if hunk else line
    else:
        yield f"@@ {path} @@"
        yield from (f"-{line}" for line in before)
        yield from (f"+{line}" for line in after)


def _lines(value: Any) -> list[str]:
    if value is ABSENT:
        return []
    text = value if isinstance(value, str) and "\n" in value else dump(value).removesuffix("...\n")
    return text.split("\n") if text[-1:] != "\n" else text[:-1].split("\n")


def _painted(line: str) -> str:
    return f"\033[{_COLOURS[line[0]]}m{line}\033[0m" if line[:1] in _COLOURS else line
