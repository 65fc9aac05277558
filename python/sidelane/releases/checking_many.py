"""Check many charts and manifests at a time, each chart with many values files; and check what is deployed."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sidelane import kubeyaml
from sidelane.charts import flags, strvals
from sidelane.charts.chart import Chart
from sidelane.charts.folders import DEFAULTS, charts_in, values_files
from sidelane.charts.held import Held
from sidelane.charts.values import own_lane
from sidelane.checks import conventions
from sidelane.checks.findings import Checks, Finding, Report, severities
from sidelane.errors import SidelaneError
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.releases.checking import Wanted, recorded
from sidelane.releases.provenance import Record
from sidelane.support.concurrency import outcomes

if TYPE_CHECKING:
    from sidelane.releases.stores import Stored


class Case(NamedTuple):
    """A chart, or a manifest, and the values file of the chart's own that it is checked with. None: only the caller's
    values.
    """

    chart: str
    file: Path | None = None

    def values(self, lane: Lane | str | None, over: Mapping[str, Any]) -> tuple[Lane | str | None, dict[str, Any]]:
        """Returns the lane, that of the file if it names one, and the file's values with others over them."""
        own = flags.gather([str(self.file)]) if self.file else {}
        return own_lane(own) or lane, strvals.merge_into(own, dict(over))

    def __str__(self) -> str:
        return f"{self.chart} with {self.file.relative_to(self.chart)}" if self.file else self.chart


def cases(charts: Iterable[str | os.PathLike[str]], *, every_file: bool | None) -> Iterator[Case]:
    """Yields what to check. A folder of charts stands for all of its charts but libraries, which render nothing.

    every_file: check each chart with each of its ``ci/*-values.yaml``; None: only the charts of a folder of charts.
    """
    for each in charts:
        reference = os.fspath(each)
        inside = charts_in(reference)
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
    wanted: Sequence[Case],
    check: Callable[[Case], Coroutine[Any, Any, tuple[Mapping[str, Path], Report]]],
    parallel: int,
) -> Checks:
    """Checks all cases, some at a time. One that can't be checked does not stop the others.

    check: returns the chart's folder by its name, and the report.
    """
    results = await outcomes(map(check, wanted), parallel)
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


def merged(reports: Sequence[tuple[object, Report]]) -> Report:
    """Returns one report of many: equal findings once, in order of place, and a note of each part with findings."""
    findings = sorted({finding: None for _, report in reports for finding in report.findings}, key=_place)
    rules = dict.fromkeys(rule for _, report in reports for rule in report.rules)
    notes = dict.fromkeys(note for _, report in reports for note in report.notes)
    having = [f"{part}: {_numbers(report)}" for part, report in reports if report.findings]
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


def _numbers(report: Report) -> str:
    return ", ".join(text for _, text in severities(report.findings))


def check_manifest(
    file: str | os.PathLike[str], lane: Lane | None, namespace: str | None, wanted: Wanted, *, whole: bool
) -> Report:
    """Checks a file of objects by the wanted conventions, or else the nearest file's above it. Raises InvalidInput."""
    from sidelane.checks.engine import check  # noqa: PLC0415 - other verbs do not need it

    manifest = Manifest.read(kubeyaml.content(file), namespace=namespace or "default", source=os.fspath(file))
    own = conventions.chosen(wanted.given, Path(file).parent)
    own = own.with_schemas(wanted.kubernetes_versions, wanted.schemas)
    return check(manifest, conventions=own, lane=lane, whole=whole)


def check_stored(releases: Sequence[Stored], wanted: Wanted, *, whole: bool) -> Report:
    """Checks stored manifests. Releases with the same conventions are checked together, as one manifest.

    wanted: the conventions; without any, those in each release's record, or else the nearest file's above the working
    folder. whole: the releases are their complete lanes.
    """
    from sidelane.charts.rendering import read_manifest  # noqa: PLC0415 - other verbs do not need it
    from sidelane.checks.engine import check  # noqa: PLC0415 - other verbs do not need it

    groups: dict[tuple[str, str], list[Stored]] = {}
    for stored in releases:
        groups.setdefault(("", "") if wanted.given is not None else _held(stored), []).append(stored)
    reports = []
    for (source, text), group in groups.items():
        own = recorded(source, text) if source else conventions.chosen(wanted.given, Path())
        manifest = read_manifest(
            "\n---\n".join(stored.text for stored in group), group[0].release.namespace, group[0].release.name
        )
        own = own.with_schemas(wanted.kubernetes_versions, wanted.schemas)
        release = group[0].release.name if len(group) == 1 else ""
        names = ", ".join(stored.release.name for stored in group)
        reports.append((names, check(manifest, conventions=own, release=release, whole=whole)))
    return merged(reports)


def _held(stored: Stored) -> tuple[str, str]:
    """Returns the conventions in a release's record, as Held.source and Held.text; empty without any."""
    held = Held.from_json(Record.read(stored.record).conventions if stored.record else {}, lanes=True)
    return held.source, held.text
