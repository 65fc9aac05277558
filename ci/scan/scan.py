"""`make scan`: holds what every chart renders by default against checkov's security checks, without a network.

A chart is rendered by Helm with its ci/default-values.yaml. Each finding counts, since checkov knows severities only
from its makers' service: the chart is mended, or its ci/scan.yaml says why it stays so, for each object by name:

    - check: CKV_K8S_43 # Image should use digest
      objects: [StatefulSet zk, Pod zk-test] # the name without the lane
      reason: Why it is so.

A chart that other charts are linked into is also explained by theirs. An explanation of what is not found is refused,
and `checkov.io/skip` annotations explain nothing. Ends with 1 when anything is left to explain.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

from sidelane import helm_program, kubeyaml
from sidelane.charts import Chart
from sidelane.errors import HelmError, Refused, SidelaneError
from sidelane.kubeyaml import writer

ROOT = Path(__file__).resolve().parents[2]
LANE = "sidelane.dev/lane"

#: A check's id, and an object as explanations name it: ``("CKV_K8S_43", "StatefulSet zk")``.
Subject = tuple[str, str]


def render(chart: Path, helm: str) -> list[dict[str, Any]]:
    """The objects of the chart's default output. Raises HelmError, and Refused for a chart without default values."""
    values = chart / "ci" / "default-values.yaml"
    if not values.is_file():
        raise Refused(f"{chart} has no ci/default-values.yaml", remedy="write one: what the chart needs, and no more")
    # For the namespace `default`, which Helm takes unasked, there would be one more finding.
    command: list[str | Path] = [helm, "template", chart.name, chart, "--values", values, "--namespace", "streams"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HelmError(f"Helm does not render {chart}: {done.stderr.strip()}", remedy="mend the chart")
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
    """What run_checkov.py tells of each of the folders in a folder. Raises Refused when it fails."""
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


def explained(chart: Path) -> set[Subject]:
    """What a chart's ci/scan.yaml gives a reason for. Raises Refused for what is no explanation."""
    path = chart / "ci" / "scan.yaml"
    if not path.is_file():
        return set()
    entries = kubeyaml.read(path.read_text(encoding="utf-8"), source=str(path))
    if not isinstance(entries, list):
        raise Refused(f"{path} is no list of explanations", remedy="begin each with `- check:`")
    subjects: set[Subject] = set()
    for entry in entries:
        match entry:
            case {"check": str(check), "objects": [*objects], "reason": str(reason), **more} if reason and not more:
                subjects |= {(check, str(each)) for each in objects}
            case _:
                raise Refused(f"{path}: {entry!r} is no explanation", remedy="give its check, objects and reason")
    return subjects


def inherited(chart: Path) -> set[Subject]:
    """What the charts linked into a chart give a reason for."""
    parts = sorted((chart / "charts").glob("*/"))
    return set().union(*(explained(part) | inherited(part) for part in parts))


def complaints(chart: Path, own: set[Subject], held: dict[str, str], result: dict[str, Any]) -> list[str]:
    """What is to be done about a chart, a line each: its own explanations, its objects by file, what checkov tells."""
    if unseen := [held[file] for file in held if file not in result["seen"]]:
        return [f"checkov passes over {', '.join(unseen)}"]
    given = own | inherited(chart)
    # A check that was skipped is one that an annotation would have us skip.
    found = {(each["check"], held[each["file"]]): each["says"] for each in result["failed"] + result["skipped"]}
    print(f"{chart.name}: {result['passed']} checks passed, {len(found)} findings")
    return [
        f"{check} {says!r} on {item} has no explanation"
        for (check, item), says in found.items()
        if (check, item) not in given
    ] + [f"{check} on {item} is explained, and not found" for check, item in sorted(own) if (check, item) not in found]


def scan(root: Path, python: Path) -> None:
    """Scans the charts of a folder. Raises Refused naming all that is not explained, or explained for nothing."""
    found = (Chart.load(path.parent) for path in sorted(root.glob("charts/*/Chart.yaml")))
    charts = [chart.path for chart in found if chart.type == "application"]
    if not charts:
        raise Refused(f"{root}/charts has no charts", remedy="give --root the folder above them")
    own = {chart: explained(chart) for chart in charts}  # first, since a mistake in one takes no time to tell
    helm = helm_program.find()
    with tempfile.TemporaryDirectory() as folder:
        held = {chart: write(render(chart, helm), Path(folder, chart.name)) for chart in charts}
        results = run_checkov(Path(folder), [chart.name for chart in charts], python)
    lines = [
        f"  {chart.name}: {complaint}"
        for chart in charts
        for complaint in complaints(chart, own[chart], held[chart], results[chart.name])
    ]
    if lines:
        remedy = "mend the chart, or explain what stays in its ci/scan.yaml"
        raise Refused("findings and explanations do not agree:\n" + "\n".join(lines), remedy=remedy)


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
