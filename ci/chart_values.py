"""Write the files generated from a chart's values.yaml: the table in its README, and its schema.

    python ci/chart_values.py            write every chart
    python ci/chart_values.py --check    write nothing; exit 1 and name the files that would change

The README shows the descriptions of the values (described.py) as a table between its markers, and the schema as
`description`, where editors show them. The rest of a schema is in schemas/ (chart_schema.py).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import chart_schema
from described import Value, described

CHARTS = Path(__file__).resolve().parents[1] / "charts"
BEGIN, END = "<!-- values: written by ci/chart_values.py -->\n", "<!-- /values -->\n"


def readme(text: str, values: list[Value]) -> str:
    """Return the README with the table of the values between its markers."""
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
    """Return the expected content of the chart's generated files. Raises ValueError with the chart's name."""
    try:
        text = (chart / "README.md").read_text(encoding="utf-8")
        return {
            chart / "README.md": readme(text, described(chart.name)),
            chart / "values.schema.json": chart_schema.build(chart.name),
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
