"""The SDK's face."""

import asyncio
import functools
import http.server
import inspect
import subprocess
import tempfile
import threading

import pytest
import sidelane
from sidelane import AsyncClient, Client, Lane, charts
from sidelane.errors import ChartNotFound, CheckFailed, InvalidInput, InvalidValues


def test_the_public_names():
    assert sidelane.__all__ == ["AsyncClient", "Client", "Lane", "Release", "SidelaneError"]
    for name in sidelane.__all__:
        assert getattr(sidelane, name).__doc__
    with pytest.raises(AttributeError):
        sidelane.nothing  # noqa: B018


def verbs(face):
    return {name: member for name, member in inspect.getmembers(face, callable) if not name.startswith("_")}


def test_both_faces_have_the_same_verbs_with_the_same_arguments():
    assert set(verbs(Client)) == {
        "install", "upgrade", "plan", "apply", "releases", "status", "uninstall", "render", "check",
        "route", "routes", "routed", "route_history", "undo_route", "shift_route", "end_shift", "retire", "outdated",
        "record", "verify", "diff", "bundle", "replay", "graph", "lane_status", "wait",
    }  # fmt: skip
    for name, verb in verbs(AsyncClient).items():
        assert inspect.signature(verbs(Client)[name]) == inspect.signature(verb)
        assert verbs(Client)[name].__doc__ == verb.__doc__


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
        Client(directory=tmp_path, helm=helm).releases()

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
    assert client.releases() == ()
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
    subprocess.run([helm, "package", charts.find("zookeeper").path, "-d", folder], check=True, capture_output=True)
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
