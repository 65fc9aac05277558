"""The options of `sidelane check --side-by-side`, and what it does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import running
from sidelane.cli.options import Option

if TYPE_CHECKING:
    from sidelane.checks.findings import Report
    from sidelane.naming.lane import Lane


def _vary(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, tuple[object, object]]:
    """Reads each `KEY=A,B`, with Helm's types of `--set`."""
    varied = {}
    for text in texts:
        key, _, both = text.partition("=")
        two = re.split(r"(?<!\\),", both)
        if not key or len(two) != 2:
            raise click.BadParameter(f"{text!r} is not KEY=A,B, such as image.tag=1.4.0,1.5.0", ctx, param)
        varied[key] = (_typed(two[0]), _typed(two[1]))
    return varied


def _typed(text: str) -> object:
    from sidelane.charts import strvals

    values: dict[str, Any] = {}
    strvals.set_into(values, f"value={text}")
    return values.get("value")


OPTIONS: dict[str, Option] = {
    "side_by_side": click.option(
        "--side-by-side",
        is_flag=True,
        help="Prove that two releases of the chart touch nowhere: render it as two lanes, and compare.",
    ),
    "vary": click.option(
        "--vary",
        multiple=True,
        metavar="K=A,B",
        callback=_vary,
        help="With --side-by-side: a value that is A in the first release and B in the second.",
    ),
}


def prove(
    chart: str, lane: Lane | None, vary: dict[str, tuple[object, object]], settings: dict[str, Any], **given: Any
) -> Report:
    """Returns the report of the proof."""
    return running.with_client(lambda client: client.side_by_side(chart, lane, vary=vary, **given), **settings)
