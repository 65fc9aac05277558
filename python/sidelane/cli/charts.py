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
        found = sources.find(chart)
        if format_ == "table":
            printing.as_it_is(found.values_text)
            if not found.values_text.strip():
                printing.say(f"the chart {found.name} has no values", err=True)
        else:
            printing.data({**found.to_json(), "values": found.defaults, "schema": found.schema}, format_)
        return
    bundled = sources.bundled()
    if format_ != "table":
        printing.data([one.to_json() for one in bundled], format_)
        return
    printing.table(
        ("NAME", "VERSION", "APP VERSION", "DESCRIPTION"),
        [(one.name, one.version, one.app_version, one.description) for one in bundled],
    )
