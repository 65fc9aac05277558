"""Pictures of a directory, by the SDK and on the command line."""

import json
from xml.etree import ElementTree

import pytest
from command_line import CommandLine
from routed_directory import put
from sidelane import Client, Lane
from sidelane.graph import FORMATS, render


@pytest.fixture
def root(tmp_path):
    for version in ("v1", "v2"):
        put(tmp_path / "root", version)
        put(tmp_path / "root", version, "2-coco-2")
        put(tmp_path / "root", version, "2-coco-10", service="svc2")
    return tmp_path / "root"


def test_a_graph_of_a_directory(root, helm):
    client = Client(directory=root, helm=helm)
    matches = [
        {"path": {"prefix": "/api"}, "method": "POST", "headers": [{"name": "x-canary", "value": "true"}],
         "targets": [{"serviceVersion": "v2", "weight": 1}, {"serviceVersion": "v1", "weight": 3}]},
        {"headers": [{"name": "x-api-token", "value": "hunter2"}], "cookie": {"name": "tester", "value": "yes"},
         "targets": [{"serviceVersion": "v2", "weight": 1}]},
    ]  # fmt: skip
    mirror = {"lane": "2-coco-2", "serviceVersion": "v1", "percent": 20}
    client.routes.set(
        "svc1", "2-coco-1", {"v1": 3, "v2": 0}, mode="istio", values={"matches": matches, "mirror": mirror}
    )
    graph = client.graph()
    assert [str(group.lane) for group in graph.groups] == ["2-coco-1", "2-coco-2", "2-coco-10"]
    assert [node.name for node in graph.groups[0].nodes] == ["svc1-v1-2-coco-1", "svc1-v2-2-coco-1"]
    (route,) = graph.routes
    assert (route.name, route.mode, route.status) == ("svc1-2-coco-1", "istio", "deployed")
    assert [(edge.to, edge.label) for edge in route.edges] == [
        ("svc1-v1-2-coco-1", "100 %"),
        ("svc1-v2-2-coco-1", "0 %"),
        ("svc1-v2-2-coco-1", "POST /api/…, x-canary: true · 25 %"),
        ("svc1-v1-2-coco-1", "POST /api/…, x-canary: true · 75 %"),
        ("svc1-v2-2-coco-1", "x-api-token: (hidden), cookie tester=yes"),
        ("svc1-v1-2-coco-2", "mirror 20 %"),
    ]
    assert "hunter2" not in json.dumps(graph.to_json())
    assert client.graph("2-coco-10").summary == "namespace default: 1 lane, 2 releases, 0 routes"
    # What leads to a lane concerns it, and so does the rest of where that leads.
    assert client.graph(Lane("2-coco", 2)).summary == "namespace default: 2 lanes, 4 releases, 1 route"
    client.uninstall("svc1-v1-2-coco-2")
    gone = next(node for node in client.graph().nodes if node.name == "svc1-v1-2-coco-2")
    assert (gone.released, gone.status) == (False, "no release of this name")
    assert client.graph().groups[1].to_json()["others"][0]["name"] == "svc1-v1-2-coco-2"


def test_the_command_line(root, helm, tmp_path):
    sidelane = CommandLine(tmp_path, helm, SIDELANE_DIRECTORY=root)
    sidelane("route", "set", "svc1", "--lane", "2-coco-1", "--to", "v1")
    drawn = sidelane("graph")
    assert drawn.stderr == ""
    assert "svc1-2-coco-1 (service)\n└─ 100 % ─→ svc1-v1-2-coco-1\n" in drawn.stdout
    assert "svc2" not in sidelane("graph", "--lane", "2-coco-1").stdout
    assert sidelane.json("graph")["routes"][0]["edges"] == [{"to": "svc1-v1-2-coco-1", "kind": "weight", "share": 1.0}]
    assert sidelane("graph", "-o", "yaml").stdout.startswith("namespace: default\n")
    for format_ in FORMATS:
        written = sidelane("graph", "-o", format_, "--output-file", f"drawn.{format_}")
        assert written.stdout == ""
        assert (tmp_path / f"drawn.{format_}").read_text() == sidelane("graph", "-o", format_).stdout
    assert sidelane("graph", "--output-file", "not/there", code=1).stderr.startswith("Error: ")
    sidelane("graph", "-o", "png", code=2)


def test_an_empty_namespace(tmp_path, helm):
    graph = Client(directory=tmp_path, namespace="nothing", helm=helm).graph()
    assert render(graph) == "there is no release and no route in namespace nothing\n"
    assert (
        render(graph.of_lane(Lane("coco", 1)))
        == "there is no release and no route of lane coco-1 in namespace nothing\n"
    )
    assert ElementTree.fromstring(render(graph, "svg").encode()).get("class") == "sidelane"
    for format_ in ("mermaid", "svg", "html"):
        assert graph.summary in render(graph, format_)
    page = render(graph, "html")
    assert ("<p>No route.</p>" in page, "<p>No release.</p>" in page, "<table>" in page) == (True, True, False)
