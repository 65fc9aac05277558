"""The command line as a process: what it prints, how it ends, and what it does not import.

`installed` starts the installed program, as users do; `sidelane` forks a warm process, as in most other tests.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import SIDELANE, CommandLine
from sidelane.cli import COMMANDS

NESTED = "jvm=" + "[" * 300 + "]" * 300

OBJECT = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: zk-2-coco-1
  labels:
    app: zk-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
"""


@pytest.fixture
def installed(tmp_path, helm):
    """The installed program under a Helm."""
    return CommandLine(tmp_path, helm, warm=False)


@pytest.fixture
def alone(tmp_path):
    """Runs a command that needs no Helm."""
    return CommandLine(tmp_path)


def test_the_main_job_in_a_directory(installed):
    sidelane = installed
    target = ("--directory", "root", "-n", "streams")
    sidelane("install", "zookeeper", "--lane", "coco-1", *target)
    again = sidelane("install", "zookeeper", *target, "-o", "json", SIDELANE_LANE="coco-1")
    assert json.loads(again.stdout)["change"] == "unchanged"
    refused = sidelane("install", "zookeeper", "--lane", "coco-1", "--set", "replicas=5", *target, code=1)
    assert "spec.replicas: 3 → 5" in refused.stderr
    assert "coco-2" in refused.stderr
    listed = sidelane("list", *target)
    assert listed.stdout.splitlines()[0].split() == ["NAME", "LANE", "STATUS", "REVISION", "AGE", "CHART"]
    assert "zookeeper-coco-1  coco-1" in listed.stdout
    assert max(map(len, listed.stdout.splitlines())) <= 80
    changed = sidelane("upgrade", "zookeeper", "--lane", "coco-1", "--set", "networkPolicy.enabled=true", *target)
    assert "CHANGE:    upgraded" in changed.stdout
    assert "StatefulSet" in sidelane("status", "zookeeper", "--lane", "coco-1", *target).stdout
    assert "READY:     nothing runs in a directory" in sidelane("status", "zookeeper-coco-1", *target).stdout
    lane = sidelane("status", "--lane", "coco-1", *target)
    assert lane.stdout.splitlines()[-1] == "nothing runs in a directory"
    waits = sidelane("wait", "--lane", "coco-1", *target, code=1)
    assert "is in a directory, where nothing runs" in waits.stderr
    sidelane("wait", "--lane", "coco-9", *target, code=1)
    sidelane("uninstall", "zookeeper-coco-1", *target)
    assert sidelane("list", *target, "-o", "json").stdout == "[]\n"


def test_render_is_what_helm_prints(sidelane, helm, tmp_path):
    ours = sidelane("render", "zookeeper", "--lane", "2-coco-1", "-n", "streams", "--set", "replicas=5")
    chart = Path(__file__).parents[2] / "charts" / "zookeeper"
    flags = ["--set", "Version=2-coco", "--set", "Build=1", "--set", "replicas=5", "-n", "streams"]
    theirs = subprocess.run(
        [helm, "template", "zookeeper-2-coco-1", chart, *flags], capture_output=True, text=True, check=True
    )
    assert ours.stdout == theirs.stdout


def test_check_of_a_chart_and_of_what_is_piped(sidelane, tmp_path):
    sidelane("check", "zookeeper", "--lane", "2-coco-1")
    rendered = sidelane("render", "zookeeper", "--lane", "2-coco-1").stdout
    sidelane("check", "-", text=rendered)
    sidelane("check", "-", "--lane", "2-coco-1", text=rendered)
    other = sidelane("check", "-", "--lane", "coco-1", "-o", "json", text=rendered, code=1)
    assert {"lane-suffix", "lane-labels"} <= {finding["rule"] for finding in json.loads(other.stdout)["findings"]}
    (tmp_path / "manifest.yaml").write_text(OBJECT)
    sidelane("check", "manifest.yaml")


def test_text_beyond_the_basic_plane_reaches_helm(sidelane):
    done = sidelane("render", "zookeeper", "--lane", "coco-1", "--set", "jvm.options=-Dface=😀")
    assert "-Dface=😀" in done.stdout


def test_nothing_to_check_is_not_clean(sidelane):
    assert "no object to check" in sidelane("check", "-", text="", code=3).stderr


def test_a_chart_that_asks_the_cluster_is_checked_without_one(sidelane, tmp_path):
    (tmp_path / "asks" / "templates").mkdir(parents=True)
    (tmp_path / "asks" / "Chart.yaml").write_text("apiVersion: v2\nname: asks\nversion: 0.1.0\n")
    text = OBJECT.replace("ConfigMap", "{{ if .Capabilities.KubeVersion }}ConfigMap{{ end }}")
    (tmp_path / "asks" / "templates" / "c.yaml").write_text(text)
    sidelane("check", "./asks", "--lane", "2-coco-1")
    sidelane("install", "./asks", "--lane", "2-coco-1", code=3)


def test_dry_run_prints_the_manifest_and_installs_nothing(sidelane, tmp_path):
    done = sidelane("install", "zookeeper", "--lane", "coco-1", "--dry-run", "--directory", "root")
    assert "name: zk-coco-1" in done.stdout
    assert not (tmp_path / "root").exists()


def test_a_dry_run_ends_as_the_call_itself_would(sidelane, tmp_path):
    chart = tmp_path / "app"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: app\nversion: 0.1.0\n")
    (chart / "templates" / "x.yaml").write_text(OBJECT.replace("zk-2-coco-1", "app"))
    arguments = ("install", "./app", "--lane", "2-coco-1", "--directory", "root")
    dry = sidelane(*arguments, "--dry-run", code=1)
    sidelane(*arguments, code=1)
    assert "name: app\n" in dry.stdout
    assert "lane-suffix" in dry.stderr

    secret = OBJECT.replace("ConfigMap", "Secret").replace("zk-2-coco-1", "app-2-coco-1")
    (chart / "templates" / "x.yaml").write_text(secret)
    dry = sidelane(*arguments, "--dry-run", code=1)
    sidelane(*arguments, code=1)
    assert "renders the Secret app-2-coco-1" in dry.stderr
    arguments += ("--allow-secrets",)
    sidelane(*arguments, "--dry-run")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("way", ["variable", "option", "context"])
def test_a_kubeconfig_that_is_missing_is_named(sidelane, tmp_path, way):
    missing = str(tmp_path / "no-such-file")
    environment = {"KUBECONFIG": missing} if way != "option" else {}
    arguments = {"variable": [], "option": ["--kubeconfig", missing], "context": ["--kube-context", "prod"]}[way]
    done = sidelane("list", "-n", "streams", *arguments, code=2 if way == "context" else 3, **environment)
    what = "the kubeconfig has no context 'prod'" if way == "context" else "the API server does not answer"
    assert done.stderr.startswith(f"Error: {what}: the kubeconfig {missing!r} is missing; ")


def test_of_several_kubeconfigs_one_is_enough(sidelane, tmp_path):
    there = tmp_path / "there"
    there.write_text("apiVersion: v1\nkind: Config\n")
    done = sidelane("list", "-n", "streams", code=3, KUBECONFIG=f"{tmp_path}/missing:{there}")
    assert "is missing" not in done.stderr
    both = sidelane("list", "-n", "streams", code=3, KUBECONFIG=f"{tmp_path}/missing:{tmp_path}/gone")
    assert f"the kubeconfig '{tmp_path}/missing', '{tmp_path}/gone' is missing" in both.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["install", "zookeeper"], 2, "--lane"),
        (["install", "zookeeper", "--lane", "Coco-1"], 2, "write it such as 'coco'"),
        (["install", "zookeeper", "--lane", "coco"], 2, "has no dash"),
        (["install", "nothing", "--lane", "coco-1"], 2, "the charts here are: "),
        (["install", "zookeeper", "--lane", "coco-1", "--set", "replicas"], 2, "has no value"),
        (["install", "zookeeper", "--lane", "coco-1", "-f", "nothing.yaml"], 2, "can't be read"),
        (["install", "zookeeper", "--lane", "coco-1", "--set", "replica=5"], 1, "did you mean 'replicas'?"),
        (["install", "zookeeper", "--lane", "coco-1", "--set", "Version=x"], 1, "the lane is coco-1"),
        (["install", "zookeeper", "--lane", "coco-1"], 3, "the API server does not answer"),
        (["install", "zookeeper", "--lane", "coco-1", "--kube-context", "none"], 2, "no context 'none'"),
        (["list"], 3, "the API server does not answer"),
        (["status", "zookeeper"], 2, "does not end in a lane"),
        (["status", "zookeeper-coco-1", "--lane", "coco-2"], 1, "is in lane coco-1"),
        (["status", "zookeeper-coco-1", "--directory", "root"], 1, "there is no release"),
        (["route", "list", "-n", "streams", "--directory", "root"], 0, "there is no route in namespace streams"),
        (["check", "zookeeper"], 2, "--lane"),
        (["check", "nothing.yaml"], 2, "can't be read"),
        (["nothing"], 2, "No such command"),
        (["install", "zookeeper", "--lane", "coco-1", "--timeout", "5"], 2, "write it such as 90s"),
        (["install", "zookeeper", "--lane", "coco-1", "--directory", ""], 2, "name is empty"),
        (["install", "zookeeper", "--lane", "coco-1", "--directory", "/proc/nope"], 1, "Error: /proc/nope"),
        (["install", "zookeeper", "--lane", "coco-1", "-f", "https://127.0.0.1:1/v.yaml"], 2, "is an address"),
        (
            ["install", "zookeeper", "--lane", "coco-1", "--set-json", "jvm=" + "[" * 300 + "]" * 300],
            2,
            "nested deeper",
        ),
        (["render", "x" * 300, "--lane", "coco-1"], 2, "there is no chart"),
        (["render", "oci://127.0.0.1:1/charts/x", "--lane", "coco-1"], 2, "does not answer"),
        (["render", "x", "--repo", "http://127.0.0.1:1", "--lane", "coco-1"], 2, "does not answer"),
        (["install", "zookeeper", "--lane", "coco-1", "-o", "xml"], 2, "xml"),
    ],
)
def test_bad_input_ends_with_its_code_and_a_sentence_that_helps(sidelane, arguments, code, says):
    done = sidelane(*arguments, code=code)
    assert says in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_every_mistake_in_values_is_told_at_once(sidelane):
    flags = ["--set", "replica=5", "--set", "persistence.enabled=maybe", "--set", "resources.limits=x"]
    done = sidelane("install", "zookeeper", "--lane", "coco-1", *flags, "-o", "json", "--directory", "root", code=1)
    error = json.loads(done.stderr)
    assert error["error"] == "InvalidValues"
    assert [line.partition(":")[0] for line in error["errors"]] == [
        "persistence.enabled",
        "replica",
        "resources.limits",
    ]


def test_without_helm_it_says_how_to_get_one(tmp_path):
    program = "import sysconfig\nsysconfig.get_path = lambda _: '/nothing'\nfrom sidelane import cli\ncli.main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "render", "zookeeper", "--lane", "coco-1"],
        env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "pip install 'sidelane[helm]'" in done.stderr


def bomb():
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return "\n".join(lines)


HOSTILE = {
    "billion laughs": bomb(),
    "colons": "a: " * 5000,
    "brackets": "[" * 100_000,
    "dashes": "- " * 60_000,
    "an alias to itself": "- &a [*a]",
    "a Python object": "!!python/object/apply:os.system [id]",
    "a key twice": "a: 1\na: 2",
    "a zero byte": "\x00",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_yaml_on_standard_input_is_refused_at_once(alone, text):
    done = alone("check", "-", text=text, code=3, timeout=20)
    assert done.stderr.startswith("Error: <stdin>")
    assert "Traceback" not in done.stderr


def test_a_range_of_kubernetes_versions_validates_by_their_schemas(alone, tmp_path):
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, imag: b}]}}"
    done = alone("check", "-", "--kubernetes-versions", "1.34-1.36", text=pod, code=1)
    assert "unknown key 'imag'; did you mean 'image'?" in " ".join(done.stdout.split())
    alone("check", "-", "--kubernetes-versions", "1.34-1.36", text=pod.replace("imag:", "image:"))
    assert "is not a range" in alone("check", "-", "--kubernetes-versions", "new", text=pod, code=2).stderr
    missing = str(tmp_path / "none")
    assert "none" in alone("check", "-", "--schemas", missing, text=pod, code=2).stderr


def imported(*arguments, text=""):
    program = (
        "import sys\nfrom sidelane.cli import sidelane\n"
        "try:\n    sidelane(sys.argv[1:])\nexcept SystemExit:\n    pass\nprint('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], input=text, capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_click_and_little_else():
    heavy = {
        "pyhelm3",
        "pydantic",
        "yaml",
        "jsonschema_rs",
        "asyncio",
        "semver",
        "sidelane.client",
        "sidelane.checks.engine",
        "sidelane.graph",
    }
    assert not heavy & imported("--help")
    assert not (heavy - {"sidelane.checks.engine"}) & imported("install", "--help")


def test_check_of_what_is_piped_never_imports_helm():
    modules = imported("check", "-", text=OBJECT)
    assert "sidelane.checks.engine" in modules
    assert not {"pyhelm3", "pyhelm3.command", "pydantic", "asyncio", "jsonschema_rs", "sidelane.helm.client"} & modules


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_every_command_explains_itself(alone, arguments):
    done = alone(*arguments, "--help")
    assert done.stdout.startswith("Usage: sidelane")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_what_does_not_wait_imports_nothing_for_it(tmp_path):
    waiting = {
        "kubernetes",
        "sidelane.releases.readiness",
        "sidelane.releases.waiting",
        "sidelane.releases.stores.waits",
    }
    modules = imported("install", "zookeeper", "--lane", "coco-1", "--directory", str(tmp_path))
    assert "sidelane.releases.installing" in modules
    assert not waiting & modules
    # Nor what few calls need: a chart's version that is asked for, a large record, a packaged chart.
    assert not {"sidelane.charts.ranges", "gzip", "tarfile"} & modules


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(alone, shell):
    assert "_SIDELANE_COMPLETE" in alone("completion", shell).stdout
    completed = alone(_SIDELANE_COMPLETE="bash_complete", COMP_WORDS="sidelane un", COMP_CWORD="1")
    assert completed.stdout == "plain,uninstall\n"


@pytest.mark.parametrize(("begun", "offered"), [("zoo", "plain,zookeeper\n"), ("./cha", "file,./cha\n")])
def test_charts_are_completed(alone, begun, offered):
    completed = alone(_SIDELANE_COMPLETE="bash_complete", COMP_WORDS=f"sidelane install {begun}", COMP_CWORD="2")
    assert completed.stdout == offered


def test_a_signal_ends_the_command_and_its_helm(tmp_path):
    helm = tmp_path / "helm"
    helm.write_text(
        f"#!{sys.executable} -S\nimport os, sys, time\n"
        "if sys.argv[1] == 'version':\n    print('v3.18.0')\n    sys.exit()\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n"
    )
    helm.chmod(0o755)
    command = CommandLine(tmp_path, helm, XDG_CACHE_HOME=tmp_path).begin("list")
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        assert command.poll() is None
        time.sleep(0.02)
    command.send_signal(signal.SIGTERM)
    _, stderr = command.communicate()
    assert command.returncode == 128 + signal.SIGTERM
    assert "stopped by SIGTERM" in stderr
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_a_reader_that_has_read_enough_is_no_error():
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {SIDELANE} charts zookeeper | head -1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


def test_a_command_ends_when_all_is_done_and_takes_no_module_down(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, os, sys, threading\n"
        "class Part:\n"
        "    def __del__(self, write=os.write): write(1, b'taken down')\n"
        "sys.modules['part'] = Part()\n"
        "class Late:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'sidelane.cli.charts':\n"
        "            atexit.register(print, 'at exit')\n"
        "            threading.Thread(target=lambda: [threading.main_thread().join(), print('a thread')]).start()\n"
        "sys.meta_path.insert(0, Late())\n"
    )
    done = CommandLine(tmp_path, warm=False, PYTHONPATH=tmp_path)("charts", "-o", "json")
    charts, _, rest = done.stdout.rpartition("]\n")
    assert "zookeeper" in [chart["name"] for chart in json.loads(charts + "]")]
    assert rest.splitlines() == ["a thread", "at exit"]


def test_an_interpreter_runs_the_sidelane_that_it_has():
    done = subprocess.run(
        [sys.executable, "-m", "sidelane", "charts", "no-such-chart"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no-such-chart" in done.stderr
    usage = subprocess.run([sys.executable, "-m", "sidelane", "--help"], capture_output=True, text=True, check=True)
    assert usage.stdout.startswith("Usage: sidelane ")


def test_charts_shows_what_a_chart_takes(alone):
    assert "zookeeper" in alone("charts").stdout
    assert "replicas:" in alone("charts", "zookeeper").stdout
    shown = alone.json("charts", "zookeeper")
    assert shown["values"]["replicas"] == 3
    assert shown["schema"]["type"] == "object"
