r"""YAML as Kubernetes and Helm read it, which is not as PyYAML reads it.

Both turn YAML into JSON with sigs.k8s.io/yaml over go-yaml v2: ``1e3`` is a number, ``n`` is false, ``22:22`` and
dates are text, and every key is text. This package returns the data that the API server gets:

>>> read("replicas: 1e3\nenabled: n\nport: 22:22\n8080: yes\n")
{'replicas': 1000, 'enabled': False, 'port': '22:22', '8080': True}

- scalars.py: the meaning of one scalar;
- reader.py: documents, within limits that hostile input cannot exceed;
- json_text.py: JSON input;
- parts.py: a large input, read by two processes;
- written.py: the original text of a scalar;
- writer.py: YAML that every reader reads back as the same data; imported only by code that writes.

The meaning of the data, such as the fields of an object, belongs in manifest/.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import yaml

from sidelane.errors import InvalidInput, InvalidManifest
from sidelane.kubeyaml import json_text
from sidelane.kubeyaml.reader import DEPTH_LIMIT, EVENT_LIMIT, Document, Duplicate, Reader
from sidelane.kubeyaml.scalars import Refusal
from sidelane.support import files

if TYPE_CHECKING:
    from sidelane.kubeyaml.parts import Reading

__all__ = ["SIZE_LIMIT", "Document", "Duplicate", "Reading", "begin", "content", "read", "read_all", "read_documents"]

#: The most bytes of one input. Helm keeps a release gzipped in a Secret of at most 1 MiB, rarely over 20 MiB of YAML.
SIZE_LIMIT: Final = 64 * 2**20
#: The bytes of a large input: reading it takes much longer than the start of another process.
_LARGE: Final = 2**18
# Helm and kubectl split their input at every line that begins with three dashes, even inside YAML text. go-yaml reads
# a byte order mark at the beginning of a line as indentation.
_MISREAD: Final = r"(---\S|\ufeff)"


def content(path: str | os.PathLike[str]) -> bytes:
    """Return a file's content, up to one byte over SIZE_LIMIT, which the readers refuse. Raises InvalidInput."""
    try:
        return files.bounded(Path(path), SIZE_LIMIT)
    except (OSError, ValueError) as error:
        raise InvalidInput.unreadable(os.fspath(path), error) from None


def begin(text: bytes) -> Reading | None:
    """Begin to read a large input in another process, while this one does other work. None for a small input."""
    if not _LARGE < len(text) <= SIZE_LIMIT:
        return None
    from sidelane.kubeyaml.parts import Reading  # noqa: PLC0415 - few inputs are large

    return Reading(text)


def read_documents(
    text: str | bytes,
    *,
    source: str = "<input>",
    duplicates: list[Duplicate] | None = None,
    begun: Reading | None = None,
) -> list[Document]:
    """Read every document that is not empty, as Kubernetes would read it.

    duplicates: a list that gets each duplicate key, and the last one counts, as in Helm; without it they are refused.
    begun: the reading of the same text by ``begin``.
    Raises InvalidManifest, with the source's name, line and column, for invalid YAML, for text that Kubernetes would
    refuse or read differently from how it looks (a duplicate key, infinity, Python's tags), and for input beyond the
    limits.
    """
    content = _decoded(text, source)
    whole = begun.whole() if begun else None
    # Python finds a line break ten times faster than the beginning of each line.
    if misread := re.match(_MISREAD, content) or re.search(rf"\n{_MISREAD}", content):
        what = "a byte order mark" if misread[1] == "\ufeff" else "--- followed by text"
        line = content.count("\n", 0, misread.start(1)) + 1
        _fail(
            f"{source}, line {line}",
            f"{what} is ambiguous: readers disagree on its meaning",
            "put --- on a line of its own, and save without a byte order mark",
        )
    if (parsed := json_text.read(content, depth_limit=DEPTH_LIMIT, value_limit=EVENT_LIMIT)) is not None:
        blank = len(content) - len(content.lstrip())
        return [Document(parsed[0], content.count("\n", 0, blank) + 1, "")]
    if whole is not None and duplicates is not None:
        duplicates += whole.duplicates
        return whole.documents
    try:
        return Reader(content, duplicates).documents()
    except Refusal as refusal:
        _fail(f"{source}, line {refusal.line}, column {refusal.column}", refusal.problem, refusal.remedy)
    except StopIteration:
        _fail(source, f"it has more than {EVENT_LIMIT} values", "split it into smaller inputs")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        _fail(where, f"invalid YAML: {error.problem or error.context}", "correct it there, or just before")
    except yaml.reader.ReaderError as error:
        _fail(source, f"invalid YAML: {error.reason}, at character {error.position}", "remove that character")


def read_all(text: str | bytes, *, source: str = "<input>") -> list[object]:
    """Return the data of every document that is not empty. Raises as read_documents does."""
    return [document.data for document in read_documents(text, source=source)]


def read(text: str | bytes, *, source: str = "<input>") -> object:
    """Return the data of the only document, or None. Raises as read_documents does, and for a second document."""
    documents = read_documents(text, source=source)
    if len(documents) > 1:
        where = f"{source}, line {documents[1].line}"
        _fail(where, "a second document begins, and Helm would read only the first", "keep one document")
    return documents[0].data if documents else None


def _decoded(text: str | bytes, source: str) -> str:
    if len(text) > SIZE_LIMIT:
        _fail(source, f"it is larger than {SIZE_LIMIT >> 20} MiB", "split it into smaller inputs")
    try:
        return (text if isinstance(text, str) else text.decode()).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        _fail(source, f"it is not UTF-8 at byte {error.start}", "save it as UTF-8")


def _fail(where: str, problem: str, remedy: str) -> NoReturn:
    raise InvalidManifest(f"{where}: {problem}", remedy=remedy) from None
