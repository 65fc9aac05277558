"""Shows where the time of a command goes: `make profile`.

Each command runs as a whole process in traced.py, and the run with the least processor time counts. A table shows its
wall and processor time by phase; a timeline in the format of Chrome's tracing (chrome://tracing, ui.perfetto.dev) goes
to dist/profile. Times are inclusive of the tracing, which takes some 10 % of Python's part. Helm works while Python
imports and waits, so the phases of wall time don't add up.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import generated_chart
import toolchain
from bench import CHARTS, SCRIPTS, base
from controlplane import ControlPlane, find_programs

TRACED = Path(__file__).with_name("traced.py")
OUT = Path(__file__).resolve().parents[2] / "dist" / "profile"

Span = dict[str, Any]


class Case(NamedTuple):
    """A command to profile. {n} is the number of the run."""

    name: str
    command: str


def cases(folder: Path, version: str) -> list[Case]:
    """The commands; each leaves what the next ones need."""
    chart = generated_chart.write_service(folder, CHARTS)
    lane = folder / "lane.yaml"
    releases = "".join(f"  - {{chart: {chart}, name: svc{letter}}}\n" for letter in "abcdefgh")
    lane.write_text(
        f"apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {{Version: {version}, Build: 0}}\n"
        f"releases:\n{releases}"
    )
    return [
        Case("render", f"render zookeeper --lane {version}-{{n}}"),
        Case("check", f"check zookeeper --lane {version}-{{n}}"),
        Case("install", f"install zookeeper --lane {version}-{{n}}"),
        Case("apply of 8", f"apply {lane} --build {{n}}"),
        Case("apply of 8 again", f"apply {lane} --build {{n}}"),
        Case("verify of 9", f"verify --lane {version}-{{n}}"),
        Case("list", "list"),
        Case("route set", f"route set svca --to v1 --lane {version}-{{n}}"),
    ]


def traced(command: str, environment: dict[str, str]) -> list[Span]:
    """Runs a command and returns its spans."""
    with tempfile.NamedTemporaryFile("r") as out:
        arguments = [sys.executable, str(TRACED), out.name, str(time.perf_counter()), *command.split()]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"sidelane {command} failed:\n{done.stderr}")
        spans: list[Span] = json.load(out)
    return spans


def own_times(spans: Iterable[Span]) -> Iterator[tuple[Span, float, float]]:
    """Yields the spans of Python with their wall and processor time less that of the spans inside them."""
    python = [span for span in spans if span["group"] not in ("all", "process")]
    inside: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    around: list[Span] = []
    for span in sorted(python, key=lambda span: (span["begun"], -span["wall"])):
        while around and around[-1]["begun"] + around[-1]["wall"] <= span["begun"]:
            around.pop()
        if around:
            inside[id(around[-1])][0] += span["wall"]
            inside[id(around[-1])][1] += span["processor"]
        around.append(span)
    for span in python:
        wall, processor = inside[id(span)]
        yield span, span["wall"] - wall, span["processor"] - processor


def phases(spans: list[Span]) -> list[tuple[str, float, float]]:
    """Returns the rows of the table: the phase, its wall and its processor time in seconds."""
    (whole,) = (span for span in spans if span["group"] == "all")
    python: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for span, wall, processor in own_times(spans):
        name = span["name"].split(".")[0]
        group = span["group"]
        phase = f"import of {name if name in PACKAGES else 'others'}" if group == "import" else group
        python[phase][0] += wall
        python[phase][1] += processor
    processes = [(span["name"], span["wall"], span["processor"]) for span in spans if span["group"] == "process"]
    known = [sum(column) for column in zip(*python.values(), strict=True)]
    return [
        *((phase, wall, processor) for phase, (wall, processor) in python.items()),
        ("the rest of Python", whole["wall"] - known[0], whole["processor"] - known[1]),
        *(_merged(processes)),
        ("all", whole["wall"], whole["processor"] + sum(processor for _, _, processor in processes)),
    ]


#: The packages whose imports have their own row.
PACKAGES = frozenset({"asyncio", "click", "jsonschema_rs", "pyhelm3", "semver", "sidelane", "yaml"})


def _merged(processes: list[tuple[str, float, float]]) -> Iterator[tuple[str, float, float]]:
    """One row for the processes of a kind: `helm install × 8`, with the longest wall time."""
    kinds: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, wall, processor in processes:
        kinds[" ".join(name.split()[:2])].append((wall, processor))
    for kind, times in kinds.items():
        number = f" × {len(times)}, the longest" if len(times) > 1 else ""
        yield kind + number, max(wall for wall, _ in times), sum(processor for _, processor in times)


def timeline(spans: list[Span]) -> dict[str, Any]:
    """Returns the spans as a Chrome trace: Python's in one row, each process in a row of its own."""
    start = min(span["begun"] for span in spans)
    row = 1
    events = []
    for span in sorted(spans, key=lambda span: float(span["begun"])):
        row += span["group"] == "process"
        events.append(
            {
                "ph": "X",
                "name": span["name"],
                "cat": span["group"],
                "ts": (span["begun"] - start) * 1e6,
                "dur": span["wall"] * 1e6,
                "pid": 1,
                "tid": row if span["group"] == "process" else 1,
                "args": {"processor ms": round(span["processor"] * 1000, 2)},
            }
        )
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def show(case: Case, spans: list[Span], helm: str) -> None:
    print(f"\n{case.name}, {helm}\n{'':<44}{'wall ms':>9}{'cpu ms':>9}")
    for phase, wall, processor in phases(spans):
        print(f"  {phase:<42}{wall * 1000:>9.1f}{processor * 1000:>9.1f}")
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"{case.name} {helm}.json".lower().replace(" ", "-")
    file.write_text(json.dumps(timeline(spans)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each command (default: 5)")
    parser.add_argument("--only", default="", help="only commands whose name begins so; they may need earlier ones")
    options = parser.parse_args()
    helms = {"three": SCRIPTS / "helm", "four": toolchain.build() / "helm"}  # the words are Versions of lanes
    with tempfile.TemporaryDirectory() as folder, ControlPlane(find_programs()) as cluster:
        for word, helm in helms.items():
            environment = {
                **base(),
                "PATH": f"{helm.parent}:{os.environ['PATH']}",
                "KUBECONFIG": str(cluster.kubeconfig),
            }
            version = subprocess.run([helm, "version", "--short"], capture_output=True, text=True, check=True).stdout
            for case in cases(Path(folder) / word, word):
                if case.name.startswith(options.only):
                    runs = [traced(case.command.format(n=n), environment) for n in range(1, options.runs + 1)]
                    show(case, min(runs, key=_processor), f"Helm {version.strip().removeprefix('v').split('+')[0]}")


def _processor(spans: list[Span]) -> float:
    return sum(float(span["processor"]) for span in spans if span["group"] in ("all", "process"))


if __name__ == "__main__":
    main()
