"""Two sets of objects compared field by field, in lines that people read."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sidelane.hidden import HIDDEN, is_secret
from sidelane.manifest.fields import at
from sidelane.manifest.objects import Identity, Object

_ABSENT: Final = object()
_SECRET_FIELDS: Final = ("data", "stringData")
_SHOWN: Final = 60  # characters of a value in a line


def diff_objects(a: Iterable[Object], b: Iterable[Object], names: tuple[str, str]) -> Iterator[str]:
    """Lines such as ``StatefulSet zk-coco-1: spec.replicas: 3 → 5``, in the order of the objects' identities."""
    left, right = _by_identity(a), _by_identity(b)
    for identity in sorted(left.keys() | right.keys()):
        for only, side, other in ((names[0], left, right), (names[1], right, left)):
            for _ in side[identity][len(other[identity]) :]:
                yield f"{identity}: only in {only}"
        for one, two in zip(left[identity], right[identity], strict=False):
            for path, before, after in _fields("", one.body, two.body):
                yield f"{identity}: {path}: {_line(identity, path, before, after)}"


def _by_identity(objects: Iterable[Object]) -> defaultdict[Identity, list[Object]]:
    groups: defaultdict[Identity, list[Object]] = defaultdict(list)
    for obj in sorted(objects, key=Object.canonical):
        groups[obj.identity].append(obj)
    return groups


def _fields(path: str, a: Any, b: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in sorted(a.keys() | b.keys()):
            yield from _fields(_joined(path, key), a.get(key, _ABSENT), b.get(key, _ABSENT))
    elif isinstance(a, list) and isinstance(b, list):
        left, right = (_named(a), _named(b)) if _have_names(a) and _have_names(b) else (_numbered(a), _numbered(b))
        for key in [*left, *(key for key in right if key not in left)]:
            yield from _fields(f"{path}[{key}]", left.get(key, _ABSENT), right.get(key, _ABSENT))
    elif type(a) is not type(b) or a != b:
        yield path, a, b


def _joined(path: str, key: str) -> str:
    shown = f"[{key}]" if "." in key or "/" in key else f".{key}"
    return f"{path}{shown}" if path else key


def _have_names(items: list[Any]) -> bool:
    names = [at(item, "name") for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _named(items: list[Any]) -> dict[str, Any]:
    """Items by their names, as Kubernetes itself matches containers, ports and volumes."""
    return {item["name"]: item for item in items}


def _numbered(items: list[Any]) -> dict[str, Any]:
    return {str(index): item for index, item in enumerate(items)}


def _line(identity: Identity, path: str, a: Any, b: Any) -> str:
    if (identity.kind == "Secret" and path.startswith(_SECRET_FIELDS)) or is_secret(re.split(r"[.\[\]]+", path)):
        return " → ".join("(absent)" if value is _ABSENT else HIDDEN for value in (a, b))
    if isinstance(a, str) and isinstance(b, str) and ("\n" in a or "\n" in b):
        return _lines(a.splitlines(), b.splitlines())
    return f"{_value(a)} → {_value(b)}"


def _lines(a: list[str], b: list[str]) -> str:
    """The first place where two texts differ, and in how many more they do."""
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    if not changes:
        return "the end of the last line"
    _, first, last, begin, end = changes[0]
    before, after = (_value(lines[0]) if lines else "(absent)" for lines in (a[first:last], b[begin:end]))
    more = sum(max(change[2] - change[1], change[4] - change[3]) for change in changes) - 1
    return f"line {first + 1}: {before} → {after}" + (f", and {more} more" if more else "")


def _value(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
