"""`sidelane check`"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import conventions, options, reporting, running, side_by_side
from sidelane.errors import HelmError, InvalidManifest, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from sidelane.charts.rendering import PlainRendering
    from sidelane.checks.findings import Report
    from sidelane.naming.lane import Lane


@click.command("check")
@click.argument("subject", metavar="CHART|FILE|-", required=False)
@options.lane(required=False)
@side_by_side.options
@conventions.chosen
@running.reports_errors
@reporting.given
@options.given_chart
@options.rendering
@options.settings
def command(
    subject: str | None,
    lane: Lane | None,
    *,
    beside: dict[str, Any],
    chosen: dict[str, Any],
    wishes: reporting.Reporting,
    given: dict[str, Any],
    rendering: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Check a chart as it renders, or a manifest, against its conventions: by default the naming contract.

    A manifest is a .yaml, .yml or .json file, or - for standard input. Without --lane, each object is checked against
    the lane in its own labels, and a chart without Version and Build is rendered as a release. The conventions are the
    nearest sidelane.yaml in the folder of the chart or manifest, or one above.

    --side-by-side compares two releases of any chart instead: of two lanes, or of two names and two namespaces for a
    chart without Version and Build.

    Exits with 1 when there are findings, with 2 for wrong usage, and with 3 when the check is not possible, for example
    when the chart does not render.
    """
    if subject is None:
        raise click.UsageError("Missing argument 'CHART|FILE|-'.")
    is_file = subject == "-" or subject.endswith((".yaml", ".yml", ".json"))
    if is_file and chosen["init"]:
        raise click.UsageError("--init needs a chart, not a manifest.")
    if (is_file and beside["side_by_side"]) or (beside["vary"] and not beside["side_by_side"]):
        raise click.UsageError("--side-by-side needs a chart, and --vary needs --side-by-side.")
    wanted = {name: value for name, value in chosen.items() if name != "init"}
    of_chart = functools.partial(_of_chart, subject, lane, settings, **wanted, **given, **rendering)
    if chosen["init"]:
        conventions.init(subject, chosen["init"], lane, of_chart)
        return
    charts: dict[str, Path] = {}  # the chart's folder by its name
    try:
        if beside["side_by_side"]:
            held = {key: value for key, value in wanted.items() if key in {"conventions", "version_key", "build_key"}}
            report = side_by_side.prove(subject, lane, beside["vary"], settings, **held, **given, **rendering)
        elif is_file:
            report = _of_manifest(subject, lane, settings["namespace"], wanted)
        else:
            made, report = of_chart()
            charts[made.chart.name] = made.chart.path
        _require_objects(subject, report)
    except Refused as error:
        error.exit_code = HelmError.exit_code  # 1 says that there are findings
        raise
    reporting.finish(report, wishes, charts)


def _require_objects(subject: str, report: Report) -> None:
    if not report.objects:
        # The producer may have failed: `helm template … | sidelane check -` must then fail too.
        raise InvalidManifest(f"{subject}: there is no object to check", remedy="check the command that produced it")


def _of_chart(
    chart: str, lane: Lane | None, settings: dict[str, Any], **arguments: Any
) -> tuple[PlainRendering, Report]:
    return running.with_client(lambda client: client.check(chart, lane, **arguments), **settings)


def _of_manifest(subject: str, lane: Lane | None, namespace: str | None, chosen: dict[str, Any]) -> Report:
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
    own = conventions.of_manifest(subject, chosen)
    return check(manifest, conventions=own, lane=lane, whole=chosen["whole"])
