"""The reader of documents: libyaml's events into plain data, within limits that hostile input cannot exceed.

The recursion follows the nesting of a document, which DEPTH_LIMIT bounds. Aliases are copied, so that no data is
shared; ALIAS_LIMIT bounds the copies, EVENT_LIMIT and SIZE_LIMIT the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Final, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from sidelane.kubeyaml.scalars import (
    MERGE_TAG,
    Native,
    Refusal,
    refuse_python,
    resolve,
    resolve_tagged,
    to_json,
    to_key,
)

#: Levels of nesting. Published custom resource definitions have up to about 60; Python's own stack ends at 1000.
DEPTH_LIMIT: Final = 100
#: The most libyaml events of one input: about 45 MB of ordinary manifests.
EVENT_LIMIT: Final = 4_000_000
#: The most nodes that aliases copy in one input. go-yaml stops ("excessive aliasing") near 400,000 in a document.
ALIAS_LIMIT: Final = 100_000

# libyaml, if PyYAML's wheel has it. Both classes give the same events, and neither constructs objects here.
_PARSER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE: Final = "\0<<"  # never a key: YAML has no NUL
#: An escaped slash: a slash after a backslash that is not itself escaped.
_SLASH: Final = re.compile(r"(?<!\\)(\\\\)*\\/")
_OPEN: Final = object()  # an anchor whose node has not ended


class Document(NamedTuple):
    """One document: its data, the line of its first node (from 1), and the comments before that."""

    data: object
    line: int
    comment: str


class Duplicate(NamedTuple):
    """A key that a mapping has twice, cut to 60 characters, with its line and column from 1."""

    line: int
    column: int
    key: str


class _Scalars(dict[str, Any]):
    """A cache of plain scalars' values by their text: most texts occur many times in a manifest."""

    def __missing__(self, text: str) -> object:
        value = self[text] = to_json(resolve(text))
        return value


class _Keys(dict[str, str]):
    """A cache of plain keys by their text."""

    def __missing__(self, text: str) -> str:
        key = self[text] = to_key(resolve(text))
        return key


class Reader:
    """The reader of one input. Raises Refusal, StopIteration past EVENT_LIMIT, and PyYAML's own errors.

    duplicates: gets each duplicate key, and the last one counts, as in Helm; without it the first one is refused.
    parts: the number of parts of an input, of which the text is one; each gets its share of the limits. lines, end: the
    number of lines, and the index after the last document, once all are read.
    """

    def __init__(self, text: str, duplicates: list[Duplicate] | None = None, *, parts: int = 1) -> None:
        self._text = text
        self._duplicates = duplicates
        # An iterator over a C function, cut by islice: the limit costs nothing per event.
        self._take: Callable[[], Any] = islice(iter(_PARSER(text).get_event, None), EVENT_LIMIT // parts).__next__
        self._scalars = _Scalars()
        self._keys = _Keys({"<<": _MERGE})
        self._anchors: dict[str, Any] = {}
        self._aliases_left = ALIAS_LIMIT // parts
        self.lines = self.end = 0
        self._has_slashes = "\\/" in text

    def documents(self) -> list[Document]:
        """Return every document that is not empty."""
        documents = []
        mark: Any  # PyYAML's type hints lack it
        while type(event := self._take()) is not StreamEndEvent:
            if type(event) is DocumentStartEvent:
                if event.version or event.tags:
                    raise Refusal("a YAML directive (%) is not allowed by Kubernetes", "remove it").at(event)
                self._anchors.clear()
                node = self._take()
                mark = node.start_mark
                documents.append(Document(self._value(node, 0), mark.line + 1, self._text[self.end : mark.index]))
            elif type(event) is DocumentEndEvent:
                mark = event.end_mark
                self.end = mark.index
        mark = event.start_mark
        self.lines = mark.line
        return [document for document in documents if document.data is not None]

    def _mapping(self, depth: int) -> dict[str, Any]:
        take, scalars, keys = self._take, self._scalars, self._keys
        result: dict[str, Any] = {}
        merged: set[str] = set()
        event = None
        try:
            while type(event := take()) is not MappingEndEvent:
                plain = type(event) is ScalarEvent and event.implicit[0] and event.tag is None and event.anchor is None
                key = keys[event.value] if plain else self._key(event)
                if key is _MERGE:
                    self._merge(result, merged, depth)
                    continue
                if key in result and key not in merged:
                    self._duplicate(key, event)
                merged.discard(key)
                event = take()
                plain = type(event) is ScalarEvent and event.implicit[0] and event.tag is None and event.anchor is None
                result[key] = scalars[event.value] if plain else self._value(event, depth)
        except Refusal as refusal:
            refusal.at(event)
            raise
        return result

    def _duplicate(self, key: str, event: Any) -> None:
        if self._duplicates is None:
            raise Refusal(f"the key {key[:60]!r} is duplicated, and Helm would keep the last", "remove one")
        self._duplicates.append(Duplicate(event.start_mark.line + 1, event.start_mark.column + 1, key[:60]))

    def _sequence(self, depth: int) -> list[Any]:
        take, scalars = self._take, self._scalars
        result: list[Any] = []
        event = None
        try:
            while type(event := take()) is not SequenceEndEvent:
                plain = type(event) is ScalarEvent and event.implicit[0] and event.tag is None and event.anchor is None
                result.append(scalars[event.value] if plain else self._value(event, depth))
        except Refusal as refusal:
            refusal.at(event)
            raise
        return result

    def _value(self, event: Any, depth: int) -> Any:
        """Return any node's value. depth: the number of mappings and sequences around it."""
        try:
            if type(event) is AliasEvent:
                return self._copy(self._anchored(event), depth)
            if type(event) is ScalarEvent:
                return to_json(self._native(event))
            return self._collection(event, depth)
        except Refusal as refusal:
            refusal.at(event)
            raise

    def _collection(self, event: Any, depth: int) -> Any:
        _check_depth(depth)
        refuse_python(event.tag)
        if event.anchor is not None:
            self._anchors[event.anchor] = _OPEN
        value = self._mapping(depth + 1) if type(event) is MappingStartEvent else self._sequence(depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _native(self, event: Any) -> Native:
        if self._has_slashes and event.style == '"':
            start: Any = event.start_mark
            if _SLASH.search(self._text, start.index, event.end_mark.index):
                raise Refusal("Kubernetes allows the escape \\/ only in JSON", "write / instead")
        if event.tag is not None:
            value = resolve_tagged(event.tag, event.value)
        else:
            value = resolve(event.value) if event.implicit[0] else event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _key(self, event: Any) -> str:
        native = self._anchored(event) if type(event) is AliasEvent else None
        if type(event) is ScalarEvent:
            if event.value == "<<" and (event.implicit[0] or event.tag == MERGE_TAG):
                return _MERGE
            native = self._native(event)
        elif type(event) is not AliasEvent or isinstance(native, dict | list):
            raise Refusal("a key is a list or a mapping", "give it as text")
        return to_key(native)

    def _merge(self, result: dict[str, Any], merged: set[str], depth: int) -> None:
        """Merge as go-yaml v2 does: in the order of the text, so that it overrides earlier keys."""
        event = self._take()
        value = self._value(event, depth)
        layers = value[::-1] if isinstance(value, list) and type(event) is not AliasEvent else [value]
        for layer in layers:
            if not isinstance(layer, dict):
                raise Refusal("<< must have a mapping, or a list of mappings", "merge a mapping").at(event)
            result.update(layer)
            merged.update(layer)

    def _anchored(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise Refusal("an alias has no earlier anchor", "define the anchor in the same document")
        value = self._anchors[event.anchor]
        if value is _OPEN:
            raise Refusal("an alias is inside its own anchor", "write the value out")
        return value

    def _copy(self, value: Any, depth: int) -> Any:
        self._aliases_left -= 1
        if self._aliases_left < 0:
            raise Refusal(f"aliases expand to more than {ALIAS_LIMIT} values", "write out the values that you need")
        if not isinstance(value, dict | list):
            return to_json(value)
        _check_depth(depth)
        if isinstance(value, dict):
            return {key: self._copy(item, depth + 1) for key, item in value.items()}
        return [self._copy(item, depth + 1) for item in value]


def _check_depth(depth: int) -> None:
    if depth >= DEPTH_LIMIT:
        raise Refusal(f"values are nested more than {DEPTH_LIMIT} levels deep", "reduce the nesting")
