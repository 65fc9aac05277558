"""Charts that name their releases by their values: one version of a service is one release."""

import os
import re
import shlex

import pytest
from click.testing import CliRunner
from generated import tiny_chart
from sidelane import Client
from sidelane.cli import sidelane
from sidelane.errors import InvalidInput, InvalidName, InvalidValues, ReleaseConflict


@pytest.fixture
def tiny(tmp_path):
    return tiny_chart(tmp_path / "tiny")


@pytest.fixture
def client(helm, tmp_path):
    return Client(directory=tmp_path / "root", helm=helm)


def test_each_version_of_a_service_is_a_release_of_its_own(client, tiny):
    first = client.install(tiny, "2-coco-1", name="svc1", service_version="v1")
    second = client.install(tiny, "2-coco-1", values={"name": "svc1", "serviceVersion": "v2"})
    assert (first.name, second.name) == ("svc1-v1-2-coco-1", "svc1-v2-2-coco-1")
    assert client.install(tiny, "2-coco-1", name="svc1").change == "unchanged", "the chart's own default says v1"
    assert [release.name for release in client.list("2-coco-1")] == [first.name, second.name]
    assert client.status("svc1-v2", "2-coco-1").name == second.name
    with pytest.raises(ReleaseConflict, match="2-coco-2, the next free Build"):
        client.install(tiny, "2-coco-1", name="svc1", values={"text": "other"})
    scaled = client.upgrade(tiny, "2-coco-1", name="svc1", values={"replicas": 3})
    assert (scaled.name, scaled.change) == (first.name, "upgraded")
    _, report = client.check(tiny, "2-coco-1", name="svc1")
    assert report.clean
    assert "name: svc1-v1-2-coco-1" in client.render(tiny, "2-coco-1", name="svc1")


def test_a_refused_change_names_the_whole_command_of_the_next_build(client, tiny, helm, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{helm.parent}:{os.environ['PATH']}")
    client.install(tiny, "2-coco-1", name="svc1", service_version="v2")

    def advised(values):
        with pytest.raises(ReleaseConflict) as refused:
            client.install(tiny, "2-coco-1", name="svc1", service_version="v2", values=values)
        return re.findall("`sidelane ([^`]+)`", refused.value.remedy)

    (command,) = advised({"text": "an 'other' one"})
    done = CliRunner().invoke(sidelane, shlex.split(command))
    assert done.exit_code == 0, done.output
    made = client.record("svc1-v2", "2-coco-2").to_json()["predicate"]["buildDefinition"]["externalParameters"]
    assert (made["release"], made["values"]["text"]) == ("svc1-v2-2-coco-2", "an 'other' one")
    # What no command can say, or may not, is not said in half.
    assert advised({"text": "x", "more": dict.fromkeys("abcdefghi", 1)}) == [
        f"record svc1-v2-2-coco-1 --directory {tmp_path / 'root'}"
    ]


def test_what_can_not_name_a_release_is_refused(client, tiny):
    with pytest.raises(InvalidInput, match="the chart zookeeper does not name its releases by name"):
        client.install("zookeeper", "coco-1", name="svc1")
    with pytest.raises(InvalidValues, match="give it in one place"):
        client.install(tiny, "coco-1", name="svc1", values={"name": "svc2"})
    for name in (None, 1, ["svc1"]):
        with pytest.raises(InvalidValues, match="name: must be given as text, because it names the release"):
            client.install(tiny, "coco-1", values={"name": name})
    with pytest.raises(InvalidName, match="reads as a service version"):
        client.install(tiny, "coco-1", name="svc1-v1")
    assert client.list() == ()
