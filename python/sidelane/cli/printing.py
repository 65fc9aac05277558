"""Results on standard output: tables for people, JSON and YAML for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from sidelane.support import json_writer
from sidelane.support.harmless import in_line, in_lines
from sidelane.support.redaction import redacted

if TYPE_CHECKING:
    from sidelane.checks.findings import Report
    from sidelane.errors import SidelaneError
    from sidelane.lanes.deployment import Applied, Plan
    from sidelane.lanes.lane_status import LaneStatus
    from sidelane.lanes.retire import Retirement
    from sidelane.releases.readiness import Readiness
    from sidelane.releases.stores import Release
    from sidelane.support.advice import Place


def say(text: str = "", *, err: bool = False) -> None:
    """Prints lines for people; control characters are escaped."""
    click.echo(in_lines(text), err=err)


def say_line(text: str, *, err: bool = False) -> None:
    """Prints one line for people; line breaks are escaped too."""
    click.echo(in_line(text), err=err)


def as_it_is(text: str) -> None:
    """Prints text for programs, such as a manifest: unchanged into a pipe or file, escaped on a terminal."""
    click.echo(in_lines(text, sys.maxsize) if sys.stdout.isatty() else text, nl=False, color=True)


def data(value: object, format_: str) -> None:
    """Prints a value's JSON form, as JSON or YAML."""
    as_it_is(formatted(redacted(value), format_))


def line(value: object) -> None:
    """Prints a value's JSON form on one line, at once: for a stream of events."""
    import json

    as_it_is(json.dumps(redacted(value), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def formatted(value: object, format_: str) -> str:
    """Returns a value's JSON form as JSON or YAML text."""
    if format_ == "yaml":
        from sidelane.kubeyaml.writer import dump

        return dump(value)
    return json_writer.dump(value)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints columns as wide as their widest cell, two spaces apart, without trailing spaces."""
    lines = [list(header), *([in_line(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def status(item: Release, format_: str, *, runs: bool) -> None:
    """Prints the state of one release, with its pods that are not ready. runs: False in a directory."""
    release(item, format_, ready=_ready(item.readiness, runs=runs))


def lane_status(item: LaneStatus, format_: str, *, runs: bool) -> None:
    """Prints the state of a lane's releases, one line each, then the pods that are not ready."""
    if format_ != "table":
        data(item.to_json(), format_)
        return
    rows = [
        (release.name, release.status, release.chart, release.readiness.counted if release.readiness else "-")
        for release in item.releases
    ]
    table(("RELEASE", "STATUS", "CHART", "READY"), rows)
    if item.readiness is None:
        click.echo(f"\n{_ready(None, runs=runs)}")
    elif text := item.readiness.text():
        click.echo(f"\n{text}")


def _ready(readiness: Readiness | None, *, runs: bool) -> str:
    if readiness is None:
        return "" if runs else "nothing runs in a directory"
    return readiness.counted


def error(item: SidelaneError, **about: str) -> None:
    """Prints an error as JSON on standard error, without a limit of length. about: more of its fields."""
    click.echo(formatted({**about, **item.to_json()}, "json"), nl=False, err=True)


def warnings(releases: Iterable[Release]) -> None:
    """Prints the warnings of new releases on standard error, each once."""
    for warning in dict.fromkeys(warning for item in releases for warning in item.warnings):
        say_line(f"warning: {warning}", err=True)


def release(item: Release, format_: str, *, ready: str = "") -> None:
    """Prints one release: its facts, objects, and pods that are not ready; for a new one also its notes."""
    warnings([item])
    if format_ != "table":
        data(item.to_json(), format_)
        return
    facts = {
        "RELEASE": item.name,
        "NAMESPACE": item.namespace,
        "LANE": str(item.lane or "-"),
        "CHART": item.chart,
        "STATUS": item.status,
        "REVISION": str(item.revision),
        "CHANGE": item.change,
        "READY": ready,
    }
    for key, value in facts.items():
        if value:
            say_line(f"{key + ':':<11}{value}")
    changes(item.change, item.changes, item.kept_values)
    if item.objects:
        say()
        table(("KIND", "NAME", "READY"), [(obj.kind, obj.name, obj.ready) for obj in item.objects])
    elif not item.change:
        say("\nthe release has no object")
    if item.readiness and (text := item.readiness.text()):
        click.echo(f"\n{text}")
    _drift([item])
    if item.notes and item.change in ("created", "finished"):
        say(f"\n{item.notes.strip()}")


def changes(what: str, fields: Sequence[str], unchanged: Sequence[str], *, of: str = "") -> None:
    """Prints the fields that a call changes, and the operational values that it keeps, if there are any."""
    for title, lines in ((what, fields), ("kept", unchanged)):
        if lines:
            say()
            say_line(f"{of}: {title}" if of else f"{title}:")
            for line in lines:
                say_line(f"  {line}")


def plan(item: Plan, format_: str) -> None:
    """Prints a plan, one line for each release, then its differences and reasons for refusal."""
    if format_ != "table":
        data(item.to_json(), format_)
        return
    steps = ((step.release, step.chart, step.action) for step in item.steps)
    routes = ((step.release, "route", step.action) for step in item.routes)
    table(
        ("RELEASE", "CHART", "ACTION"),
        [*steps, *routes, *((release.name, release.chart, "extra") for release in item.extra)],
    )
    for step in item.steps:
        changes(step.action, step.why, step.kept_values, of=step.release)
    if item.extra:
        say("\nextra: in the lane but not in the file; apply does not change it")
    if item.remedy:
        say(f"\n{item.remedy}")


def applied(item: Applied, format_: str) -> None:
    """Prints the result of an apply, one line for each release."""
    warnings(item.releases)
    if format_ != "table":
        data(item.to_json(), format_)
        return
    rows = [(release.name, release.chart, release.change) for release in item.releases]
    routes = ((routed.route.release, "route", routed.change) for routed in item.routes)
    table(("RELEASE", "CHART", "CHANGE"), [*rows, *routes])
    for release in item.releases:
        changes(release.change, release.changes, release.kept_values, of=release.name)
    if any(release.kept_values for release in item.releases):
        say("\nkept: set on the release but not in the file; --reset-operational resets it")
    _drift(item.releases)


def _drift(items: Sequence[Release]) -> None:
    """Prints the drift of unchanged releases, and the command that repairs it."""
    odd = [item for item in items if item.drift]
    for item in odd:
        say()
        say_line(f"{item.name}: the cluster drifted from the deployed release")
        for line in item.drift:
            say_line(f"  {line}")
    if odd:
        from sidelane.releases.verify import remedy

        say(f"\n{remedy((item.name for item in odd), odd[0].namespace)}")


def retirements(items: Sequence[Retirement], format_: str, place: Place) -> None:
    """Prints proposed and retired lanes with their releases, and the reasons for held ones. place: the call's."""
    if format_ != "table":
        data([item.to_json() for item in items], format_)
        return
    states = ["held" if item.held else "retired" if item.gone else "to retire" for item in items]
    rows = [(str(item.lane), str(len(item.releases)), state) for item, state in zip(items, states, strict=True)]
    table(("LANE", "RELEASES", "STATE"), rows)
    for item in items:
        for line in item.held:
            say_line(f"  {item.lane}: {line}")
        if item.drained:
            say_line(f"  {item.lane}: {item.drained}")
        if item.claims and not item.held:
            say_line(f"  {item.lane}: {'deleted' if item.gone else 'would delete'} the claims {', '.join(item.claims)}")
        if item.kept_claims and not item.held:
            say_line(f"  {item.lane}: these claims stay: {', '.join(item.kept_claims)}")
            say_line(place.whole(f"  {item.lane}: delete them with `{item.command} --delete-claims`"))
        for line in item.cluster_objects if not item.held else ():
            say_line(f"  {item.lane}: {'deleted' if item.gone else 'would delete'} {line}")
        for name in item.staying:
            say_line(f"  {item.lane}: {name} stays, because Sidelane did not make it; --foreign {name} removes it")


def findings(item: Report) -> None:
    """Prints the findings of a check on standard error, if there are any; standard output holds something else."""
    if not item.clean:
        from sidelane.checks.report import render

        click.echo(render(item, "text"), nl=False, err=True)
