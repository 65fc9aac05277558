"""`make scan`: holds what every chart renders by default against checkov's security checks, without a network.

A chart is rendered by Helm with its ci/default-values.yaml. Each finding counts, since checkov knows severities only
from its makers' service: the chart is fixed, or its ci/scan.yaml says why it stays so, for each object by name:

    - check: CKV_K8S_43 # Image should use digest
      objects: [StatefulSet zk, Pod *-test] # names without the lane
      reason: Why it is so.

That holds for the charts too that the chart is linked into, so a library's file explains what is found in all of them.
An explanation of what is found nowhere is refused, and `checkov.io/skip` annotations explain nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from sidelane import kubeyaml
from sidelane.charts.chart import Chart
from sidelane.errors import HelmError, Refused, SidelaneError
from sidelane.helm import executable
from sidelane.kubeyaml import writer

ROOT = Path(__file__).resolve().parents[2]
LANE = "sidelane.dev/lane"


@dataclass(frozen=True)
class Finding:
    """A check that failed: on which object, by its kind and its name without the lane (``StatefulSet zk``)."""

    chart: Path
    check: str
    says: str
    item: str


@dataclass(frozen=True)
class Explanation:
    """That a check may fail on objects, by a pattern as shells have it, of a chart and of those it is linked into."""

    chart: str
    check: str
    objects: str

    def covers(self, finding: Finding) -> bool:
        return (
            self.check == finding.check
            and fnmatchcase(finding.item, self.objects)
            and self.chart in with_parts(finding.chart)
        )


def render(chart: Path, helm: str) -> list[dict[str, Any]]:
    """The objects of the chart's default output. Raises HelmError, and Refused for a chart without default values."""
    values = chart / "ci" / "default-values.yaml"
    if not values.is_file():
        raise Refused(f"{chart} has no ci/default-values.yaml", remedy="write one: what the chart needs, and no more")
    # For the namespace `default`, which Helm takes unasked, there would be one more finding.
    command: list[str | Path] = [helm, "template", chart.name, chart, "--values", values, "--namespace", "streams"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HelmError(f"Helm does not render {chart}: {done.stderr.strip()}", remedy="fix the chart")
    return cast("list[dict[str, Any]]", kubeyaml.read_all(done.stdout, source=str(chart)))


def write(objects: list[dict[str, Any]], folder: Path) -> dict[str, str]:
    """Writes each object into a file of its own, so that a finding's file tells its object: what each file holds."""
    folder.mkdir()
    held = {f"{number}.yaml": item for number, item in enumerate(objects)}
    for file, item in held.items():
        (folder / file).write_text(writer.dump(item), encoding="utf-8")
    return {file: called(item) for file, item in held.items()}


def called(item: dict[str, Any]) -> str:
    """An object by its kind and its name without the lane: ``StatefulSet zk``."""
    metadata = item["metadata"]
    return f"{item['kind']} {metadata['name'].removesuffix('-' + metadata.get('labels', {}).get(LANE, ''))}"


def run_checkov(folder: Path, names: list[str], python: Path) -> dict[str, Any]:
    """The findings of run_checkov.py for each folder in a folder. Raises Refused when it fails."""
    # Without the variables that checkov, or Python, could take something else from.
    command: list[str | Path] = [python, "-I", Path(__file__).with_name("run_checkov.py"), *names]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    except FileNotFoundError:
        raise Refused(f"there is no {python}", remedy="`make scan` installs checkov there") from None
    if done.returncode != 0:
        raise Refused(f"checkov fails: {done.stderr.strip()}")
    return cast("dict[str, Any]", json.loads(done.stdout))


def findings_of(chart: Path, held: dict[str, str], result: dict[str, Any]) -> list[Finding]:
    """The failed checks, by the object of each file. Raises Refused when checkov did not look at all of them."""
    if unseen := [held[file] for file in held if file not in result["seen"]]:
        raise Refused(f"checkov passes over {', '.join(unseen)} of {chart}", remedy="see why, with `checkov --file`")
    # What was skipped is what an annotation would have us skip.
    failed = result["failed"] + result["skipped"]
    findings = dict.fromkeys(Finding(chart, each["check"], each["says"], held[each["file"]]) for each in failed)
    print(f"{chart.name}: {result['passed']} checks passed, {len(findings)} findings")
    return list(findings)


def explained(chart: Path) -> list[Explanation]:
    """The explanations in a chart's ci/scan.yaml. Raises Refused for one that is invalid."""
    path = chart / "ci" / "scan.yaml"
    if not path.is_file():
        return []
    entries = kubeyaml.read(path.read_text(encoding="utf-8"), source=str(path))
    if not isinstance(entries, list):
        raise Refused(f"{path} is not a list of explanations", remedy="begin each with `- check:`")
    explanations = []
    for entry in entries:
        match entry:
            case {"check": str(check), "objects": [*objects], "reason": str(reason), **more} if reason and not more:
                explanations += [Explanation(chart.name, check, str(each)) for each in objects]
            case _:
                raise Refused(f"{path}: {entry!r} is not an explanation", remedy="give its check, objects and reason")
    return explanations


def with_parts(chart: Path) -> set[str]:
    """The name of a chart and of all the charts linked into it."""
    return {chart.name}.union(*(with_parts(part) for part in (chart / "charts").glob("*/")))


def judge(findings: list[Finding], explanations: list[Explanation]) -> list[str]:
    """The findings without an explanation and the explanations without a finding, a line each."""
    explained_by = {finding: [each for each in explanations if each.covers(finding)] for finding in findings}
    used = {each for by in explained_by.values() for each in by}
    return [
        f"  {finding.chart.name}: {finding.check} {finding.says!r} on {finding.item} has no explanation"
        for finding, by in explained_by.items()
        if not by
    ] + [
        f"  {each.chart}: {each.check} on {each.objects} is explained, and not found"
        for each in explanations
        if each not in used
    ]


def scan(root: Path, python: Path) -> None:
    """Scans the charts of a folder. Raises Refused naming all that is not explained, or explained for nothing."""
    every = [Chart.load(path.parent) for path in sorted(root.glob("charts/*/Chart.yaml"))]
    # Before anything is rendered, since a mistake in one takes no time to tell.
    explanations = [each for chart in every for each in explained(chart.path)]
    charts = [chart.path for chart in every if chart.type == "application"]
    if not charts:
        raise Refused(f"{root}/charts has no charts", remedy="give --root the folder above them")
    helm = executable.find()
    with tempfile.TemporaryDirectory() as folder:
        held = {chart: write(render(chart, helm), Path(folder, chart.name)) for chart in charts}
        results = run_checkov(Path(folder), [chart.name for chart in charts], python)
    findings = [finding for chart in charts for finding in findings_of(chart, held[chart], results[chart.name])]
    if lines := judge(findings, explanations):
        remedy = "fix the chart, or explain what stays in its ci/scan.yaml"
        raise Refused("findings and explanations do not agree:\n" + "\n".join(lines), remedy=remedy)
    print(f"{len(findings)} findings, each explained")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make scan", description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT)
    try:
        scan(parser.parse_args().root, ROOT / ".venv" / "scan" / "bin" / "python")
        return 0
    except SidelaneError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
