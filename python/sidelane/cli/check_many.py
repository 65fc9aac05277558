"""`sidelane check` of several charts and manifests, of what changed, and of what is deployed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sidelane.charts import references
from sidelane.cli import options, printing, reporting, running, side_by_side
from sidelane.errors import HelmError

if TYPE_CHECKING:
    from sidelane.checks.findings import Checks, Report
    from sidelane.naming.lane import Lane


class Scope(NamedTuple):
    """The wishes of the command line about what to check."""

    side_by_side: bool
    vary: dict[str, tuple[object, object]]
    ci_values: bool
    since: str | None
    deployed: bool

    def many(self, subjects: Sequence[str]) -> bool:
        """Returns whether these subjects are checked together; otherwise the only one is checked alone."""
        from sidelane.charts.folders import charts_in

        return len(subjects) > 1 or self.ci_values or self.since is not None or any(map(charts_in, subjects))

    def wrong(self, subjects: Sequence[str], *, init: bool) -> str:
        """Returns what does not go together, or empty text."""
        files = [subject for subject in subjects if is_manifest(subject)]
        if self.deployed:
            other = self.side_by_side or self.ci_values or self.since is not None or init
            return "--deployed can't be used with --side-by-side, --ci-values, --since or --init." if other else ""
        if not subjects:
            return "Missing argument 'CHART|FOLDER|FILE|-'."
        if init and (files or self.many(subjects)):
            return "--init needs one chart, and no manifest."
        if (files and self.side_by_side) or (self.vary and not self.side_by_side):
            return "--side-by-side needs a chart, and --vary needs --side-by-side."
        return "- is standard input, and is checked alone." if "-" in subjects and self.many(subjects) else ""


def is_manifest(subject: str) -> bool:
    """Returns whether a subject is a file of objects, or standard input, and no chart."""
    return subject == "-" or references.is_manifest(subject)


given = options.together(
    "scope",
    Scope,
    **side_by_side.OPTIONS,
    ci_values=click.option(
        "--ci-values",
        is_flag=True,
        help="Check each chart with each of its ci/*-values.yaml, as the charts of a folder of charts always are.",
    ),
    since=click.option(
        "--since",
        metavar="REVISION",
        help="Check only what changed since the branch left this git revision, such as origin/main.",
    ),
    deployed=click.option(
        "--deployed",
        is_flag=True,
        help="Check what is deployed: the releases with these names, those of --lane, or all of the namespace.",
    ),
)


def check(subjects: Sequence[str], lane: Lane | None, scope: Scope, settings: dict[str, Any], **how: Any) -> Checks:
    """Checks all of these."""
    which: dict[str, Any] = {"every_file": True if scope.ci_values else None, "since": scope.since}
    if scope.side_by_side:
        how = {**without_rules(how), "side_by_side": True, "vary": scope.vary}
    checks = running.with_client(lambda client: client.check_all(subjects, lane, **which, **how), **settings)
    if scope.since is not None and not checks.report.objects and not checks.failures:
        printing.say(f"nothing of {', '.join(subjects)} changed since {scope.since}", err=True)
    return checks


def without_rules(how: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of `client.side_by_side` among those of `client.check`."""
    return {key: value for key, value in how.items() if key not in {"whole", "kubernetes_versions", "schemas"}}


def check_deployed(releases: Sequence[str], lane: Lane | None, settings: dict[str, Any], **how: Any) -> Report:
    """Returns the report of what is deployed."""
    own = {key: value for key, value in how.items() if key not in {"version_key", "build_key"}}
    return running.with_client(lambda client: client.check_deployed(*releases, lane=lane, **own), **settings)


def finish(checks: Checks, wishes: reporting.Reporting) -> None:
    """Writes the report and what could not be checked; exits with 1 for findings, and with 3 for the latter."""
    try:
        if checks.report.objects or not checks.failures:
            reporting.finish(checks.report, wishes, checks.charts)
    finally:
        for name, error in checks.failures:
            if running.as_text(wishes.format_):
                printing.say(f"Error: {error}" if str(error).startswith(name) else f"Error: {name}: {error}", err=True)
            else:
                printing.error(error, chart=name)
        if checks.failures:
            sys.exit(HelmError.exit_code)
