"""Whole processes, timed against bare helm in one run: `make bench`.

Each row runs Helm's command and ours in turn, so that both meet the same machine, and gives the median of each, the
median of the ratios pair by pair, of time and of processor time, and the larger peak of memory of our processes (Python
and the helm that it ran). Where `helmfile` is on PATH, it deploys the same releases too.
The numbers are for reading: nothing here passes or fails. They are kept in ci/bench/results (results.py).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import checks
import generated_chart
import results
import scale
import toolchain
from controlplane import ControlPlane, find_programs
from measuring import HEADER, Cost, Result, Row, always, measure, run

CHARTS = Path(__file__).resolve().parents[2] / "charts"
SCRIPTS = Path(sysconfig.get_path("scripts"))
SIDELANE = str(SCRIPTS / "sidelane")

#: The parts of a run. All but the last are measured under each Helm.
PARTS = ("rendering", "install", "list", "scale", "guard", "checks", "routes", "lanes", "python")
#: Releases of one lane in the rows of `apply`.
RELEASES = 40
#: Releases of the namespace in the row of `list`.
LISTED = 1000


def rendering_rows(helm: Path, generated: Path) -> list[Row]:
    lane = ("--set", "Version=coco", "--set", "Build=1")
    rows = []
    for name, chart, ours in (("zookeeper", CHARTS / "zookeeper", "zookeeper"), ("500 objects", generated, generated)):
        bare = always(helm, "template", "x", chart, *lane)
        many = chart == generated
        for verb, goal in (("render", "" if many else "≤ 2.0 ×"), ("check", "≤ 1.2 ×, 150 MB" if many else "≤ 2.0 ×")):
            command = always(SIDELANE, verb, ours, "--lane", "coco-1")
            rows.append(Row(f"{verb} {name} / helm template", bare, command, goal))
    return rows


def install_row(helm: Path, tag: str) -> Row:
    def bare(n: int) -> Sequence[str]:
        lane = ("--set", f"Version={tag}bare", "--set-string", f"Build={n}")
        return [str(helm), "install", f"zookeeper-{tag}bare-{n}", str(CHARTS / "zookeeper"), *lane]

    def ours(n: int) -> Sequence[str]:
        return [SIDELANE, "install", "zookeeper", "--lane", f"{tag}ours-{n}"]

    return Row("install zookeeper / helm install", bare, ours, "≤ 1.15 ×, processor 1.3 ×", settle=2.0)


def list_row(helm: Path, cluster: scale.Cluster) -> Row:
    namespace = "listed"
    if run_quietly([helm, "get", "manifest", "zookeeper-listed-1", "-n", namespace], cluster.environment):
        cluster.fill(namespace, LISTED)
    bare = always(helm, "list", "-n", namespace, "--max", "0")
    return Row(f"list of {LISTED:,} / helm list", bare, always(SIDELANE, "list", "-n", namespace), "≤ 1.2 ×")


def guard_row(helm: Path, tag: str, folder: Path, environment: dict[str, str]) -> Row:
    """The policies of the chart guard: the same `helm install` in a namespace that is guarded, and in one that is not.

    Everyone with rights of an administrator is a deployer, so each request is evaluated and passes.
    """
    if run_quietly([helm, "status", "guard-guard-1", "-n", "kube-system"], environment):
        lane = ["--set", "Version=guard", "--set-string", "Build=1", "--set", "deployers.groups={system:masters}"]
        run([str(helm), "install", "guard-guard-1", str(CHARTS / "guard"), "-n", "kube-system", *lane], environment)
    chart = folder / f"{tag}namespaces"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: namespaces\nversion: 0.1.0\n")
    labels = {f"{tag}free": "{}", f"{tag}guarded": "{sidelane.dev/guard: deny}"}
    (chart / "templates" / "all.yaml").write_text(
        "".join(
            f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {label}}}\n"
            for name, label in labels.items()
        )
    )
    run([str(helm), "install", f"{tag}namespaces", str(chart)], environment)

    def into(namespace: str) -> Callable[[int], Sequence[str]]:
        def install(n: int) -> Sequence[str]:
            lane = ("--set", "Version=coco", "--set-string", f"Build={n}")
            return [str(helm), "install", f"zookeeper-coco-{n}", str(CHARTS / "zookeeper"), "-n", namespace, *lane]

        return install

    return Row("helm install, guarded / not", into(f"{tag}free"), into(f"{tag}guarded"), "≤ 1.05 ×", settle=2.0)


def routes_rows(helm: Path, tag: str, folder: Path, environment: dict[str, str]) -> Iterator[Row]:
    """Many routes, of which each is set to one version by a command of its own, and all to another one in lockstep; and
    then the same changes are undone in both ways.
    """
    chart, lane = folder / f"{tag}routed", f"{tag}routed-1"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: routed\nversion: 0.1.0\n")
    services = [f"svc{'abcdefghij'[n % 10] * (n // 10 + 1)}" for n in range(RELEASES)]
    (chart / "templates" / "all.yaml").write_text(
        "".join(
            f"---\napiVersion: v1\nkind: Service\nmetadata:\n  name: {name}-{version}-{lane}\n"
            f"  labels: {{app: {name}-{lane}, version: {version}, sidelane.dev/lane: {lane}}}\n"
            "spec: {ports: [{name: http, port: 80}]}\n"
            for name in services
            for version in ("v1", "v2")
        )
    )
    namespace = f"{tag}routed"
    run([str(helm), "install", f"{tag}routed", str(chart), "-n", namespace, "--create-namespace"], environment)
    how = ["--lane", lane, "-n", namespace, "--allow-unready"]
    run([SIDELANE, "route", "set", *services, "--to", "v2", *how], environment)  # as many changes as undos
    for verb, one, all_ in (("set", ["--to", "v1"], ["--to", "v2"]), ("undo", [], [])):
        each = f"'{SIDELANE}' route {verb} $name {' '.join([*one, *how])}"
        loop = always("sh", "-ec", f"for name in {' '.join(services)}; do {each}; done")
        yield Row(
            f"{verb} {RELEASES} routes in lockstep / each",
            loop,
            always(SIDELANE, "route", verb, *services, *all_, *how),
            "≤ 0.3 ×",
        )


def run_quietly(command: Sequence[object], environment: dict[str, str]) -> int:
    """Runs a command that may fail, and returns its exit code."""
    return subprocess.run(list(map(str, command)), env=environment, capture_output=True, check=False).returncode


def lane_rows(helm: Path, tag: str, folder: Path, runs: int, environment: dict[str, str]) -> Iterator[Result]:
    """A lane of many releases: a loop of `helm install`, one apply, that apply again and verify, in turn; and the same
    releases by helmfile, where it is on PATH.
    """
    chart = generated_chart.write_service(folder / tag, CHARTS)
    names = ["svc" + "abcdefghij"[n % 10] * (n // 10 + 1) for n in range(RELEASES)]
    file = folder / tag / "lane.yaml"
    file.write_text(
        f"apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {{Version: {tag}ours, Build: 0}}\nreleases:\n"
        + "".join(f"  - {{chart: ./single, name: {name}}}\n" for name in names)
    )
    goals = {
        "apply": "≤ 0.5 ×",
        "apply again": "≤ 0.02 ×",
        "verify": "≤ 0.1 ×",
        "helmfile sync": "",
        "the same again": "",
    }
    times: dict[str, list[Cost]] = defaultdict(list)
    for n in range(1, runs + 1):
        lane = f"--set Version={tag}bare --set-string Build={n} --namespace {tag}bare{n} --create-namespace"
        install = f"'{helm}' install $name '{chart}' --set name=$name {lane}"
        ours = [SIDELANE, "apply", str(file), "--build", str(n), "-n", f"{tag}ours{n}", "--create-namespace"]
        commands = {
            "loop": ["sh", "-ec", f"for name in {' '.join(names)}; do {install}; done"],
            "apply": ours,
            "apply again": ours,
            "verify": [SIDELANE, "verify", "--lane", f"{tag}ours-{n}", "-n", f"{tag}ours{n}"],
        }
        if shutil.which("helmfile"):
            sync = helmfile(helm, chart, names, tag, n)
            commands |= {"helmfile sync": sync, "the same again": sync}
        for what, command in commands.items():
            time.sleep(5.0)  # for the cluster to end its work for what went before
            times[what].append(run(command, environment))
    for what, goal in goals.items():
        if what in times:
            name = f"{what} of {RELEASES} / {RELEASES} helm install"
            yield Result.of(name, list(zip(times["loop"], times[what], strict=True)), goal)


def helmfile(helm: Path, chart: Path, names: Sequence[str], tag: str, n: int) -> list[str]:
    """Writes the lane as a helmfile, and returns the command that deploys it."""
    values = f"{{Version: {tag}file, Build: '{n}'"
    file = chart.parent / f"helmfile-{n}.yaml"
    file.write_text(
        "releases:\n"
        + "".join(
            f"  - {{name: {name}, namespace: {tag}file{n}, chart: {chart}, values: [{values}, name: {name}}}]}}\n"
            for name in names
        )
    )
    return ["helmfile", "--helm-binary", str(helm), "-f", str(file), "sync", "--concurrency", "4"]


def base() -> dict[str, str]:
    """The environment, in which Python keeps bytecode. Whoever installs Sidelane has it; without it every run of a
    checkout compiles all of its modules, which is more than a third of what Python does in an install.
    """
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def under(
    helm: Path, tag: str, folder: Path, cluster: ControlPlane, runs: int, parts: Collection[str]
) -> Iterator[Result]:
    """Measures the rows of the parts under one Helm."""
    path = f"{helm.parent}:{os.environ['PATH']}"
    environment = {**base(), "PATH": path, "KUBECONFIG": str(cluster.kubeconfig)}
    few = max(runs // 4, 1)
    filled = scale.Cluster(SIDELANE, helm, CHARTS, cluster.kubeconfig, environment)
    rows: dict[str, Callable[[], Iterator[tuple[Row, int]]]] = {
        "rendering": lambda: ((row, runs) for row in rendering_rows(helm, folder / "generated")),
        "install": lambda: iter([(install_row(helm, tag), runs)]),
        "list": lambda: iter([(list_row(helm, filled), runs)]),
        "scale": lambda: ((row, few) for row in scale.rows(filled, tag)),
        "guard": lambda: iter([(guard_row(helm, tag, folder, environment), runs)]),
        "checks": lambda: ((row, few) for row in checks.chart_rows(SIDELANE, helm, CHARTS, folder / tag)),
        "routes": lambda: ((row, max(runs // 8, 1)) for row in routes_rows(helm, tag, folder, environment)),
    }
    for part, its in rows.items():
        for row, times in its() if part in parts else ():
            yield measure(row, times, environment)
    if "lanes" in parts:
        yield from lane_rows(helm, tag, folder, few, environment)


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    if unknown := [part for part in parts if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=11, help="counted runs of each command (default: 11)")
    parser.add_argument("--only", default=PARTS, type=_parts, help=f"parts, by commas: {', '.join(PARTS)}")
    options = parser.parse_args()
    runs, parts = options.runs, options.only
    tools = toolchain.build()
    rows: dict[str, list[Result]] = {}

    def show(program: str, results: Iterator[Result]) -> None:
        print(f"\n{program}, {runs} runs\n{HEADER}", flush=True)
        for row in results:
            print(row, flush=True)
            rows.setdefault(program, []).append(row)

    with tempfile.TemporaryDirectory() as folder, ControlPlane(find_programs()) as cluster:
        generated_chart.write(Path(folder), CHARTS)
        for tag, helm in (("h3", SCRIPTS / "helm"), ("h4", tools / "helm")):
            version = subprocess.run([helm, "version", "--short"], stdout=subprocess.PIPE, text=True, check=True).stdout
            show(f"Helm {version.partition('+')[0].strip()}", under(helm, tag, Path(folder), cluster, runs, parts))
        if "python" in parts:
            bare = always(sys.executable, "-c", "pass")
            row = Row("--help / python -c pass", bare, always(SIDELANE, "--help"), "≤ 80 ms more")
            piped = checks.piped_rows(SIDELANE, Path(folder) / "generated", SCRIPTS / "helm", Path(folder))
            show(f"Python {sys.version.split()[0]}", (measure(each, runs, base()) for each in (row, *piped)))
    print(f"\nkept in {os.path.relpath(results.keep(rows, runs))}; compare with `make bench-compare`")


if __name__ == "__main__":
    main()
