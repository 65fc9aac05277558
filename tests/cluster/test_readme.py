"""The README files, to the letter: every block is run, in order, as it stands.

What a block is for is said here and not there. A block that is neither run nor listed below fails.
"""

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import threading
import time

import click
import pytest
import typed
import yaml
from sidelane import cli
from sidelane.checks import conventions

CHARTS = sorted(path.parent.name for path in typed.ROOT.glob("charts/*/README.md"))
#: Commands that only a kubelet answers, or that run in a container: tests/node and tests/programs have such.
INSIDE = ("storm ", "zkCli.sh ", "kubectl port-forward ", "kubectl exec ")
#: Commands of README.md that are not run, and why. Those of Sidelane's are still parsed.
NOT_RUN = {
    "cosign ": "the program is not here; tests/helm/test_signing.py checks envelopes by openssl and cryptography",
}
#: Settings of Storm's that a Secret holds, and not values; a part of a template; an object of cert-manager's.
#: Words of blocks that are not values of the chart: settings of other programs, and pipelines.
NO_VALUES = (
    *("storm.zookeeper.auth.scheme", "sidelane.metadata", "cert-manager.io/v1"),
    *("kind: AuthenticationConfiguration", "kind: AdmissionConfiguration"),
    *("kind: Application", "kind: Kustomization", "\njobs:", "\ndeploy:"),
)


@pytest.fixture
def kubectl(unavailable):
    if not typed.has_kubectl():
        unavailable("the README files use kubectl, and there is none on PATH")


def parses(command):
    """Holds a command that is not run against the command line's own grammar."""
    words = shlex.split(command.replace("\\\n", ""), comments=True)
    if words.pop(0) == "sidelane":
        group = cli.sidelane
        while isinstance(group, click.Group):
            group = group.get_command(click.Context(group), words.pop(0))
        group.make_context("sidelane", words)


def converse(shell, block, *, cwd=typed.ROOT):
    for command, shown in typed.dialogue(block):
        if command.startswith((*INSIDE, *NOT_RUN)):
            parses(command)
            continue
        refused = shown.startswith("Error: ")
        done = shell(command, code=1 if refused else 0, cwd=cwd)
        for _ in range(20):
            if not shown or typed.looks_like(shown, done.stdout + done.stderr) or refused:
                break
            time.sleep(1)  # a pod that is on its way
            done = shell(command, cwd=cwd)
        assert not shown or typed.looks_like(shown, done.stdout + done.stderr), done.stdout + done.stderr


# -- the charts' ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("helm", ["helm3"], indirect=True)
@pytest.mark.parametrize("chart", [chart for chart in CHARTS if chart not in ("common", "storm", "route", "guard")])
def test_a_charts_commands_work_in_order(kubectl, chart, tmp_path, helm, cluster, namespace):
    config = json.loads(cluster.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = namespace
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    shell = typed.shell(tmp_path, helm, tmp_path / "kubeconfig")
    blocks = [
        text for language, text in typed.blocks(typed.ROOT / "charts" / chart / "README.md") if language != "yaml"
    ]
    assert blocks
    for block in blocks:
        converse(shell, block)


@pytest.mark.parametrize("helm", ["helm3"], indirect=True)
@pytest.mark.parametrize("chart", CHARTS)
def test_a_charts_values_are_taken(chart, tmp_path, helm):
    shell = typed.shell(tmp_path, helm)
    for language, text in typed.blocks(typed.ROOT / "charts" / chart / "README.md"):
        if language == "console" or any(word in f"\n{text}" for word in NO_VALUES):
            continue
        assert language == "yaml"
        # One key at the beginning of two lines is one of two ways to say it.
        keys = re.findall(r"^(\w+):", text, re.MULTILINE)
        ways = text.splitlines() if len(keys) > len(set(keys)) else [text]
        for number, way in enumerate(ways):
            (tmp_path / f"{number}.yaml").write_text(way)
            assert isinstance(yaml.safe_load(way), dict)
            lane = "global.Version=2-coco,global.Build=1" if chart == "pipeline" else "Version=2-coco,Build=1"
            more = ",name=svc1,serviceVersion=v1,image.repository=a,image.tag=1" if chart == "service" else ""
            given = f"--set-string {lane}{more} --values {tmp_path / f'{number}.yaml'}"
            shell(f"helm template release charts/{chart} {given}")


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_with_links_says_why_helm_speaks_of_them(chart):
    folder = typed.ROOT / "charts" / chart
    if any(path.is_symlink() for path in folder.glob("charts/*")):
        assert "In a checkout Helm reports" in (folder / "README.md").read_text()


@pytest.mark.parametrize("helm", ["helm3", "helm4"], indirect=True)
def test_plain_helm_says_nothing_but_what_the_readme_explains(tmp_path, helm):
    shell = typed.shell(tmp_path, helm)
    shell(f"helm package charts/pipeline --destination {tmp_path}")
    flags = "--set-string global.Version=coco,global.Build=1"
    said = shell(f"helm template release charts/pipeline {flags}").stderr.splitlines()
    assert [line for line in said if "found symbolic link" not in line] == []
    assert "`found symbolic link`" in (typed.ROOT / "README.md").read_text()
    assert shell(f"helm template release {tmp_path}/pipeline-*.tgz {flags}").stderr == ""


# -- the README's chart tests -----------------------------------------------------------------------------------------


def chart_tests(folder):
    """The blocks about chart tests, which need no checkout."""
    text = (typed.ROOT / "README.md").read_text()
    (section,) = re.findall(r"^### Chart tests in CI$.*?(?=^##)", text, re.MULTILINE | re.DOTALL)
    (folder / "section.md").write_text(section)
    return typed.blocks(folder / "section.md")


@pytest.mark.parametrize("helm", ["helm3"], indirect=True)
def test_a_new_chart_is_tested_as_the_readme_shows(kubectl, tmp_path, helm, cluster):
    path = f"{tmp_path / 'programs'}:{sysconfig.get_path('scripts')}:{os.environ['PATH']}"
    shell = typed.shell(tmp_path, helm, cluster.kubeconfig, PATH=path)
    without_code, own, inside, in_a_lane = chart_tests(tmp_path)
    folder = tmp_path / "new"
    folder.mkdir()
    converse(shell, without_code[1], cwd=folder)
    (folder / "test_demo.py").write_text(own[1])
    output = shell(f"pytest --kubeconfig={cluster.kubeconfig} test_demo.py", cwd=folder).stdout
    assert "7 passed" in output
    converse(shell, inside[1], cwd=folder)
    converse(shell, in_a_lane[1], cwd=folder)
    cluster.delete("/api/v1/namespaces/shop")


# -- the README itself ------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path):
    """A copy of what a clone has, so that nothing is written into this one."""
    folder = tmp_path / "checkout"
    for name in ("charts", "python", "schemas", "ci"):
        ignored = shutil.ignore_patterns("__pycache__", "tools")
        shutil.copytree(typed.ROOT / name, folder / name, symlinks=True, ignore=ignored)
    for name in ("Makefile", "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"):
        shutil.copy(typed.ROOT / name, folder / name)
    return folder


@pytest.fixture
def fresh(tmp_path):
    """A virtual environment without Sidelane. What it depends on comes from this one, and no index is asked."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture
def streams(cluster):
    """The README's namespace, away at the end."""
    yield "streams"
    if "streams" in cluster.names("/api/v1/namespaces"):
        cluster.delete("/api/v1/namespaces/streams")
        cluster.until("streams is gone", lambda: "streams" not in cluster.names("/api/v1/namespaces"), seconds=90)


@pytest.fixture
def name_server():
    """Stands in for pods that no kubelet runs here, for whoever asks for a Service by its name: a proxy that says yes.

    Its address, and what it was asked for.
    """
    asked = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.minutes
@pytest.mark.parametrize("helm", ["helm4"], indirect=True)
def test_every_block_of_the_readme_works_in_order(
    kubectl, tmp_path, helm, cluster, streams, checkout, fresh, meshes, name_server
):
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1"}
    path = f"{fresh / 'bin'}:{helm.parent}:{os.environ['PATH']}"
    proxy, asked = name_server
    typed_here = typed.shell(tmp_path, helm, cluster.kubeconfig, **{**offline, "PATH": path, "http_proxy": proxy})
    variables: list[str] = []

    def shell(command, **options):
        # A session keeps its variables.
        done = typed_here("; ".join([*variables, command]), **options)
        if re.fullmatch(r"[A-Z]+=\S+( +#.*)?", command):
            variables.append(command.partition(" ")[0])
        return done

    blocks = [block for block in typed.blocks(checkout / "README.md") if block not in chart_tests(tmp_path)]
    first, example, names, _, own, beside, reports, lane, *blocks = blocks
    routes, picture, shifted, lanes, recorded, signed, cosign, tree, script, upgraded = blocks
    assert conventions.read(own[1].encode(), "README.md").preset == "helm"
    for line in first[1].splitlines():
        assert shell(f"make --dry-run {line.split()[1]}", cwd=checkout)
    (checkout / "lane.yaml").write_text(lane[1])
    for block in (
        example,
        beside,
        reports,
        routes,
        picture,
        shifted,
        lanes,
        recorded,
        signed,
        cosign,
        script,
        upgraded,
    ):
        if block is picture:
            assert shell("sidelane graph -n streams -o mermaid").stdout == picture[1]
            continue
        if block is script:
            (checkout / "script.py").write_text(script[1])
            shell("python script.py", cwd=checkout, timeout=600)
            continue
        assert block[0] == "console"
        converse(shell, block[1], cwd=checkout)
        if block is example:
            assert shell("command -v sidelane").stdout.strip() == str(fresh / "bin" / "sidelane")
    assert set(asked) == {"http://svc1-v2-2-coco-1/healthz"}
    assert json.loads(shell("sidelane route show svc1 --lane 2-coco-1 -n streams -o json").stdout)["weights"] == {
        "v1": 100,
    }, "taken back"

    # Names are those that are there.
    there = shell("kubectl get all,endpoints -n streams -o name; helm list -n streams --short").stdout
    there = set(re.findall(r"[a-z0-9-]+$", there, re.MULTILINE))
    assert set(re.findall(r"\b[a-z][a-z0-9-]*-2-coco-1(?:-\d)?\b", names[1])) <= there

    # A lane from one file, in a directory: the example has other images.
    shell("sidelane plan lane.yaml --directory ROOT && sidelane apply lane.yaml --directory ROOT", cwd=checkout)
    placed = tree[1].split()
    folder = checkout / "ROOT" / "streams" / "pipeline-2-coco-1"
    shown = {placed[0].rpartition("/")[2], *placed[1:]} - {"hooks.yaml"}
    assert shown <= {path.name for path in folder.iterdir()}

    # What the script calls has types, too.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", typed.LINTED, "script.py"],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
