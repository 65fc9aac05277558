"""`sidelane check`"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import click

from sidelane.checks.findings import Checks
from sidelane.cli import check_many, conventions, options, reporting, running, side_by_side
from sidelane.errors import HelmError, InvalidManifest, Refused

if TYPE_CHECKING:
    from sidelane.charts.rendering import PlainRendering
    from sidelane.checks.findings import Report
    from sidelane.naming.lane import Lane


@click.command("check")
@click.argument("subjects", metavar="[CHART|FOLDER|FILE|-]...", nargs=-1)
@options.lane(required=False)
@check_many.given
@conventions.chosen
@running.reports_errors
@reporting.given
@options.given_chart
@options.rendering
@options.settings
def command(
    subjects: tuple[str, ...],
    lane: Lane | None,
    *,
    scope: check_many.Scope,
    chosen: dict[str, Any],
    wishes: reporting.Reporting,
    given: dict[str, Any],
    rendering: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Check charts as they render, or manifests, against their conventions: by default the naming contract.

    A chart is a folder, a .tgz, a name of `sidelane charts`, or a reference of Helm's. A folder of charts stands for
    all of them, each with every ci/*-values.yaml. A manifest is a .yaml, .yml or .json file, or - for standard input.
    Without --lane, each object is checked against the lane in its own labels, and a chart without Version and Build is
    rendered as a release. The conventions are the nearest sidelane.yaml in the folder of the chart or manifest, or one
    above. --deployed checks releases of the cluster or of --directory instead, by the conventions in their records.

    --side-by-side compares two releases of any chart instead: of two lanes, or of two names and two namespaces for a
    chart without Version and Build.

    Exits with 1 when there are findings, with 2 for wrong usage, and with 3 when the check is not possible, for example
    when a chart does not render; the others are checked then, too.
    """
    wrong = scope.wrong(subjects, init=bool(chosen["init"]))
    if wrong:
        raise click.UsageError(wrong)
    wanted = {name: value for name, value in chosen.items() if name != "init"}
    of_chart = functools.partial(_of_chart, "".join(subjects[:1]), lane, settings, **given, **rendering)
    try:
        if chosen["init"]:
            conventions.init(subjects[0], chosen["init"], lane, functools.partial(of_chart, **wanted))
            return
        if scope.deployed:
            checks = Checks(check_many.check_deployed(subjects, lane, settings, **wanted))
        elif scope.many(subjects):
            checks = check_many.check(subjects, lane, scope, settings, **wanted, **given, **rendering)
        elif check_many.is_manifest(subjects[0]):
            checks = Checks(_of_manifest(subjects[0], lane, settings["namespace"], wanted))
        elif scope.side_by_side:
            how = check_many.without_rules(wanted)
            report = side_by_side.prove(subjects[0], lane, scope.vary, settings, **how, **given, **rendering)
            checks = Checks(report)
        else:
            made, report = of_chart(**wanted)
            checks = Checks(report, {made.chart.name: made.chart.path})
        if not checks.failures and scope.since is None:
            _require_objects(" ".join(subjects), checks.report)
    except Refused as error:
        error.exit_code = HelmError.exit_code  # 1 says that there are findings
        raise
    check_many.finish(checks, wishes)


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

    text = sys.stdin.buffer.read(kubeyaml.SIZE_LIMIT + 1) if subject == "-" else kubeyaml.content(subject)
    begun = kubeyaml.begin(text)
    from sidelane.checks.engine import check
    from sidelane.manifest import Manifest

    source = "<stdin>" if subject == "-" else subject
    manifest = Manifest.read(text, namespace=namespace or "default", source=source, begun=begun)
    own = conventions.of_manifest(subject, chosen)
    return check(manifest, conventions=own, lane=lane, whole=chosen["whole"], divided=True)
