"""`sidelane charts`"""

from __future__ import annotations

import click

from sidelane.cli import options, printing, running


@click.command("charts")
@click.argument("chart", required=False)
@options.output
@running.reports_errors
def command(chart: str | None, *, format_: str) -> None:
    """List the charts of Sidelane, or show the values of CHART: a name, a folder or a .tgz."""
    from sidelane.charts import sources

    if chart is not None:
        loaded = sources.find(chart)
        if format_ == "table":
            printing.as_it_is(loaded.values_text)
            if not loaded.values_text.strip():
                printing.say(f"the chart {loaded.name} has no values", err=True)
        else:
            printing.data({**loaded.to_json(), "values": loaded.defaults, "schema": loaded.schema}, format_)
        return
    bundled = sources.bundled()
    if format_ != "table":
        printing.data([chart.to_json() for chart in bundled], format_)
        return
    printing.table(
        ("NAME", "VERSION", "APP VERSION", "DESCRIPTION"),
        [(chart.name, chart.version, chart.app_version, chart.description) for chart in bundled],
    )
