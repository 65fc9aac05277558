"""Compare a stored release with its record.

Values are compared as templates see them: the given ones merged over the chart's defaults. Objects are compared by
digests, independently of the values. Exceptions are the replicas of a workload that may be scaled, which must equal
their value, objects of a kind that a changed operational value controls, and fields with a changed operational value
whose meaning is unknown, such as ``logLevel``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sidelane.charts.chart import coalesce
from sidelane.helm.values import plain
from sidelane.manifest import Manifest, Object, digest, operational
from sidelane.manifest.differences import ABSENT, in_line
from sidelane.manifest.fields import at
from sidelane.manifest.objects import canonical
from sidelane.manifest.operational import under
from sidelane.releases.provenance import Record, leaves
from sidelane.releases.provenance.statement import digests, digests_without_replicas, guarded
from sidelane.support.secrets import secret_texts, without_secrets

#: The values of the lane. It is compared in every object's name and labels instead.
_LANE = frozenset({"Version", "Build", "global.Version", "global.Build"})


class Compared(NamedTuple):
    """The differences from a record, as lines. changed: forbidden ones; operated: allowed ones."""

    changed: tuple[str, ...]
    operated: tuple[str, ...]


def compared(record: Record, manifest: Manifest, values: Mapping[str, Any]) -> Compared:
    """Compares a release with its record. values: the release's present values from the user."""
    shown = without_secrets(dict(values))
    changed, operated = _values(record, shown)
    return Compared((*changed, *_objects(record, manifest, values, list(operated))), tuple(operated.values()))


def _values(record: Record, shown: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Returns lines for forbidden changes of values, and lines by path for operational ones."""
    if record.values is None:
        if guarded(shown, record.operational) != record.guarded:
            return ["values: are changed, and the record has only their digest"], {}
        same = digest(canonical(shown)) == record.values_digest
        line = "values: operational ones are changed"
        return [], {} if same else dict.fromkeys(sorted(record.operational), line)
    # A record without defaults is of an older version.
    defaults = record.defaults or {}
    before, after = (_effective(defaults, values) for values in (record.values, shown))
    lines = {
        path: f"values: {path}: {in_line(before.get(path, ABSENT), after.get(path, ABSENT))}"
        for path in sorted({*before, *after} - _LANE)
        if _written(before.get(path, ABSENT)) != _written(after.get(path, ABSENT))
    }
    may = {path: line for path, line in lines.items() if under(path, record.operational)}
    return [line for path, line in lines.items() if path not in may], may


def _effective(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(leaves(plain(coalesce(defaults, values))))


def _written(value: Any) -> str | None:
    """Returns JSON, in which 1 and true differ."""
    return None if value is ABSENT else canonical(value)


def _objects(record: Record, manifest: Manifest, values: Mapping[str, Any], operated: list[str]) -> Iterator[str]:
    """Yields a line for each object that differs from the record. operated: the changed operational values."""
    shown = manifest.without_secrets(secret_texts(values))
    now = digests(shown, tests=record.tests is not None)
    recorded, scaled = {**record.objects, **(record.tests or {})}, digests_without_replicas(shown)
    objects = {obj.identity.path: obj for obj in manifest.objects}
    targets = {identity.path for identity in operational.autoscaled(manifest.objects)}
    twice = [path for path, times in Counter(obj.identity.path for obj in manifest.objects).items() if times > 1]
    yield from (f"{path} exists more than once" for path in twice)
    verbs = {(True, True): "is changed", (True, False): "is new", (False, True): "is gone"}
    for path in sorted({*now, *recorded}):
        obj, own = objects.get(path), record.scalable.get(path)
        if obj is not None and own is not None and scaled[path] == own.digest:
            if path not in targets and (line := _odd_number(record, values, obj, own.value)):
                yield line
        elif now.get(path) == recorded.get(path) or _stands_for(operated, path, obj):
            continue
        elif obj is None or not _put_back(record, values, operated, obj, path):
            yield f"{path} {verbs[path in now, path in recorded]}"


def _odd_number(record: Record, values: Mapping[str, Any], obj: Object, path: str) -> str:
    """Returns a line if a workload's replicas differ from their value."""
    said = operational.value_at(coalesce(record.defaults or {}, values), path)
    number = at(obj.body, "spec", "replicas")
    # A whole number from a file may be a float.
    if isinstance(said, bool) or not isinstance(said, int | float) or number is None or number == said:
        return ""
    return f"{obj.identity.path} has spec.replicas {number}, and the value {path} is {said:g}"


def _stands_for(operated: Iterable[str], path: str, obj: Object | None) -> bool:
    """Tells whether a changed operational value controls an object. obj: None for a removed one."""
    if obj is not None:
        return operational.of_kind(obj, operated)
    kind = path.partition("/")[0].partition(".")[0]
    return any(operational.stands_for(kind, value) for value in operated)


def _put_back(record: Record, values: Mapping[str, Any], operated: Iterable[str], obj: Object, path: str) -> bool:
    """Tells whether an object equals the recorded one after changed operational values are restored in its fields.

    So a value with unknown fields excuses only those fields that hold it, whole or in a text. If the record has only
    digests, such a value excuses the whole object.
    """
    if record.values is None:
        return any(not operational.known(value) for value in operated)
    before, after = (coalesce(record.defaults or {}, given) for given in (record.values or {}, values))
    pairs = [
        (operational.value_at(after, value), operational.value_at(before, value))
        for value in operated
        if not operational.known(value)
    ]
    pairs = [pair for pair in pairs if all(_is_plain(value) for value in pair)]
    own = record.scalable.get(path)
    recorded = record.objects.get(path) or (record.tests or {}).get(path)
    wanted = {recorded, own.digest if own else None} - {None}
    for in_texts in (False, True) if pairs else ():
        shown = obj._replace(body=_with(obj.body, pairs, in_texts=in_texts)).without_secrets(secret_texts(values))
        if wanted & {digest(shown.canonical()), digest(operational.without_replicas(shown))}:
            return True
    return False


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and value != ""


def _with(node: Any, pairs: Iterable[tuple[Any, Any]], *, in_texts: bool) -> Any:
    """Returns a copy with values replaced, as whole fields or, with in_texts, also inside texts."""
    if isinstance(node, Mapping):
        return {key: _with(inner, pairs, in_texts=in_texts) for key, inner in node.items()}
    if isinstance(node, list):
        return [_with(inner, pairs, in_texts=in_texts) for inner in node]
    for new, old in pairs:
        if _written(node) == _written(new):
            return old
        if isinstance(node, str) and (node == _text(new) or (in_texts and _text(new) in node)):
            node = node.replace(_text(new), _text(old))
    return node


def _text(value: Any) -> str:
    """Returns a value as a template writes it into a text."""
    return value if isinstance(value, str) else canonical(value)
