"""Access to an object's fields by Kubernetes' path patterns: ``spec.ports[].name``."""

from __future__ import annotations

from functools import cache
from typing import Any


def walk(node: Any, pattern: str, base: str = "") -> list[tuple[str, Any]]:
    """Return every value that matches the pattern below a node, with its path. Absent and null values are left out.

    >>> walk({"spec": {"ports": [{"name": "a"}, {"name": "b"}]}}, "spec.ports[].name")
    [('spec.ports[0].name', 'a'), ('spec.ports[1].name', 'b')]
    """
    nodes = [(base, node)]
    for key, each in _steps(pattern):
        reached = [
            (path, value[key]) for path, value in nodes if isinstance(value, dict) and value.get(key) is not None
        ]
        if not reached:
            return []
        nodes = [(f"{path}.{key}" if path else key, value) for path, value in reached]
        if each:
            nodes = [
                (f"{path}[{i}]", item)
                for path, value in nodes
                if isinstance(value, list)
                for i, item in enumerate(value)
            ]
    return nodes


def at(node: Any, *keys: str) -> Any:
    """Return the value under these keys, or None if a level is absent or not a mapping."""
    for key in keys:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node


def mapping(node: Any, *keys: str) -> dict[str, Any]:
    """Return the mapping under these keys, or an empty one."""
    value = at(node, *keys)
    return value if isinstance(value, dict) else {}


@cache
def _steps(pattern: str) -> tuple[tuple[str, bool], ...]:
    return tuple((step.removesuffix("[]"), step.endswith("[]")) for step in pattern.split("."))
