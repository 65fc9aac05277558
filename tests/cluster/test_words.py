"""Texts that say where they looked: the namespace that Helm chose, too."""

import json

import pytest
import typed
from command_line import CommandLine
from sidelane import Client
from sidelane.errors import ReleaseNotFound

pytestmark = pytest.mark.either_helm


@pytest.fixture
def chosen(cluster, namespace, tmp_path):
    """A kubeconfig whose context names the test's namespace, so that Helm chooses it."""
    file = tmp_path / "a kubeconfig"
    config = json.loads(cluster.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = namespace
    file.write_text(json.dumps(config))
    return file


def test_what_is_not_there_is_told_with_the_namespace_that_helm_chose(chosen, namespace, helm, tmp_path):
    client = Client(kubeconfig=chosen, helm=helm)
    for ask in (lambda: client.status("zookeeper-coco-1"), lambda: client.verify(lane="coco-1")):
        with pytest.raises(ReleaseNotFound, match=f" in namespace {namespace}; ") as refused:
            ask()
    # The command works as it is pasted.
    done = typed.shell(tmp_path, helm)(refused.value.remedy.split("`")[1])
    assert done.stderr == f"there is no release in namespace {namespace}\n"


def test_what_is_empty_is_told_with_the_namespace_that_helm_chose(chosen, namespace, helm, tmp_path):
    graph = Client(kubeconfig=chosen, helm=helm).graph("coco-1")
    assert graph.summary == f"there is no release and no route of lane coco-1 in namespace {namespace}"
    assert graph.to_json()["namespace"] == namespace
    sidelane = CommandLine(tmp_path, helm, place=("--kubeconfig", chosen))
    for words, says in (
        ("retire --keep 2", f"there is no lane to retire in namespace {namespace}: --keep 2 keeps them all"),
        ("route list", f"there is no route in namespace {namespace}"),
    ):
        done = sidelane(*words.split())
        assert (done.stdout, done.stderr) == ("", f"{says}\n")
