"""The schemas of Kubernetes' own kinds, by version: the data of the package kubernetes-validate (sidelane[kubernetes]).

The package's code is not used: it validates with Python's jsonschema, a hundred times slower than jsonschema-rs.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from sidelane.errors import InvalidInput

_PREFIX: Final = "#/$defs/"
#: What does not decide on validity; without it, most kinds are the same in several versions.
_WORDS: Final = frozenset({"description", "title", "x-kubernetes-group-version-kind", "$schema", "$id"})


class Version(NamedTuple):
    """The schemas of one version of Kubernetes. names: apiVersion and kind → the name of their definition."""

    definitions: Mapping[str, Any]
    names: Mapping[tuple[str, str], str]

    def schema(self, api_version: str, kind: str) -> dict[str, Any] | None:
        """Return the whole schema of a kind, in one document; None for a kind that the version does not have."""
        name = self.names.get((api_version, kind))
        if name is None:
            return None
        wanted, waiting = {}, [name]
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted[name] = _without_words(self.definitions[name])
                waiting += _references(self.definitions[name])
        return {"$ref": f"{_PREFIX}{self.names[api_version, kind]}", "$defs": dict(sorted(wanted.items()))}


def require(minors: tuple[int, ...]) -> None:
    """Raises InvalidInput if the schemas of a version are not installed."""
    known = sorted(_folders())
    if not known:
        raise InvalidInput(
            "the schemas of Kubernetes are not installed", remedy="install them with pip: sidelane[kubernetes]"
        )
    if missing := [minor for minor in minors if minor not in known]:
        raise InvalidInput(
            f"there are no schemas of Kubernetes 1.{missing[0]}",
            remedy=f"choose from 1.{known[0]} to 1.{known[-1]}, or update the package kubernetes-validate",
        )


@functools.lru_cache(maxsize=16)
def of_version(minor: int) -> Version:
    """Return the schemas of Kubernetes 1.<minor>."""
    text = (_folders()[minor] / "_definitions.json").read_text(encoding="utf-8")
    definitions: dict[str, Any] = json.loads(text)["$defs"]
    names = {
        (f"{each['group']}/{each['version']}" if each["group"] else each["version"], each["kind"]): name
        for name, definition in definitions.items()
        for each in definition.get("x-kubernetes-group-version-kind", ())
    }
    return Version(definitions, names)


@functools.cache
def _folders() -> dict[int, Path]:
    """Return the folder of each minor version, with schemas that refuse unknown fields; empty without the package."""
    spec = importlib.util.find_spec("kubernetes_validate")
    places = list(spec.submodule_search_locations or ()) if spec else []
    folders = (folder for place in places for folder in Path(place).glob("kubernetes-json-schema/v1.*.*-local-strict"))
    return {int(folder.name.split(".")[1]): folder for folder in folders}


def _without_words(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: {name: _without_words(each) for name, each in inner.items()}
            if key in {"properties", "$defs"} and isinstance(inner, dict)
            else _without_words(inner)
            for key, inner in node.items()
            if key not in _WORDS
        }
    return [_without_words(each) for each in node] if isinstance(node, list) else node


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, inner in node.items():
            if key == "$ref" and isinstance(inner, str):
                yield inner.rpartition("/")[2]
            else:
                yield from _references(inner)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)
