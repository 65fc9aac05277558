"""Access to an object's fields by Kubernetes' path patterns: ``spec.ports[].name``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

_T = TypeVar("_T")


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


class Fields(Generic[_T]):
    """Patterns, each with a value of the caller's: one walk reaches the fields of all of them.

    >>> Fields([("spec.ports[].name", "name"), ("spec.type", "type")]).walk({"spec": {"type": "NodePort"}})
    [('spec.type', 'NodePort', 'type')]
    """

    def __init__(self, rows: Iterable[tuple[str, _T]]) -> None:
        self._steps: list[_Step[_T]] = []
        for pattern, own in rows:
            steps = self._steps
            values: list[_T] = []
            for key, each in _steps(pattern):
                step = next((step for step in steps if (step.key, step.each) == (key, each)), None)
                if step is None:
                    step = _Step(key, each, [], [])
                    steps.append(step)
                steps, values = step.below, step.own
            values.append(own)

    def walk(self, node: Any, base: str = "") -> list[tuple[str, Any, _T]]:
        """Return every value that matches a pattern, as the function ``walk`` does, with the pattern's own value."""
        reached: list[tuple[str, Any, _T]] = []
        _reach(node, self._steps, base, reached)
        return reached


class _Step(NamedTuple, Generic[_T]):
    """One step of patterns: a key, whether its items are meant, the values of patterns that end here, and the rest."""

    key: str
    each: bool
    own: list[_T]
    below: list[_Step[_T]]


def _reach(node: Any, steps: list[_Step[_T]], base: str, reached: list[tuple[str, Any, _T]]) -> None:
    if not isinstance(node, dict):
        return
    for key, each, own, below in steps:
        value = node.get(key)
        if value is None:
            continue
        path = f"{base}.{key}" if base else key
        if not each:
            for each_own in own:
                reached.append((path, value, each_own))  # noqa: PERF401 - rarely more than one
            if below:
                _reach(value, below, path, reached)
        elif isinstance(value, list):
            for i, item in enumerate(value):
                inner = f"{path}[{i}]"
                for each_own in own:
                    reached.append((inner, item, each_own))  # noqa: PERF401
                if below:
                    _reach(item, below, inner, reached)


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
