"""`sidelane check`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running, side_by_side
from sidelane.errors import InvalidManifest

if TYPE_CHECKING:
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
@options.output
@running.reports_errors
@options.given_chart
@options.rendering
@options.settings
def command(
    subject: str,
    lane: Lane | None,
    *,
    whole_lane: bool,
    beside: dict[str, Any],
    format_: str,
    given: dict[str, Any],
    rendering: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Check a chart as it renders in a lane, or a manifest, against the naming contract.

    A manifest is a .yaml, .yml or .json file, or - for standard input. Without --lane, each object is checked against
    the lane in its own labels. Exits 1 when there are findings.

    --side-by-side compares two releases of any chart instead: of two lanes, or of two names and two namespaces for a
    chart without Version and Build.
    """
    is_file = subject == "-" or subject.endswith((".yaml", ".yml", ".json"))
    if beside["side_by_side"] and not is_file:
        report = side_by_side.prove(subject, lane, beside["vary"], settings, **given, **rendering)
    elif beside["side_by_side"] or beside["vary"]:
        raise click.UsageError("--side-by-side needs a chart, and --vary needs --side-by-side.")
    elif is_file:
        report = _of_manifest(subject, lane, settings["namespace"], whole=whole_lane)
    elif lane is None:
        raise click.UsageError(
            f"Missing option '--lane' (env var: 'SIDELANE_LANE'): the chart {subject} needs one to render."
        )
    else:
        wanted = lane
        _, report = running.with_client(
            lambda client: client.check(subject, wanted, whole=whole_lane, **given, **rendering),
            **settings,
        )
    if not report.objects:
        # The producer may have failed: `helm template … | sidelane check -` must then fail too.
        raise InvalidManifest(f"{subject}: there is no object to check", remedy="check the command that produced it")
    printing.report(report, format_)
    if not report.clean:
        raise SystemExit(1)


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
