r"""YAML as Kubernetes and Helm read it, which is not as PyYAML reads it.

Both turn YAML into JSON with sigs.k8s.io/yaml over go-yaml v2: ``1e3`` is a number, ``n`` is false, ``22:22`` and
dates are text, and every key is text. What is read here is what the API server gets:

>>> read("replicas: 1e3\nenabled: n\nport: 22:22\n8080: yes\n")
{'replicas': 1000, 'enabled': False, 'port': '22:22', '8080': True}

- scalars.py: what one scalar means;
- reader.py: documents, within limits that hostile input can't pass;
- json_text.py: an input that is JSON;
- written.py: a scalar as it was written;
- writer.py: YAML that every reader takes back as the very same data; imported by whoever writes.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

import yaml

from sidelane.errors import InvalidManifest
from sidelane.kubeyaml import json_text
from sidelane.kubeyaml.reader import DEPTH_LIMIT, EVENT_LIMIT, Document, Reader
from sidelane.kubeyaml.scalars import Refusal

__all__ = ["SIZE_LIMIT", "Document", "read", "read_all", "read_documents"]

#: Bytes of one input. Helm keeps a release gzipped in a Secret of at most 1 MiB, which is seldom over 20 MiB of YAML.
SIZE_LIMIT: Final = 64 * 2**20
# Helm and kubectl split their input at every line that begins with three dashes, also where YAML sees text there;
# and a byte order mark at the beginning of a line is indentation to go-yaml.
_MISREAD: Final = re.compile(r"^(---\S|\ufeff)", re.MULTILINE)


def read_documents(text: str | bytes, *, source: str = "<input>") -> list[Document]:
    """Every document that holds something, as Kubernetes would read it.

    Raises InvalidManifest, with the source's name, line and column, for what is no YAML, what Kubernetes would refuse
    or read otherwise than it looks (a key twice, infinity, Python's tags), and what would take too much to read.
    """
    content = _decoded(text, source)
    if misread := _MISREAD.search(content):
        what = "a byte order mark" if misread[1] == "\ufeff" else "--- with more behind it"
        line = content.count("\n", 0, misread.start()) + 1
        _fail(
            f"{source}, line {line}", f"{what} is read in two ways", "put --- on a line of its own, save without marks"
        )
    if (found := json_text.read(content, depth_limit=DEPTH_LIMIT, value_limit=EVENT_LIMIT)) is not None:
        blank = len(content) - len(content.lstrip())
        return [Document(found[0], content.count("\n", 0, blank) + 1, "")]
    try:
        return Reader(content).documents()
    except Refusal as refusal:
        _fail(f"{source}, line {refusal.line}, column {refusal.column}", refusal.problem, refusal.remedy)
    except StopIteration:
        _fail(source, f"it has more than {EVENT_LIMIT} values", "split it into smaller inputs")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        _fail(where, f"it is no YAML: {error.problem or error.context}", "correct it there, or just before")
    except yaml.reader.ReaderError as error:
        _fail(source, f"it is no YAML: {error.reason}, at character {error.position}", "remove that character")


def read_all(text: str | bytes, *, source: str = "<input>") -> list[object]:
    """The data of every document that holds something. Raises as read_documents does."""
    return [document.data for document in read_documents(text, source=source)]


def read(text: str | bytes, *, source: str = "<input>") -> object:
    """The data of the one document, None where there is none. Raises as read_documents does, and for a second one."""
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
