"""The schemas of custom resources: from CustomResourceDefinitions, and from a folder of these or of JSON schemas.

A JSON schema's file has kubeconform's layout: ``<group>/<kind>_<version>.json``, or ``<kind>-<group>-<version>.json``,
in lower case; the second form may have the group's first word only.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sidelane import kubeyaml
from sidelane.errors import InvalidInput
from sidelane.support import files

#: The most files of a folder.
FILES_LIMIT: Final = 20_000
#: Keywords that mean the same in OpenAPI 3.0 and in JSON schema.
_PLAIN: Final = (
    "enum", "pattern", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
    "uniqueItems", "minProperties", "maxProperties", "description",
)  # fmt: skip
_UNKNOWN: Final = "x-kubernetes-preserve-unknown-fields"

#: apiVersion and kind → schema; the kind in lower case, as in the names of files.
Schemas = Mapping[tuple[str, str], dict[str, Any]]


def of_manifest(bodies: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the schemas of all CustomResourceDefinitions among these objects."""
    return {
        key: schema
        for body in bodies
        if body.get("kind") == "CustomResourceDefinition" and body.get("apiVersion") == "apiextensions.k8s.io/v1"
        for key, schema in _of_definition(body)
    }


def of_folder(folder: str) -> Schemas:
    """Return the schemas in a folder. Raises InvalidInput for a missing folder, InvalidManifest for an invalid file."""
    root = Path(folder)
    if not root.is_dir():
        raise InvalidInput(f"{folder!r} is not a folder of schemas", remedy="check the path of --schemas")
    inputs = sorted(path for path in root.rglob("*") if path.suffix in {".yaml", ".yml", ".json"} and path.is_file())
    if len(inputs) > FILES_LIMIT:
        raise InvalidInput(f"{folder!r} has more than {FILES_LIMIT} files", remedy="name a folder inside it")
    return _read(tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in inputs))


@functools.lru_cache(maxsize=8)
def _read(inputs: tuple[tuple[str, int, int], ...]) -> Schemas:
    """Read files, whose time and size are a part of the key: a test run reads a folder once."""
    schemas: dict[tuple[str, str], dict[str, Any]] = {}
    for name, _, _ in inputs:
        content = files.bounded(name, kubeyaml.SIZE_LIMIT)
        documents = kubeyaml.read_all(content, source=name)
        bodies = [document for document in documents if isinstance(document, dict)]
        if own := of_manifest(bodies):
            schemas.update(own)
        elif name.endswith(".json") and bodies and (key := _key(Path(name))):
            schemas[key] = bodies[0]
    return schemas


def _key(path: Path) -> tuple[str, str] | None:
    """Return what a file's name says: the group and version, and the kind."""
    kind, underscore, version = path.stem.lower().rpartition("_")
    if underscore:
        return f"{path.parent.name.lower()}/{version}", kind
    kind, dash, rest = path.stem.lower().partition("-")
    group, _, version = rest.rpartition("-")
    return (f"{group}/{version}" if group else version, kind) if dash else None


def find(schemas: Schemas, api_version: str, kind: str) -> dict[str, Any] | None:
    """Return the schema of a kind, also from a file with the first word of its group."""
    group, _, version = api_version.rpartition("/")
    short = f"{group.partition('.')[0]}/{version}" if group else version
    return schemas.get((api_version, kind.lower())) or schemas.get((short, kind.lower()))


def _of_definition(body: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    spec = body.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(names, dict):
        return
    for version in spec.get("versions") or ():
        schema = version.get("schema") if isinstance(version, dict) else None
        own = schema.get("openAPIV3Schema") if isinstance(schema, dict) else None
        if isinstance(own, dict):
            yield (f"{spec.get('group')}/{version.get('name')}", str(names.get("kind")).lower()), _root(own)


def _root(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a whole object, of which the API server checks apiVersion, kind and metadata itself."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_object(_converted(schema), schema)}


def _object(made: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    own = {"apiVersion": text, "kind": text, "metadata": {"type": "object"}}
    # A field that a strict API server does not know is refused, unless the definition keeps unknown ones.
    open_ = {} if schema.get(_UNKNOWN) or "properties" not in made else {"additionalProperties": False}
    return {**made, "properties": {**made.get("properties", {}), **own}, **open_}


def _converted(schema: Any, *, closed: bool = True) -> dict[str, Any]:
    """Return an OpenAPI schema as JSON schema. closed: unknown fields are refused; not inside anyOf and the like."""
    if not isinstance(schema, dict):
        return {}
    made: dict[str, Any] = {key: schema[key] for key in _PLAIN if key in schema}
    made.update(_kinds(schema))
    for limit in ("Minimum", "Maximum"):
        if schema.get(f"exclusive{limit}") is True and limit.lower() in made:
            made[f"exclusive{limit}"] = made.pop(limit.lower())
    for key in ("allOf", "anyOf", "oneOf"):
        if isinstance(schema.get(key), list):
            made[key] = [_converted(each, closed=False) for each in schema[key]]
    if "not" in schema:
        made["not"] = _converted(schema["not"], closed=False)
    if isinstance(schema.get("items"), dict):
        made["items"] = _converted(schema["items"], closed=closed)
    made.update(_fields(schema, closed=closed))
    return _object(made, schema) if schema.get("x-kubernetes-embedded-resource") else made


def _kinds(schema: Mapping[str, Any]) -> dict[str, Any]:
    kinds = ["integer", "string"] if schema.get("x-kubernetes-int-or-string") else [schema.get("type")]
    kinds = [kind for kind in kinds if isinstance(kind, str)]
    if not kinds:
        return {}
    nullable = schema.get("nullable") is True
    enum = {"enum": [*schema["enum"], None]} if nullable and isinstance(schema.get("enum"), list) else {}
    return {"type": [*kinds, "null"] if nullable else kinds, **enum}


def _fields(schema: Mapping[str, Any], *, closed: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    properties, more = schema.get("properties"), schema.get("additionalProperties")
    if isinstance(properties, dict):
        made["properties"] = {name: _converted(each, closed=closed) for name, each in properties.items()}
        if closed and more is None and not schema.get(_UNKNOWN):
            made["additionalProperties"] = False
    if isinstance(more, dict | bool):
        made["additionalProperties"] = _converted(more, closed=closed) if isinstance(more, dict) else more
    if isinstance(schema.get("required"), list):
        # The API server fills in defaults before it validates.
        known = properties if isinstance(properties, dict) else {}
        defaults = {name for name, each in known.items() if isinstance(each, dict) and "default" in each}
        made["required"] = [name for name in schema["required"] if name not in defaults]
    return made


def require(folders: Iterable[str | os.PathLike[str]]) -> None:
    """Read folders, so that an invalid one is an error before the check. Raises as of_folder does."""
    for folder in folders:
        of_folder(os.fspath(folder))
