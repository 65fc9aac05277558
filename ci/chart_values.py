"""Writes what is generated of a chart's values.yaml: the table in its README, and its schema.

    python ci/chart_values.py            write every chart
    python ci/chart_values.py --check    write nothing; exit 1 and name the files that would change

A value is described once, in the comment above it that begins with `# -- `, as helm-docs has it. The README shows the
descriptions as a table between its markers, and the schema as `description`, where editors show them. A description
above a mapping covers all that is in it; a value that no comment covers is an error. The rest of a schema is in
schemas/.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import chart_schema
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CHARTS = Path(__file__).resolve().parents[1] / "charts"
BEGIN, END = "<!-- values: written by ci/chart_values.py -->\n", "<!-- /values -->\n"


@dataclass(frozen=True)
class Value:
    """One described value: where it is, its default, and what its comment says."""

    path: tuple[str, ...]
    default: Any
    description: str


def described(text: str) -> list[Value]:
    """The described values of a values.yaml, in its order. Raises ValueError naming a value without a description."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return list(_walk(root, yaml.safe_load(text), text.splitlines(), ())) if root else []


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


def readme(text: str, values: list[Value]) -> str:
    """The README with the table of the values between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"no markers {BEGIN.strip()} … {END.strip()}")
    rows = ["| key | type | default | description |", "| --- | --- | --- | --- |", *map(_row, values)]
    return before + BEGIN + "\n".join(rows) + "\n" + END + after


def _row(value: Value) -> str:
    types = {bool: "boolean", str: "string", int: "integer", float: "number", list: "list", dict: "mapping"}
    default = json.dumps(value.default, ensure_ascii=False)
    cells = [f"`{'.'.join(value.path)}`", types[type(value.default)], f"`{default}`", value.description]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def outputs(chart: Path) -> dict[Path, str]:
    """What the chart's generated files should hold. Raises ValueError naming the chart."""
    try:
        text = (chart / "values.yaml").read_text(encoding="utf-8")
        values = described(text)
        return {
            chart / "README.md": readme((chart / "README.md").read_text(encoding="utf-8"), values),
            chart / "values.schema.json": chart_schema.build(chart.name, yaml.safe_load(text), values),
        }
    except ValueError as error:
        raise ValueError(f"{chart}: {error}") from error


def _held(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: list[str]) -> int:
    # A library chart has no values.
    charts = sorted(path.parent for path in CHARTS.glob("*/values.yaml"))
    stale = {path: text for chart in charts for path, text in outputs(chart).items() if _held(path) != text}
    for path, text in stale.items():
        if "--check" in arguments:
            print(f"{path} does not say what values.yaml says; run `make format`", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
