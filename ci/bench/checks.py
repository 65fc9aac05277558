"""The rows of checks: charts with all their values against as many bare `helm template`; piped manifests; and the same
manifest against kubeconform and kube-linter, where they are on PATH.

Charts are checked by `sidelane check` and by `pytest --sidelane-charts`, two at a time, as the bare calls run. The
memory is that of the largest process, which must not grow with the number of charts. pytest loads Sidelane's plugin
and pytest-xdist alone, as for a user who has installed only these: the others of this checkout, such as Hypothesis',
are not what is measured.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import generated_chart
from measuring import Command, Row, always
from sidelane.checks.kubernetes import published

#: Processes of each row.
PARALLEL = 2
#: Generated charts, and objects that are piped.
MANY, PIPED = 100, 2000
#: Objects that are validated by loaded schemas, a multiple of PIPED, and the program that does it.
VALIDATED = 20_000
VALIDATED_BY = Path(__file__).with_name("validated.py")
#: The minor version of Kubernetes by which others validate too.
KUBERNETES = 36


def chart_rows(sidelane: str, helm: Path, charts: Path, folder: Path) -> Iterator[Row]:
    """Our charts with every values file of theirs, and generated charts of 20 objects each."""
    many = generated_chart.write_many(folder / "many", charts, MANY)
    ours = [path.parent for path in sorted(charts.glob("*/Chart.yaml")) if any(path.parent.glob("ci/*-values.yaml"))]
    goal = "≤ 1.3 ×, memory of one chart"
    for name, tested in (("our charts", ours), (f"{MANY} charts of 20", many)):
        bare = _templates(helm, tested)
        yield Row(f"check {name} / helm template", bare, always(sidelane, "check", *tested, "--ci-values"), goal)
        yield Row(f"pytest {name} / helm template", bare, _tests(helm, tested), goal)


def _templates(helm: Path, charts: Sequence[Path]) -> Command:
    """The bare calls: `helm template` of each chart with each values file, as many at a time as there are tests."""
    calls = []
    for chart in charts:
        bare = f"{helm} template release {shlex.quote(str(chart))}"
        calls += [f"{bare} -f {shlex.quote(str(file))}" for file in sorted(chart.glob("ci/*-values.yaml"))]
    return always("sh", "-c", f"printf '%s\\n' \"$@\" | xargs -P {PARALLEL} -I CALL sh -c CALL", "calls", *calls)


def _tests(helm: Path, charts: Sequence[Path]) -> Command:
    # Named twice: without a name, pytest would also run the tests of the working directory.
    tests = [word for chart in charts for word in (str(chart), "--sidelane-charts", str(chart))]
    alone = [
        "-q",
        *("-p", "xdist", "-p", "sidelane.pytest_plugin"),
        "--noconftest",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(charts[0].parent),
        "-W",
        "ignore",
    ]
    plugins = ("env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1")
    return always(
        *plugins, sys.executable, "-m", "pytest", *alone, "-n", str(PARALLEL), "--sidelane-helm", str(helm), *tests
    )


def piped_rows(sidelane: str, generated: Path, helm: Path, folder: Path) -> Iterator[Row]:
    """A large manifest, against a Python that does nothing: more milliseconds are the reading and all default rules."""
    manifest = _manifest(generated, helm, folder)
    bare, ours = always(sys.executable, "-c", "pass"), (sidelane, "check", manifest)
    yield Row(f"check {PIPED:,} objects / python", bare, always(*ours), f"≤ {PIPED / 3000 * 1000:.0f} ms more")
    versions = f"1.{KUBERNETES - 6}-1.{KUBERNETES}"
    yield Row("… in 7 versions' schemas / without", always(*ours), always(*ours, "--kubernetes-versions", versions))
    yield from (_loaded_row(manifest, range_) for range_ in (f"1.{KUBERNETES}", versions))
    yield from _rows_of_others(sidelane, manifest, folder)


def _loaded_row(manifest: Path, versions: str) -> Row:
    """The schemas alone: more milliseconds are those of VALIDATED objects, after all schemas are loaded."""
    process = (sys.executable, VALIDATED_BY, manifest, versions)
    once, more = always(*process, "0"), always(*process, str(VALIDATED // PIPED))
    goal = f"≤ {VALIDATED / 20_000 * 1000:,.0f} ms more"
    return Row(f"{VALIDATED:,} in schemas {versions} / loading", once, more, goal)


def _rows_of_others(sidelane: str, manifest: Path, folder: Path) -> Iterator[Row]:
    """All default rules and the schemas of one version, against kubeconform and kube-linter on the same file, one after
    the other. The row names the programs that are on PATH; without any there is no row.
    """
    schemas, commands = folder / "schemas", []
    if shutil.which("kubeconform"):
        _write_schemas(schemas)
        place = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
        commands.append(shlex.join(["kubeconform", "-strict", "-schema-location", place, str(manifest)]))
    if shutil.which("kube-linter"):
        # It fails with findings, as kubeconform does not on a valid manifest.
        commands.append(shlex.join(["kube-linter", "lint", str(manifest)]) + " || test $? -eq 1")
    if not commands:
        return
    names = " + ".join(shlex.split(command)[0] for command in commands)
    ours = always(sidelane, "check", manifest, "--kubernetes-versions", f"1.{KUBERNETES}")
    goal = "≤ 0.5 ×" if len(commands) > 1 else "no goal: kubeconform + kube-linter is 0.5 ×"
    yield Row(f"… of 1.{KUBERNETES} / {names}", always("sh", "-ec", "\n".join(commands)), ours, goal)


def _write_schemas(folder: Path) -> None:
    """Writes the schemas that Sidelane uses, of every kind of a version, in kubeconform's layout."""
    folder.mkdir()
    version = published.of_version(KUBERNETES)
    for api_version, kind in version.names:
        group, _, number = api_version.rpartition("/")
        name = "-".join(filter(None, (kind.lower(), group.partition(".")[0], number)))
        (folder / f"{name}.json").write_text(json.dumps(version.schema(api_version, kind)))


def _manifest(generated: Path, helm: Path, folder: Path) -> Path:
    manifest = folder / "piped.yaml"
    manifest.write_text("".join(_rendered(helm, generated, n) for n in range(PIPED // 500)))
    return manifest


def _rendered(helm: Path, chart: Path, n: int) -> str:
    lane = ["--set", "Version=piped", "--set-string", f"Build={n}"]
    command = [str(helm), "template", "x", str(chart), *lane]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
