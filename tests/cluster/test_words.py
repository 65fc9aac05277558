"""Texts that say where they looked: the namespace that Helm chose, too."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest
from sidelane import Client
from sidelane.errors import ReleaseNotFound

SIDELANE = Path(sysconfig.get_path("scripts")) / "sidelane"


@pytest.fixture
def chosen(cluster, namespace, tmp_path):
    """A kubeconfig whose context names the test's namespace, so that Helm chooses it."""
    file = tmp_path / "a kubeconfig"
    config = json.loads(cluster.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = namespace
    file.write_text(json.dumps(config))
    return file


def test_what_is_not_there_is_told_with_the_namespace_that_helm_chose(chosen, namespace, helm):
    client = Client(kubeconfig=chosen, helm=helm)
    for ask in (lambda: client.status("zookeeper-coco-1"), lambda: client.verify(lane="coco-1")):
        with pytest.raises(ReleaseNotFound, match=f" in namespace {namespace}; ") as refused:
            ask()
    # The command works as it is pasted.
    command = refused.value.remedy.split("`")[1].removeprefix("sidelane ")
    done = subprocess.run(
        ["sh", "-c", f"exec '{SIDELANE}' {command}"], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{helm.parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, f"there is no release in namespace {namespace}\n")


def test_what_is_empty_is_told_with_the_namespace_that_helm_chose(chosen, namespace, helm):
    graph = Client(kubeconfig=chosen, helm=helm).graph("coco-1")
    assert graph.summary == f"there is no release and no route of lane coco-1 in namespace {namespace}"
    assert graph.to_json()["namespace"] == namespace
    for words, says in (
        ("retire --keep 2", f"there is no lane to retire in namespace {namespace}: --keep 2 keeps them all"),
        ("route list", f"there is no route in namespace {namespace}"),
    ):
        done = subprocess.run(
            [SIDELANE, *words.split(), "--kubeconfig", chosen], capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": f"{helm.parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, "", f"{says}\n")
