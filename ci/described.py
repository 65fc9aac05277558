"""Read the descriptions of a chart's values from its values.yaml.

A value is described once, in the comment above it that begins with `# -- `, as helm-docs has it. A description above a
mapping covers all that is in it; a value that no comment covers is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CHARTS = Path(__file__).resolve().parents[1] / "charts"


@dataclass(frozen=True)
class Value:
    """One described value: its path, its default and its comment."""

    path: tuple[str, ...]
    default: Any
    description: str


def described(chart: str) -> list[Value]:
    """Return the described values of a chart, in order. Raises ValueError for a value without a description."""
    text = _text(chart)
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return list(_walk(root, yaml.safe_load(text), text.splitlines(), ())) if root else []


def defaults(chart: str) -> Any:
    """Return the data of the chart's values.yaml."""
    return yaml.safe_load(_text(chart)) or {}


def _text(chart: str) -> str:
    return (CHARTS / chart / "values.yaml").read_text(encoding="utf-8")


def _walk(node: yaml.Node, default: Any, lines: list[str], path: tuple[str, ...]) -> Iterator[Value]:
    if not (isinstance(node, yaml.MappingNode) and node.value):
        raise ValueError(f"{'.'.join(path)} has no comment that begins with '# -- '")
    for key, child in node.value:
        here = (*path, key.value)
        description = _comment_above(lines, key.start_mark.line)
        if description:
            yield Value(here, default[key.value], description)
        else:
            yield from _walk(child, default[key.value], lines, here)


def _comment_above(lines: list[str], number: int) -> str:
    comment: list[str] = []
    while number > 0 and (line := lines[number - 1].strip()).startswith("#"):
        comment.insert(0, line.removeprefix("#").strip())
        if comment[0].startswith("-- "):
            return " ".join([comment[0].removeprefix("-- "), *comment[1:]])
        number -= 1
    return ""
