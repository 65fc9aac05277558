"""Objects against the schemas of their kinds, in every version of Kubernetes of a range."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sidelane.checks.kubernetes import definitions, published
from sidelane.checks.kubernetes.versions import shown
from sidelane.manifest import Manifest, Object

if TYPE_CHECKING:
    import jsonschema_rs


class Fault(NamedTuple):
    """A field that a schema refuses."""

    path: str
    message: str


class _Checked(NamedTuple):
    """A compiled schema and the versions of Kubernetes that have it; none for a custom resource."""

    minors: tuple[int, ...]
    schema: Mapping[str, Any]
    validator: jsonschema_rs.Validator


class Validation:
    """The schemas for the objects of a manifest: those of its own definitions, of folders, and of Kubernetes."""

    def __init__(self, manifest: Manifest, minors: tuple[int, ...], folders: tuple[str, ...]) -> None:
        self._minors = minors
        self._custom = [
            definitions.of_manifest(obj.body for obj in manifest.objects),
            *(definitions.of_folder(folder) for folder in folders),
        ]
        self._compiled: dict[tuple[str, str], tuple[_Checked, ...]] = {}
        self._groups = frozenset(
            name.rpartition("/")[0] for minor in minors for name, _ in published.of_version(minor).names
        )

    def knows(self, obj: Object) -> bool:
        """Return whether there is a schema for an object, or Kubernetes has its group."""
        return obj.identity.group in self._groups or bool(self._schemas(obj))

    def missing(self, obj: Object) -> tuple[int, ...]:
        """Return the versions of Kubernetes that do not have an object's kind in its API version."""
        if obj.identity.group not in self._groups:
            return ()
        known = {minor for each in self._schemas(obj) for minor in each.minors or self._minors}
        return tuple(minor for minor in self._minors if minor not in known)

    def faults(self, obj: Object) -> Iterator[Fault]:
        """Yield what the schemas refuse, with the versions that do, if not all of the range do."""
        refused: defaultdict[Fault, list[int]] = defaultdict(list)
        schemas = self._schemas(obj)
        for minors, schema, validator in schemas:
            if not validator.is_valid(obj.body):
                for fault in _explained(schema, validator, obj):
                    refused[fault] += minors
        for fault, where_refused in refused.items():
            everywhere = len(where_refused) >= sum(len(each.minors) for each in schemas)
            where = "" if everywhere else f" in Kubernetes {shown(tuple(sorted(where_refused)))}"
            yield Fault(fault.path, f"{fault.message}{where}")

    def _schemas(self, obj: Object) -> tuple[_Checked, ...]:
        key = str(obj.body.get("apiVersion")), obj.kind
        if key not in self._compiled:
            own = next(filter(None, (definitions.find(each, *key) for each in self._custom)), None)
            self._compiled[key] = (_compiled((), own),) if own is not None else _of_kubernetes(*key, self._minors)
        return self._compiled[key]


@functools.lru_cache(maxsize=512)
def _of_kubernetes(api_version: str, kind: str, minors: tuple[int, ...]) -> tuple[_Checked, ...]:
    """Compile the different schemas that a kind has in some versions: most kinds have one."""
    versions: list[tuple[list[int], dict[str, Any]]] = []
    for minor in minors:
        schema = published.of_version(minor).schema(api_version, kind)
        if schema is None:
            continue
        if versions and versions[-1][1] == schema:
            versions[-1][0].append(minor)
        else:
            versions.append(([minor], schema))
    return tuple(_compiled(tuple(own), schema) for own, schema in versions)


def _compiled(minors: tuple[int, ...], schema: dict[str, Any]) -> _Checked:
    import jsonschema_rs  # noqa: PLC0415 - few checks have schemas

    try:
        return _Checked(minors, schema, jsonschema_rs.validator_for(schema, retriever=_unreachable))
    except jsonschema_rs.ValidationError:
        # A pattern of Go that this library cannot read.
        schema = _without_patterns(schema)
        return _Checked(minors, schema, jsonschema_rs.validator_for(schema, retriever=_unreachable))


def _unreachable(uri: str) -> Any:
    raise LookupError(uri)


def _without_patterns(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _without_patterns(inner)
            for key, inner in node.items()
            if not (key == "pattern" and isinstance(inner, str))
        }
    return [_without_patterns(each) for each in node] if isinstance(node, list) else node


def _explained(schema: Mapping[str, Any], validator: jsonschema_rs.Validator, obj: Object) -> Iterator[Fault]:
    from sidelane.support.explaining import errors  # noqa: PLC0415 - only for refused objects

    is_known = False
    for path, text in errors(schema, obj.body):
        is_known = True
        # A Secret's values are never repeated.
        hidden = obj.kind == "Secret" and path.partition(".")[0] in {"data", "stringData"}
        yield Fault(path, "the value does not have the form of the schema" if hidden else text)
    if not is_known:
        for error in validator.iter_errors(obj.body):
            yield Fault("", f"is not valid in the schema ({error.kind.name})")
