"""Matrices of values for parametrized tests."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest


def matrix(argument: str = "values", /, **keys: Sequence[Any]) -> pytest.MarkDecorator:
    """Run a test with every combination of these values, each as one nested mapping. ``__`` in a key is a dot.

    >>> @matrix(replicaCount=[1, 3], service__type=["ClusterIP", "NodePort"])
    ... def test_every_size_renders(render, values):
    ...     assert render("charts/demo", values=values).all("Deployment")
    >>> test_every_size_renders.pytestmark[0].args[1][1]
    {'replicaCount': 1, 'service': {'type': 'NodePort'}}
    """
    names = [key.replace("__", ".") for key in keys]
    cells = [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*keys.values())]
    ids = [",".join(f"{name}={value}" for name, value in cell.items()) for cell in cells]
    return pytest.mark.parametrize(argument, [_nested(cell) for cell in cells], ids=ids)


def _nested(cell: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in cell.items():
        *parents, last = name.split(".")
        inner = values
        for key in parents:
            inner = inner.setdefault(key, {})
        inner[last] = value
    return values
