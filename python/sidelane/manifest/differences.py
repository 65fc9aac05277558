"""Comparison of two sets of objects, field by field, and its lines for people."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sidelane.manifest.fields import at
from sidelane.manifest.objects import SECRET_FIELDS, Identity, Object
from sidelane.support import harmless
from sidelane.support.redaction import redact, redacted
from sidelane.support.secrets import HIDDEN, is_secret, without_secrets

#: Stands for a missing field or object, as distinct from null.
ABSENT: Final = object()

_SHOWN: Final = 60  # characters of a value in a line


class Difference(NamedTuple):
    """One field in which two objects differ. A missing side is ABSENT. An empty path means the whole object.

    Secrets are HIDDEN on both sides.
    """

    identity: Identity
    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return harmless.in_line(f"{self.identity}: {self.path}: {in_line(self.before, self.after)}")

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, without the side that is absent."""
        sides = {"before": self.before, "after": self.after}
        known = {key: value for key, value in sides.items() if value is not ABSENT}
        return {"object": self.identity.to_json(), "path": self.path, **known}


def diff_objects(a: Iterable[Object], b: Iterable[Object], names: tuple[str, str]) -> Iterator[str]:
    """Yield lines such as ``StatefulSet zk-coco-1: spec.replicas: 3 → 5``, in the order of the objects' identities."""
    for difference in differences(a, b):
        if difference.path:
            yield str(difference)
        else:
            yield f"{difference.identity}: only in {names[0] if difference.after is ABSENT else names[1]}"


def differences(a: Iterable[Object], b: Iterable[Object]) -> Iterator[Difference]:
    """Yield every field that differs, in the order of the objects' identities."""
    left, right = _by_identity(a), _by_identity(b)
    for identity in sorted(left.keys() | right.keys()):
        for obj in left[identity][len(right[identity]) :]:
            yield Difference(identity, "", _shown_whole(obj), ABSENT)
        for obj in right[identity][len(left[identity]) :]:
            yield Difference(identity, "", ABSENT, _shown_whole(obj))
        for old, new in zip(left[identity], right[identity], strict=False):
            for path, before, after in fields(old.body, new.body):
                yield Difference(identity, path, public(identity, path, before), public(identity, path, after))


def fields(a: Any, b: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield every field that differs in two values of any type, as path, before and after."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in sorted(a.keys() | b.keys()):
            yield from fields(a.get(key, ABSENT), b.get(key, ABSENT), joined(path, key))
    elif isinstance(a, list) and isinstance(b, list):
        left, right = (_named(a), _named(b)) if have_names(a) and have_names(b) else (_numbered(a), _numbered(b))
        for key in [*left, *(key for key in right if key not in left)]:
            yield from fields(left.get(key, ABSENT), right.get(key, ABSENT), f"{path}[{key}]")
    elif type(a) is not type(b) or a != b:
        yield path, a, b


def in_line(before: Any, after: Any) -> str:
    """Return two values as one line: ``3 → 5``; for texts of several lines, the first line that differs."""
    if isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
        return _lines(before.splitlines(), after.splitlines())
    return f"{shown(before)} → {shown(after)}"


def hides(identity: Identity, path: str) -> bool:
    """Return whether a field holds a secret: a Secret's data, or a value under a secret key."""
    return (identity.kind == "Secret" and path.startswith(SECRET_FIELDS)) or is_secret(re.split(r"[.\[\]]+", path))


def _by_identity(objects: Iterable[Object]) -> defaultdict[Identity, list[Object]]:
    groups: defaultdict[Identity, list[Object]] = defaultdict(list)
    for obj in sorted(objects, key=Object.canonical):
        groups[obj.identity].append(obj)
    return groups


def joined(path: str, key: str) -> str:
    """Return the path of a key below another path."""
    step = f"[{key}]" if "." in key or "/" in key else f".{key}"
    return f"{path}{step}" if path else key


def have_names(items: list[Any]) -> bool:
    """Return whether every item of a list has a unique name."""
    names = [at(item, "name") for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _named(items: list[Any]) -> dict[str, Any]:
    """Return the items by name, as Kubernetes matches containers, ports and volumes."""
    return {item["name"]: item for item in items}


def _numbered(items: list[Any]) -> dict[str, Any]:
    return {str(index): item for index, item in enumerate(items)}


def _shown_whole(obj: Object) -> Any:
    return obj.without_secrets(frozenset()).body


def public(identity: Identity, path: str, value: Any) -> Any:
    """Return a field's value with every secret hidden: the whole value, or secrets inside it."""
    if value is ABSENT or value is None:
        return value
    return HIDDEN if hides(identity, path) else redacted(without_secrets(value))


def _lines(a: list[str], b: list[str]) -> str:
    """Return the first line in which two texts differ, and the number of further ones."""
    import difflib  # noqa: PLC0415 - only for texts that differ

    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    if not changes:
        return "the end of the last line"
    _, first, last, begin, end = changes[0]
    before, after = (shown(lines[0]) if lines else "(absent)" for lines in (a[first:last], b[begin:end]))
    more = sum(max(change[2] - change[1], change[4] - change[3]) for change in changes) - 1
    return f"line {first + 1}: {before} → {after}" + (f", and {more} more" if more else "")


def shown(value: Any) -> str:
    """Return a value for one line, cut to _SHOWN characters."""
    if value is ABSENT:
        return "(absent)"
    if value == HIDDEN:
        return HIDDEN
    text = redact(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
