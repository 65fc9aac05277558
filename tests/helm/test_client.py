"""The SDK's face."""

import asyncio
import functools
import http.server
import operator
import subprocess
import tempfile
import threading
import traceback

import pytest
from sidelane import AsyncClient, Client, Lane
from sidelane.charts import sources
from sidelane.errors import (
    ChartNotFound,
    CheckFailed,
    HelmNotFound,
    InvalidInput,
    InvalidValues,
    Refused,
    SidelaneError,
)


def test_a_lane_is_a_lane_or_its_text(helm, tmp_path):
    client = Client(directory=tmp_path, helm=helm)
    assert client.install("zookeeper", Lane("2-coco", 1)).lane == Lane("2-coco", 1)
    assert client.install("zookeeper", "2-coco-1").change == "unchanged"


def test_the_asynchronous_face_runs_side_by_side(helm, tmp_path):
    async def both():
        client = AsyncClient(directory=tmp_path, helm=helm)
        return await asyncio.gather(*(client.install("zookeeper", f"coco-{build}") for build in (1, 2)))

    assert [release.name for release in asyncio.run(both())] == ["zookeeper-coco-1", "zookeeper-coco-2"]


def test_the_synchronous_face_inside_an_event_loop_says_what_to_use(helm, tmp_path):
    async def inside():
        Client(directory=tmp_path, helm=helm).list()

    with pytest.raises(InvalidInput, match="use `await AsyncClient"):
        asyncio.run(inside())


def test_progress_is_told_step_by_step(helm, tmp_path):
    steps = []
    Client(directory=tmp_path, helm=helm, progress=steps.append).install("zookeeper", "coco-1")
    assert steps[0].startswith("rendering zookeeper ")
    assert steps[-1] == "installing zookeeper-coco-1"


@pytest.fixture
def chart(tmp_path):
    """A chart that forgets its lane in a name."""
    folder = tmp_path / "careless"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: careless\nversion: 0.1.0\n")
    (folder / "templates" / "c.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
    return folder


def test_a_chart_that_breaks_the_contract_is_not_installed(chart, helm, tmp_path):
    client = Client(directory=tmp_path / "root", helm=helm)
    with pytest.raises(CheckFailed) as refused:
        client.install(chart, "coco-1")
    assert any("lane-suffix" in finding for finding in refused.value.findings)
    assert client.list() == ()
    _, report = client.check(chart, "coco-1")
    assert not report.clean


def test_values_are_refused_before_anything_is_written(helm, tmp_path):
    with pytest.raises(InvalidValues, match="did you mean 'replicas'"):
        Client(directory=tmp_path / "root", helm=helm).install("zookeeper", "coco-1", values={"replica": 1})
    assert not (tmp_path / "root").exists()


@pytest.fixture
def repository(helm, tmp_path):
    """A chart repository with the bundled ZooKeeper chart in it, on a loopback address."""
    folder = tmp_path / "repository"
    subprocess.run([helm, "package", sources.find("zookeeper").path, "-d", folder], check=True, capture_output=True)
    subprocess.run([helm, "repo", "index", folder], check=True, capture_output=True)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_chart_from_a_repository(repository, helm, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    client = Client(directory=tmp_path / "root", helm=helm)
    fetched = client.render("zookeeper", "coco-1", repo=repository, version=">=0.0.1")
    assert fetched == client.render("zookeeper", "coco-1")
    with pytest.raises(ChartNotFound):
        client.render("zookeeper", "coco-1", repo=repository, version="99.0.0")
    assert not list((tmp_path / "temporary").iterdir())


def test_a_chart_that_renders_for_one_kubernetes(chart, helm, tmp_path):
    (chart / "templates" / "c.yaml").write_text("version: {{ .Capabilities.KubeVersion }}\n")
    assert "version: v1.31.7" in Client(helm=helm, directory=tmp_path).render(chart, "coco-1", kube_version="1.31.7")


def test_verbs_of_a_release_or_a_lane_take_either_first(helm, tmp_path):
    client = Client(directory=tmp_path, helm=helm)
    client.install("zookeeper", "coco-1")
    for named in ((Lane("coco", 1),), ("coco-1",), ("zookeeper", "coco-1"), ("zookeeper-coco-1",)):
        for verb in (client.verify, client.repair):
            assert [result.release for result in verb(*named)] == ["zookeeper-coco-1"]
        assert client.retire(*named, dry_run=True).releases == ("zookeeper-coco-1",)
        with pytest.raises(Refused, match="where nothing runs"):
            client.wait(*named)


def test_a_lane_has_its_own_status_and_records(helm, tmp_path):
    client = Client(directory=tmp_path, helm=helm)
    client.install("zookeeper", "coco-1")
    for named, lane in (((Lane("coco", 1),), {}), ((), {"lane": "coco-1"})):
        assert [each.name for each in client.status(*named, **lane).releases] == ["zookeeper-coco-1"]
        assert [each.release for each in client.record(*named, **lane)] == ["zookeeper-coco-1"]
    for named in (("zookeeper", "coco-1"), ("zookeeper-coco-1",)):
        assert client.status(*named).name == client.record(*named).release == "zookeeper-coco-1"


WRONG = {
    "verify": [(), (7,), (None, 7), (b"zookeeper-coco-1",), ("zookeeper", object())],
    "repair": [(), (7,), (None, 7)],
    "wait": [(), (7,), (None, 7)],
    "status": [("coco-1",), (None,), (7,), (7, "coco-1")],
    "record": [("coco-1",), (None,), (7,)],
    "uninstall": [(Lane("coco", 1),), (None,)],
    "install": [(None, "coco-1"), ("zookeeper", None), ("zookeeper", 7), (7, 7)],
    "upgrade": [(None, "coco-1"), ("zookeeper", 7)],
    "render": [(None, "coco-1"), ("zookeeper", 7)],
    "check": [(None, "coco-1"), ("zookeeper", 7)],
    "retire": [(), (7,), (None,), ("coco-1", 7)],
    "list": [(7,)],
    "graph": [(7,)],
    "plan": [(7,), (None,)],
    "apply": [(7,), (None,)],
    "diff": [(7,), (None,), ("coco-1", 7)],
    "bundle": [(7, "lane.tar.gz"), ("coco-1", 7)],
    "replay": [(7,), (None,)],
    "routes.set": [("svc1", 7), (7, "coco-1")],
    "routes.show": [(7, "coco-1"), ("svc1", None)],
    "routes.history": [(7, "coco-1"), ("svc1", None)],
    "routes.undo": [(7, "coco-1"), ("svc1", None)],
    "routes.shift_back": [(7, "coco-1"), ("svc1", None)],
}
CALLS = [(verb, arguments, {}) for verb, calls in WRONG.items() for arguments in calls] + [
    ("install", ("zookeeper", "coco-1"), {key: wrong})
    for key, wrong in (
        ("values", [1]), ("values", "replicas=3"), ("values", 7), ("name", 7), ("service_version", 7), ("version", 7),
    )
]  # fmt: skip


@pytest.mark.parametrize(("verb", "arguments", "named"), CALLS)
def test_wrong_arguments_are_told_as_such(verb, arguments, named, tmp_path):
    client = Client(directory=tmp_path, helm="/nowhere/helm")
    with pytest.raises(SidelaneError) as raised:
        operator.attrgetter(verb)(client)(*arguments, **named)
    assert not isinstance(raised.value, HelmNotFound)
    assert raised.value.remedy


def test_a_traceback_begins_at_the_cause(helm, tmp_path):
    client = Client(directory=tmp_path, helm=helm)
    client.install("zookeeper", "coco-1")
    for verb, arguments in {
        "status": ("nothing-coco-1",), "install": ("zookeeper", "x_1"), "verify": (None, "coco-9"),
        "record": ("nothing", "coco-1"), "uninstall": ("nothing-coco-1",), "plan": (tmp_path / "none.yaml",),
    }.items():  # fmt: skip
        with pytest.raises(SidelaneError) as raised:
            getattr(client, verb)(*arguments)
        text = "".join(traceback.format_exception(raised.value))
        assert "no running event loop" not in text
        assert text.startswith("Traceback")
        assert text.count("Traceback") == 1, text
