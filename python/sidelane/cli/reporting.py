"""The report of a check: its outputs, its baseline and its exit code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from sidelane.cli import options, printing
from sidelane.support.counting import counted

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from sidelane.checks.findings import Report

#: The environment variable with GitHub's file for the summary of a job.
GITHUB_SUMMARY: Final = "GITHUB_STEP_SUMMARY"


class Output(NamedTuple):
    """A format of the report. file: None for standard output."""

    format: str
    file: str | None = None


class OutputType(click.ParamType[Output]):
    """FORMAT, or FORMAT=FILE."""

    name = "output"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        from sidelane.checks.report import FORMATS

        format_, equals, file = str(value).partition("=")
        if format_ not in FORMATS:
            self.fail(f"{format_!r} is not a report format; choose one of {', '.join(FORMATS)}", param, ctx)
        if equals and not file:
            self.fail(f"{value!r} names no file; write {format_}=FILE", param, ctx)
        return Output(format_, file or None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from click.shell_completion import CompletionItem

        from sidelane.checks.report import FORMATS

        return [CompletionItem(name, help=purpose) for name, purpose in FORMATS.items() if name.startswith(incomplete)]


def _outputs(ctx: click.Context, param: click.Parameter, value: tuple[Output, ...]) -> tuple[Output, ...]:
    if len(shown := [each.format for each in value if each.file is None]) > 1:
        message = f"{' and '.join(shown)} cannot both go to standard output; write one to a file with {shown[1]}=FILE"
        raise click.BadParameter(message, ctx, param)
    return value


class Reporting(NamedTuple):
    """The wishes of the command line about the report."""

    format_: tuple[Output, ...]
    min_severity: str | None
    strict: bool
    baseline: str | None
    write_baseline: str | None


given = options.together(
    "wishes",
    Reporting,
    format_=click.option(
        "-o",
        "--output",
        "format_",
        type=OutputType(),
        multiple=True,
        default=["text"],
        callback=_outputs,
        metavar="FORMAT[=FILE]",
        help="The report's format: text, json, yaml, junit, sarif, github, github-summary or gitlab. May be repeated; "
        "all but one then need a FILE. [default: text]",
    ),
    min_severity=click.option(
        "--min-severity",
        type=click.Choice(["warning", "error"]),
        default="warning",
        help="Report only from this severity.",
    ),
    strict=click.option("--strict", is_flag=True, help="Exit with 1 on warnings too."),
    baseline=click.option(
        "--baseline", metavar="FILE", type=click.Path(dir_okay=False), help="Do not report the findings in this file."
    ),
    write_baseline=click.option(
        "--write-baseline",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Write the findings to this file; exit with 0.",
    ),
)


def finish(report: Report, wishes: Reporting, charts: Mapping[str, Path]) -> None:
    """Writes the report, and exits with 1 if it has findings that fail the check. charts: as in places.in_files."""
    from sidelane.checks.report.places import in_files

    report = in_files(report, charts)
    if wishes.min_severity == "error":
        report = report._replace(findings=tuple(each for each in report.findings if each.severity == "error"))
    everything = report
    if wishes.baseline:
        from sidelane.checks import baseline

        report = baseline.without_known(report, baseline.read(wishes.baseline), wishes.baseline)
    for output in sorted(wishes.format_, key=lambda each: each.file is None):  # files first: a reader may close stdout
        _write(report, output)
    if wishes.write_baseline:
        _write_baseline(everything, wishes.write_baseline)
    elif not report.clean or (wishes.strict and report.findings):
        raise SystemExit(1)


def _write(report: Report, output: Output) -> None:
    from sidelane.checks.report import render, render_text

    if output.file is not None:
        from sidelane.support import files

        files.replace(output.file, render(report, output.format).encode())
    elif output.format == "text":
        # click removes the colours if the output is not a terminal. https://no-color.org
        click.echo(render_text(report, colour=not os.environ.get("NO_COLOR")), nl=False)
    else:
        printing.as_it_is(render(report, output.format))
    summary = os.environ.get(GITHUB_SUMMARY)
    if output.format == "github" and summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(render(report, "github-summary"))


def _write_baseline(report: Report, file: str) -> None:
    from sidelane.checks import baseline
    from sidelane.support import files

    files.replace(file, baseline.written(report).encode())
    printing.say(f"{file}: {counted(len(report.findings), 'finding')} written", err=True)
