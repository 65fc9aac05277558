"""Checks inside Helm: a post-renderer of Helm 3, and plugins of Helm 3 and Helm 4."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import sidelane
from command_line import SIDELANE
from post_renderers import flags, install, is_helm_3

pytestmark = pytest.mark.both_helms

CHARTS = Path(__file__).parents[2] / "charts"
LANE = ("--set", "Version=coco,Build=1")


@pytest.fixture
def run(helm, tmp_path, monkeypatch):
    """Runs this Helm, with plugins of its own and with our program on PATH."""
    monkeypatch.setenv("HELM_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", f"{SIDELANE.parent}:{os.environ['PATH']}")

    def run(*arguments, code=0, **options):
        command = [helm, *arguments]
        done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, **options)
        assert done.returncode == code, done.stderr.decode()
        return done

    return run


@pytest.fixture
def checked(run):
    """The flags that check what this Helm renders."""
    return flags(run)


@pytest.fixture
def copied(run, tmp_path):
    """The flags that only copy it: Helm 4 formats anew what goes through a post-renderer."""
    if is_helm_3(run):
        return ["--post-renderer", "cat"]
    folder = tmp_path / "copied"
    folder.mkdir()
    command = {"platformCommand": [{"command": "cat"}]}
    plugin = {"apiVersion": "v1", "type": "postrenderer/v1", "name": "copied", "version": "1.0.0"}
    (folder / "plugin.yaml").write_text(json.dumps({**plugin, "runtime": "subprocess", "runtimeConfig": command}))
    run("plugin", "install", folder)
    return ["--post-renderer", "copied"]


def test_what_keeps_the_rules_passes_byte_for_byte(run, checked, copied):
    command = ("template", "zookeeper-coco-1", CHARTS / "zookeeper", *LANE)
    assert run(*command, *checked).stdout == run(*command, *copied).stdout != b""


def test_what_breaks_a_rule_is_refused_with_the_reason(run, checked):
    done = run(
        "template",
        "zookeeper-coco-1",
        CHARTS / "zookeeper",
        *LANE,
        *checked,
        "--post-renderer-args=--lane=coco-2",
        code=1,
    )
    assert b"kind:" not in done.stdout
    assert b"StatefulSet zk-coco-1" in done.stderr
    assert b"zookeeper/templates/statefulset.yaml" in done.stderr
    assert b"[lane-labels]" in done.stderr


def test_a_wrong_argument_is_refused_with_the_reason(run, checked):
    done = run("template", "a", CHARTS / "zookeeper", *LANE, *checked, "--post-renderer-args=--nonsense", code=1)
    assert b"No such option" in done.stderr


def test_a_foreign_chart_passes_and_conventions_are_found_where_helm_runs(run, checked, tmp_path):
    run("create", "demo")
    command = ("template", "one", "demo", *checked)
    assert b"kind: Deployment" in run(*command).stdout
    (tmp_path / "sidelane.yaml").write_text("apiVersion: sidelane.dev/v1alpha1\nkind: Conventions\nextends: sidelane\n")
    assert b"one-demo" in run(*command, code=1).stderr


def test_helm_sidelane_is_the_command_line(run):
    install(run, "cli")
    assert run("sidelane", "--version").stdout.decode() == f"sidelane {sidelane.__version__}\n"
    rendered = run("sidelane", "render", "zookeeper", "--lane", "coco-1").stdout
    assert b"name: zk-coco-1\n" in rendered
    run("sidelane", "check", "-", "--lane", "coco-2", code=1, input=rendered)
