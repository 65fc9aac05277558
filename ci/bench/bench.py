"""Whole processes, timed against bare helm in one run: `make bench`.

Each row runs Helm's command and ours in turn, so that both meet the same machine, and gives the median of each, the
median of the ratios pair by pair, of time and of processor time, and the larger peak of memory of our processes (Python
and the helm that it ran).
The numbers are for reading: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import generated_chart
import toolchain
from controlplane import ControlPlane, find_programs

CHARTS = Path(__file__).resolve().parents[2] / "charts"
SCRIPTS = Path(sysconfig.get_path("scripts"))
SIDELANE = str(SCRIPTS / "sidelane")

#: Releases of one lane in the rows of `apply`.
RELEASES = 40

#: A command of one run; its number makes each install's lane its own.
Command = Callable[[int], Sequence[str]]


@dataclass(frozen=True)
class Row:
    """A comparison: the bare command, ours, and what we want to reach."""

    name: str
    bare: Command
    ours: Command
    goal: str = ""
    settle: float = 0.0  # seconds before each run, for the cluster to end its work for the run before


@dataclass(frozen=True)
class Cost:
    seconds: float
    processor: float  # seconds, of the command and its children
    peak: int  # bytes


def run(command: Sequence[str], environment: dict[str, str]) -> Cost:
    """Runs a command to its end. The peak is the largest process's, of the command and its children."""
    with tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{errors.read().decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def measure(row: Row, runs: int, environment: dict[str, str]) -> None:
    """One row: a warm-up of each, then the two in turn."""

    def once(command: Command, n: int) -> Cost:
        time.sleep(row.settle)
        return run(command(n), environment)

    once(row.bare, 0), once(row.ours, 0)
    pairs = [(once(row.bare, n), once(row.ours, n)) for n in range(1, runs + 1)]
    bare, ours = (statistics.median(cost.seconds for cost in side) * 1000 for side in zip(*pairs, strict=True))
    show(row.name, bare, ours, pairs, row.goal)


def show(name: str, bare: float, ours: float, pairs: Sequence[tuple[Cost, Cost]], goal: str) -> None:
    """One line: milliseconds of both, their ratio, that of processor time, their difference, and our larger peak."""
    ratio = statistics.median(ours.seconds / bare.seconds for bare, ours in pairs)
    processor = statistics.median(ours.processor / bare.processor for bare, ours in pairs)
    peak = max(ours.peak for _, ours in pairs) / 2**20
    times = f"{bare:>8.0f}{ours:>8.0f}{ratio:>7.2f}{processor:>7.2f}{ours - bare:>+8.0f}"
    print(f"{name:<34}{times}{peak:>7.0f}  {goal}", flush=True)


def always(*command: str | Path) -> Command:
    """The same command in every run."""
    return lambda _: [str(part) for part in command]


def rendering_rows(helm: Path, generated: Path) -> list[Row]:
    lane = ("--set", "Version=coco", "--set", "Build=1")
    rows = []
    for name, chart, ours in (("zookeeper", CHARTS / "zookeeper", "zookeeper"), ("500 objects", generated, generated)):
        bare = always(helm, "template", "x", chart, *lane)
        for verb, goal in (("render", ""), ("check", "≤ 2 ×, 150 MB" if chart == generated else "")):
            command = always(SIDELANE, verb, ours, "--lane", "coco-1")
            rows.append(Row(f"{verb} {name} / helm template", bare, command, goal))
    return rows


def install_row(helm: Path, tag: str) -> Row:
    def bare(n: int) -> Sequence[str]:
        lane = ("--set", f"Version={tag}bare", "--set-string", f"Build={n}")
        return [str(helm), "install", f"zookeeper-{tag}bare-{n}", str(CHARTS / "zookeeper"), *lane]

    def ours(n: int) -> Sequence[str]:
        return [SIDELANE, "install", "zookeeper", "--lane", f"{tag}ours-{n}"]

    return Row("install zookeeper / helm install", bare, ours, "≤ 1.3 ×, processor 1.3 ×", settle=2.0)


def apply_rows(helm: Path, tag: str, folder: Path, runs: int, environment: dict[str, str]) -> None:
    """A lane of many releases: a loop of `helm install`, one apply, and that apply again, in turn."""
    chart = generated_chart.write_service(folder / tag, CHARTS)
    names = ["svc" + "abcdefghij"[n % 10] * (n // 10 + 1) for n in range(RELEASES)]
    file = folder / tag / "lane.yaml"
    file.write_text(
        f"apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {{Version: {tag}ours, Build: 0}}\nreleases:\n"
        + "".join(f"  - {{chart: ./single, name: {name}}}\n" for name in names)
    )
    times: dict[str, list[Cost]] = {"loop": [], "apply": [], "again": []}
    for n in range(1, runs + 1):
        lane = f"--set Version={tag}bare --set-string Build={n} --namespace {tag}bare{n} --create-namespace"
        install = f"'{helm}' install $name '{chart}' --set name=$name {lane}"
        loop = ["sh", "-ec", f"for name in {' '.join(names)}; do {install}; done"]
        ours = [SIDELANE, "apply", str(file), "--build", str(n), "-n", f"{tag}ours{n}", "--create-namespace"]
        for what, command in (("loop", loop), ("apply", ours), ("again", ours)):
            time.sleep(5.0)  # for the cluster to end its work for what went before
            times[what].append(run(command, environment))
    bare = statistics.median(cost.seconds for cost in times["loop"]) * 1000
    for what, goal in (("apply", "≤ 0.7 ×"), ("again", "≤ 0.15 ×")):
        mine = statistics.median(cost.seconds for cost in times[what]) * 1000
        name = f"apply {RELEASES}{' again' if what == 'again' else ''} / {RELEASES} helm install"
        show(name, bare, mine, list(zip(times["loop"], times[what], strict=True)), goal)


def base() -> dict[str, str]:
    """The environment, in which Python keeps bytecode. Whoever installs Sidelane has it; without it every run of a
    checkout compiles all of its modules, which is more than a third of what Python does in an install.
    """
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=11, help="counted runs of each command (default: 11)")
    runs = parser.parse_args().runs
    tools = toolchain.build()
    header = f"{'':<34}{'bare ms':>8}{'ours ms':>8}{'ratio':>7}{'cpu':>7}{'more ms':>8}{'MB':>7}"
    with tempfile.TemporaryDirectory() as folder, ControlPlane(find_programs()) as cluster:
        generated = generated_chart.write(Path(folder), CHARTS)
        for tag, helm in (("h3", SCRIPTS / "helm"), ("h4", tools / "helm")):
            path = f"{helm.parent}:{os.environ['PATH']}"
            environment = {**base(), "PATH": path, "KUBECONFIG": str(cluster.kubeconfig)}
            version = subprocess.run([helm, "version", "--short"], stdout=subprocess.PIPE, text=True, check=True).stdout
            print(f"\nHelm {version.strip()}, {runs} runs\n{header}")
            for row in [*rendering_rows(helm, generated), install_row(helm, tag)]:
                measure(row, runs, environment)
            apply_rows(helm, tag, Path(folder), max(runs // 4, 1), environment)
        print(f"\nPython {sys.version.split()[0]}\n{header}")
        bare = always(sys.executable, "-c", "pass")
        measure(Row("--help / python -c pass", bare, always(SIDELANE, "--help"), "≤ 80 ms more"), runs, base())


if __name__ == "__main__":
    main()
