"""The expected object with the drifted fields as the cluster has them.

It has none of the API server's defaults, so that a change from this object to the expected one touches only the
fields that drifted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sidelane.manifest.differences import ABSENT, joined
from sidelane.manifest.drift import keyed, keys_of
from sidelane.manifest.fields import mapping
from sidelane.manifest.objects import Object


def as_found(asked: Object, live: Mapping[str, Any], paths: Collection[str]) -> dict[str, Any]:
    """Return the expected object with the live values at these paths, which are ``drift``'s."""
    body = dict(asked.body)
    if asked.kind == "Secret" and any(path.startswith("data") for path in paths):
        # The API server stores both as data.
        body["data"] = dict(mapping(live, "data"))
        body.pop("stringData", None)
    changed: dict[str, Any] = _of(body, live, "", frozenset(paths))
    return {**changed, "apiVersion": body["apiVersion"], "kind": body["kind"]}


def _of(want: Any, have: Any, path: str, paths: frozenset[str]) -> Any:
    if path in paths:
        return have
    if not any(drifted.startswith(path) for drifted in paths):
        return want
    if isinstance(want, Mapping) and isinstance(have, Mapping):
        return _mapping(want, have, path, paths)
    if isinstance(want, list) and isinstance(have, list):
        return _list(want, have, path, paths)
    if want is ABSENT and isinstance(have, Mapping):  # a part of it drifted
        return _mapping({}, have, path, paths) or ABSENT
    return want


def _mapping(want: Mapping[str, Any], have: Mapping[str, Any], path: str, paths: frozenset[str]) -> dict[str, Any]:
    both = {
        key: _of(want.get(key, ABSENT), have.get(key, ABSENT), joined(path, key), paths)
        for key in [*want, *(key for key in have if key not in want)]
    }
    return {key: value for key, value in both.items() if value is not ABSENT}


def _list(want: list[Any], have: list[Any], path: str, paths: frozenset[str]) -> list[Any]:
    keys = keys_of(want, have)
    left, right = keyed(keys, want), keyed(keys, have)
    both = [
        _of(left.get(key, ABSENT), right.get(key, ABSENT), f"{path}[{key}]", paths)
        for key in [*left, *(key for key in right if key not in left)]
    ]
    return [value for value in both if value is not ABSENT]
