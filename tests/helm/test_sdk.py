"""The SDK as its reference has it: every example is run, and a user's type checker sees the right types."""

import doctest
import inspect
import shutil
import subprocess
import sys

import pytest
from sidelane import AsyncClient, AsyncRoutes, AsyncShifts, Client, Lane
from typed import LINTED

FACES = {AsyncClient: "", AsyncRoutes: "routes.", AsyncShifts: "shifts."}
SECTIONS = ("Returns:", "Raises:", "Example:")
one_helm = pytest.mark.parametrize("helm", ["helm3"], indirect=True)  # an example does not depend on Helm


def verbs():
    for face, place in FACES.items():
        for name, verb in inspect.getmembers(face, inspect.iscoroutinefunction):
            if not name.startswith("_"):
                yield pytest.param(verb, id=f"{place}{name}")


@pytest.mark.parametrize("verb", list(verbs()))
def test_the_reference_of_a_verb_is_whole(verb):
    docstring = inspect.getdoc(verb)
    assert [section for section in SECTIONS if f"\n{section}\n" not in docstring] == []
    arguments = [name for name in inspect.signature(verb).parameters if name != "self"]
    assert "Args:" in docstring or not arguments
    for name in arguments:
        assert any(line.startswith((f"    {name}: ", f"    {name}, ")) or f", {name}" in line.partition(": ")[0]
                   for line in docstring.splitlines()), name  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A directory of releases, as the examples take it to be there."""
    folder = tmp_path_factory.mktemp("prepared")
    client = Client(directory=folder / "releases")
    for chart in ("zookeeper", "supervisor"):
        client.install(chart, "2-coco-1", values={"replicas": 2} if chart == "supervisor" else {})
    for version in ("v1", "v2"):
        image = {"repository": "acme/svc1", "tag": version}
        client.install("service", "2-coco-1", name="svc1", service_version=version, values={"image": image})
    client.install("service", "live-1", name="svc1", service_version="v1", values={"image": image})
    (folder / "lane.yaml").write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
        "releases: [{chart: zookeeper}]\n"
    )
    return folder


def examples():
    for parameter in (*verbs(), pytest.param(AsyncClient, id="AsyncClient")):
        text = inspect.getdoc(parameter.values[0])
        if any("+SKIP" not in example.source for example in doctest.DocTestParser().get_examples(text)):
            yield pytest.param(text, id=parameter.id)


@one_helm
@pytest.mark.parametrize("text", list(examples()))
def test_an_example_does_what_it_shows(text, prepared, helm, tmp_path, monkeypatch):
    shutil.copytree(prepared, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    known = {"client": Client(directory="releases", helm=helm), "Client": Client, "Lane": Lane}
    example = doctest.DocTestParser().get_doctest(text, known, "the example", None, None)
    collected = []
    assert doctest.DocTestRunner().run(example, out=collected.append).failed == 0, "".join(collected)


USERS = """
from typing import assert_type

from sidelane import AsyncClient, Client, Lane, LaneStatus, Record, Release, Retirement, Routed, Verification

client, lane = Client(namespace="streams"), Lane("2-coco", 1)
assert_type(client.install("zookeeper", lane, wait=True, values={"replicas": 5}), Release)
assert_type(client.list(lane), tuple[Release, ...])
assert_type(client.status("zookeeper-coco-1"), Release)
assert_type(client.status("zookeeper", lane), Release)
assert_type(client.status(lane), LaneStatus)
assert_type(client.status(lane="2-coco-1"), LaneStatus)
assert_type(client.record("zookeeper", lane="2-coco-1"), Record)
assert_type(client.record(lane), tuple[Record, ...])
assert_type(client.verify(lane), tuple[Verification, ...])
assert_type(client.retire("svc1-v1-2-coco-1", dry_run=True), Retirement)
assert_type(client.routes.set("svc1", lane, {"v1": 90, "v2": 10}, mode="istio"), Routed)
assert_type(client.routes.list(), tuple[Routed, ...])


async def verbs(client: AsyncClient) -> None:
    assert_type(await client.status(lane), LaneStatus)
    assert_type(await client.status("zookeeper-coco-1"), Release)
    assert_type(await client.routes.undo("svc1", lane, to=3), Routed)


Client(namspace="streams")
client.install("zookeeper", lane, replicas=5)
client.routes.set("svc1", lane, {"v1": "90"})
client.status(7)
"""


def test_a_type_checker_sees_the_types_of_both_faces(tmp_path):
    file = tmp_path / "users.py"
    file.write_text(USERS)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", LINTED, "--config-file", "",
         file], capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    wrong = [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line]
    first = USERS.splitlines().index('Client(namspace="streams")') + 1
    assert wrong == [str(first + at) for at in range(4)], done.stdout
