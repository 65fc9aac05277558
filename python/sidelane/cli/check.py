"""`sidelane check`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, reporting, running, side_by_side
from sidelane.errors import HelmError, InvalidManifest, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from sidelane.checks.findings import Report
    from sidelane.naming.lane import Lane


@click.command("check")
@click.argument("subject", metavar="CHART|FILE|-")
@options.lane(required=False)
@click.option(
    "--whole-lane",
    is_flag=True,
    help="Treat the input as the complete lane: every object that it references in the lane must be present.",
)
@side_by_side.options
@running.reports_errors
@reporting.given
@options.given_chart
@options.rendering
@options.settings
def command(
    subject: str,
    lane: Lane | None,
    *,
    whole_lane: bool,
    beside: dict[str, Any],
    wishes: reporting.Reporting,
    given: dict[str, Any],
    rendering: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Check a chart as it renders in a lane, or a manifest, against the naming contract.

    A manifest is a .yaml, .yml or .json file, or - for standard input. Without --lane, each object is checked against
    the lane in its own labels.

    --side-by-side compares two releases of any chart instead: of two lanes, or of two names and two namespaces for a
    chart without Version and Build.

    Exits with 1 when there are findings, with 2 for wrong usage, and with 3 when the check is not possible, for example
    when the chart does not render.
    """
    try:
        report, charts = _checked(
            subject, lane, whole=whole_lane, beside=beside, given=given, rendering=rendering, settings=settings
        )
    except Refused as error:
        error.exit_code = HelmError.exit_code  # 1 says that there are findings
        raise
    reporting.finish(report, wishes, charts)


def _checked(
    subject: str,
    lane: Lane | None,
    *,
    whole: bool,
    beside: dict[str, Any],
    given: dict[str, Any],
    rendering: dict[str, Any],
    settings: dict[str, Any],
) -> tuple[Report, dict[str, Path]]:
    """Returns the report, and the chart's folder by its name."""
    charts: dict[str, Path] = {}
    is_file = subject == "-" or subject.endswith((".yaml", ".yml", ".json"))
    if beside["side_by_side"] and not is_file:
        report = side_by_side.prove(subject, lane, beside["vary"], settings, **given, **rendering)
    elif beside["side_by_side"] or beside["vary"]:
        raise click.UsageError("--side-by-side needs a chart, and --vary needs --side-by-side.")
    elif is_file:
        report = _of_manifest(subject, lane, settings["namespace"], whole=whole)
    elif lane is None:
        raise click.UsageError(
            f"Missing option '--lane' (env var: 'SIDELANE_LANE'): the chart {subject} needs one to render."
        )
    else:
        wanted = lane
        made, report = running.with_client(
            lambda client: client.check(subject, wanted, whole=whole, **given, **rendering), **settings
        )
        charts[made.chart.name] = made.chart.path
    if not report.objects:
        # The producer may have failed: `helm template … | sidelane check -` must then fail too.
        raise InvalidManifest(f"{subject}: there is no object to check", remedy="check the command that produced it")
    return report, charts


def _of_manifest(subject: str, lane: Lane | None, namespace: str | None, *, whole: bool) -> Report:
    """Checks a manifest without Helm, pyhelm3 or an event loop."""
    from sidelane import kubeyaml
    from sidelane.checks.engine import check
    from sidelane.manifest import Manifest

    if subject == "-":
        text = sys.stdin.buffer.read(kubeyaml.SIZE_LIMIT + 1)
    else:
        text = options.content(subject, kubeyaml.SIZE_LIMIT)
    source = "<stdin>" if subject == "-" else subject
    manifest = Manifest.read(text, namespace=namespace or "default", source=source)
    return check(manifest, lane=lane, whole=whole)
