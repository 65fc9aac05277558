"""Check many charts and manifests at a time, each chart with many values files; and check what is deployed."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sidelane import kubeyaml
from sidelane.charts import sources
from sidelane.charts.chart import Chart
from sidelane.charts.folders import DEFAULTS, charts_in, values_files
from sidelane.checks import conventions
from sidelane.checks.findings import Finding, Report
from sidelane.errors import InvalidInput, SidelaneError
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.releases.checking import Wanted
from sidelane.releases.provenance import Record
from sidelane.support import files
from sidelane.support.concurrency import outcomes

if TYPE_CHECKING:
    from sidelane.checks.conventions import Conventions
    from sidelane.releases.stores import Stored


class Case(NamedTuple):
    """A chart, and the values file of the chart's own that it is checked with. None: only the caller's values."""

    chart: str
    file: Path | None = None

    @property
    def is_manifest(self) -> bool:
        """True for a file of objects in the place of a chart."""
        return is_manifest(self.chart)

    def __str__(self) -> str:
        return f"{self.chart} with {self.file.relative_to(self.chart)}" if self.file else self.chart


def is_manifest(subject: str | os.PathLike[str]) -> bool:
    """Returns whether a subject of a check is a file of objects, and no chart."""
    return os.fspath(subject).endswith((".yaml", ".yml", ".json"))


class Checks(NamedTuple):
    """The result of many checks.

    report: the findings of all, equal ones once; its notes name the charts and values files that have findings.
    charts: the folder of each chart, by the chart's name. failures: what could not be checked, with the error.
    """

    report: Report
    charts: Mapping[str, Path]
    failures: tuple[tuple[str, SidelaneError], ...] = ()

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form: that of the report, and the failures."""
        failures = [{"chart": name, **error.to_json()} for name, error in self.failures]
        return {**self.report.to_json(), **({"failures": failures} if failures else {})}


def cases(charts: Iterable[str | os.PathLike[str]], *, every_file: bool | None) -> Iterator[Case]:
    """Yields what to check. A folder of charts stands for all of its charts but libraries, which render nothing.

    every_file: check each chart with each of its ``ci/*-values.yaml``; None: only the charts of a folder of charts.
    """
    for each in charts:
        reference = os.fspath(each)
        plain = sources.is_name(reference) or sources.is_remote(reference)
        inside = [] if plain else charts_in(Path(reference))
        for folder in inside:
            if Chart.load(folder).type == "application":
                yield from _with_files(str(folder)) if every_file is not False else (Case(str(folder)),)
        if not inside:
            yield from _with_files(reference) if every_file else (Case(reference),)


def _with_files(chart: str) -> Iterator[Case]:
    files = values_files(Path(chart)) if Path(chart).is_dir() else []
    yield from (Case(chart, file) for file in files if file.name != DEFAULTS)
    if not files or files[0].name == DEFAULTS:
        yield Case(chart)


async def check_cases(
    wanted: Sequence[Case], check: Callable[[Case], Awaitable[tuple[Mapping[str, Path], Report]]], parallel: int
) -> Checks:
    """Checks all cases, some at a time. One that can't be checked does not stop the others.

    check: returns the chart's folder by its name, and the report.
    """
    results = await outcomes((_awaited(check, case) for case in wanted), parallel)
    reports: list[tuple[Case, Report]] = []
    charts: dict[str, Path] = {}
    failures: list[tuple[str, SidelaneError]] = []
    for case, result in zip(wanted, results, strict=True):
        if isinstance(result, SidelaneError):
            failures.append((str(case), result))
        elif isinstance(result, BaseException):
            raise result
        else:
            charts.update(result[0])
            reports.append((case, result[1]))
    return Checks(merged(reports), charts, tuple(failures))


async def _awaited(
    check: Callable[[Case], Awaitable[tuple[Mapping[str, Path], Report]]], case: Case
) -> tuple[Mapping[str, Path], Report]:
    return await check(case)


def merged(reports: Sequence[tuple[object, Report]]) -> Report:
    """Returns one report of many: equal findings once, in order of place, and a note of each part with findings."""
    findings = sorted({finding: None for _, report in reports for finding in report.findings}, key=_place)
    rules = dict.fromkeys(rule for _, report in reports for rule in report.rules)
    notes = dict.fromkeys(note for _, report in reports for note in report.notes)
    having = [f"{part}: {_counted(report.findings)}" for part, report in reports if report.findings]
    lanes = {report.lane for _, report in reports}
    return Report(
        tuple(findings),
        sum(report.objects for _, report in reports),
        tuple(rules),
        lanes.pop() if len(lanes) == 1 else None,
        (*notes, *(having if len(reports) > 1 else ())),
    )


def _place(finding: Finding) -> tuple[object, ...]:
    return finding.source, finding.line, str(finding.identity), finding.path, finding.rule


def _counted(findings: Sequence[Finding]) -> str:
    numbers = {severity: sum(each.severity == severity for each in findings) for severity in ("error", "warning")}
    return ", ".join(f"{number} {name}{'s' * (number != 1)}" for name, number in numbers.items() if number)


def check_manifest(
    file: str | os.PathLike[str], lane: Lane | None, namespace: str | None, wanted: Wanted, *, whole: bool
) -> Report:
    """Checks a file of objects by the wanted conventions, or else the nearest file's above it. Raises InvalidInput."""
    from sidelane.checks.engine import check  # noqa: PLC0415 - other verbs do not need it

    try:
        content = files.bounded(Path(file), kubeyaml.SIZE_LIMIT)
    except (OSError, ValueError) as error:
        raise InvalidInput.unreadable(os.fspath(file), error) from None
    manifest = Manifest.read(content, namespace=namespace or "default", source=os.fspath(file))
    own = conventions.find(Path(file).parent) if wanted.given is None else conventions.named(wanted.given)
    return check(
        manifest, conventions=own.with_schemas(wanted.kubernetes_versions, wanted.schemas), lane=lane, whole=whole
    )


def check_stored(releases: Sequence[Stored], wanted: Wanted, *, whole: bool) -> Report:
    """Checks stored manifests. Releases with the same conventions are checked together, as one manifest.

    wanted: the conventions; without any, those in each release's record, or else the nearest file's above the working
    folder. whole: the releases are their complete lanes.
    """
    from sidelane.charts.rendering import read_manifest  # noqa: PLC0415 - other verbs do not need it
    from sidelane.checks.engine import check  # noqa: PLC0415 - other verbs do not need it

    groups: dict[str, tuple[Conventions, list[Stored]]] = {}
    for stored in releases:
        own = conventions.named(wanted.given) if wanted.given is not None else _recorded(stored)
        groups.setdefault(repr(own), (own, []))[1].append(stored)
    reports = []
    for own, group in groups.values():
        text = "\n---\n".join(stored.text for stored in group)
        manifest = read_manifest(text, group[0].release.namespace, group[0].release.name)
        asked = own.with_schemas(wanted.kubernetes_versions, wanted.schemas)
        release = group[0].release.name if len(group) == 1 else ""
        names = ", ".join(stored.release.name for stored in group)
        reports.append((names, check(manifest, conventions=asked, release=release, whole=whole)))
    return merged(reports)


def _recorded(stored: Stored) -> Conventions:
    recorded: Mapping[str, Any] = Record.read(stored.record).conventions if stored.record else {}
    name, text = str(recorded.get("name") or ""), str(recorded.get("text") or "")
    if text:
        return conventions.read(text.encode(), name)
    return conventions.named(name) if name else conventions.find(Path())
