"""The block of README that shows a wait which fails: pods must run for it, and crash."""

import json

import pytest
import typed

ROOT = typed.ROOT
# What is shown is Helm 3's: Helm 4 stops waiting by itself, as README says below it.
pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True)


@pytest.fixture
def streams(cluster):
    """The README's namespace."""
    cluster.create("/api/v1/namespaces", {"metadata": {"name": "streams"}})
    return "streams"


def test_a_wait_that_fails_shows_what_the_readme_shows(cluster, helm, streams, tmp_path):
    (block,) = [text for _, text in typed.blocks(ROOT / "README.md") if "CrashLoopBackOff" in text]
    (install, shown), (uninstall, gone) = typed.dialogue(block)
    shell = typed.shell(tmp_path, helm, cluster.kubeconfig)
    done = shell(install, code=3)
    assert done.stdout == ""
    assert typed.looks_like(f"…{shown}…", done.stderr), done.stderr
    assert typed.looks_like(gone, shell(uninstall).stdout)
    assert json.loads(shell(f"sidelane list -n {streams} -o json").stdout) == []
