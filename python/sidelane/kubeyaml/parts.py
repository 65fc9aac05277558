"""A large input, read in parts by two processes: YAML is a third of the time of a check of thousands of objects.

A line of three dashes begins a document wherever it is, so an input may be divided there. A part with any fault counts
for nothing: the whole input is then read by one Reader, which tells what is wrong, and where.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final, NamedTuple

import yaml

from sidelane.kubeyaml.reader import Document, Duplicate, Reader
from sidelane.kubeyaml.scalars import Refusal
from sidelane.support import forked

#: The fewest characters of a part, which takes longer than a fork; with many parts, both processes end together.
SMALLEST: Final = 2**16
_BEGINNING: Final = "\n---\n"


class Whole(NamedTuple):
    """The documents and the duplicate keys of an input."""

    documents: list[Document]
    duplicates: list[Duplicate]


class _Part(NamedTuple):
    """The documents and the duplicate keys of a part, with its own lines, and the number of these."""

    documents: list[Document]
    duplicates: list[Duplicate]
    lines: int


class Reading:
    """The reading of an input by another process, from now on, and then by this one."""

    def __init__(self, text: bytes) -> None:
        texts = [*_parts(text)]
        work = [functools.partial(_read, each, len(texts)) for each in texts]
        self._division = forked.Division(work) if len(work) > 1 else None

    def whole(self) -> Whole | None:
        """Return what was read; None for an input of one part, and if a part has a fault."""
        if self._division is None:
            return None
        whole, before = Whole([], []), 0
        for part in self._division.results():
            if part is None:  # it has a fault
                return None
            whole.documents.extend(Document(data, before + line, comment) for data, line, comment in part.documents)
            whole.duplicates.extend(Duplicate(before + line, column, key) for line, column, key in part.duplicates)
            before += part.lines
        return whole


def _parts(text: bytes) -> Iterator[str]:
    """Yield the parts of a text; none if it is not UTF-8."""
    try:
        content = text.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return
    size, begin = max(SMALLEST, len(content) // forked.MOST + 1), 0
    while (end := content.find(_BEGINNING, begin + size) + 1) > 0:
        yield content[begin:end]
        begin = end
    yield content[begin:]


def _read(text: str, parts: int) -> _Part | None:
    duplicates: list[Duplicate] = []
    reader = Reader(text, duplicates, parts=parts)
    try:
        part = _Part(reader.documents(), duplicates, reader.lines)
    except (Refusal, StopIteration, yaml.YAMLError):
        return None
    # What follows the last document, or is without any, is a comment on the first one of the next part.
    return part if reader.end == len(text) else None
