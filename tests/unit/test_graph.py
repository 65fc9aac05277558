"""Pictures: what is in them, that nothing lies on anything else, and that text from a cluster stays text."""

import itertools
import json
import re
import subprocess
import sys
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drawn_graphs import AWKWARD, HOSTILE, SAMPLE, graphs, large
from hypothesis import example, given, settings
from routed_directory import put
from sidelane import Client, Lane
from sidelane.errors import InvalidInput
from sidelane.graph import FORMATS, Edge, render
from sidelane.graph.layout import place
from sidelane.graph.model import percent
from sidelane.graph.words import cells, plain, shortened

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.9, "90 %"), (1 / 3, "33.3 %"), (1e-6, "<0.1 %"), (1 - 1e-6, ">99.9 %")],
)
def test_a_share_for_people(share, text):
    assert percent(share) == text


def test_what_is_drawn_of_a_text():
    assert plain("x\x1b[31m\u202e\ud800 é 表") == "x�[31m�� é 表"
    assert (cells("表示 a"), shortened("表示 abc", 6), shortened("short", 5)) == (6, "表示…", "short")


def test_no_other_format():
    with pytest.raises(InvalidInput, match="choose one of text, mermaid, svg, html"):
        render(SAMPLE, "png")


def test_the_text_as_people_see_it():
    assert render(SAMPLE).startswith("""\
namespace streams: 2 lanes, 8 releases, 3 routes

svc1-2-coco-1 (istio)
├─ 90 %           ─→ svc1-v1-2-coco-1
├─ 10 %           ─→ svc1-v2-2-coco-1
├─ x-canary: true ─→ svc1-v2-2-coco-1
└─ mirror 100 %   ─→ svc1-v2-2-coco-2
""")
    assert render(SAMPLE).endswith("""\
lane 2-coco-2
├─ pipeline-2-coco-2  pipeline-0.1.0  deployed
├─ svc1-v1-2-coco-2   service-0.1.0   deployed
├─ svc1-v2-2-coco-2   service-0.1.0   deployed
└─ svc2-v1-2-coco-2   service-0.1.0   deployed
""")
    assert max(map(cells, render(SAMPLE).splitlines())) <= 80


def test_mermaid_as_people_see_it():
    text = render(SAMPLE, "mermaid")
    assert '  subgraph lane0["lane 2-coco-1"]\n    n0["pipeline-2-coco-1<br/>pipeline-0.1.0, deployed"]\n' in text
    assert '  r0 -->|"90 %"| n1\n' in text
    assert '  r0 ==>|"x-canary#58; true"| n2\n' in text
    assert '  r0 -.->|"mirror 100 %"| n6\n' in text


QUOTED = r'"(?:[\w .,%()/=…·-]|#\d+;|<br/>)*"'
STATEMENTS = [
    r"flowchart LR",
    r"  accTitle: [^\n]*",
    rf"  r\d+\(\[{QUOTED}\]\)",
    rf"  subgraph lane\d+\[{QUOTED}\]",
    rf"    n\d+\[{QUOTED}\]",
    r"  end",
    rf"  r\d+ (-->|==>|-\.->)\|{QUOTED}\| n\d+",
]


@settings(max_examples=40)
@given(graphs())
@example(AWKWARD)
@example(SAMPLE)
def test_whatever_is_drawn_nothing_is_missing_and_nothing_is_obeyed(graph):
    texts = [plain(node.name) for node in graph.nodes]
    texts += [plain(edge.label) for route in graph.routes for edge in route.edges]
    texts += [plain(route.name) for route in graph.routes]

    shown = render(graph, "text")
    assert not {char for char in shown.replace("\n", "") if unicodedata.category(char) in {"Cc", "Cf", "Cs"}}
    # A long label is wrapped, so its blanks may be ends of lines.
    squeezed = re.sub(r"[│├└─]|\s", "", shown)
    assert all(re.sub(r"[│├└─]|\s", "", text) in squeezed for text in texts)

    lines = render(graph, "mermaid").removesuffix("\n").split("\n")
    assert all(any(re.fullmatch(one, line) for one in STATEMENTS) for line in lines)
    read = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), "\n".join(lines))
    assert all(text in read for text in texts)

    root = ElementTree.fromstring(render(graph, "svg").encode())
    inside = "\n".join(root.itertext())
    assert all(text in inside for text in texts)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text",
    }  # fmt: skip

    page = Page(render(graph, "html"))
    assert all(text in page.text for text in texts)
    assert not page.tags & {"script", "link", "img", "iframe", "a", "foreignobject", "object"}
    assert not {name for name in page.attributes if name.startswith("on") or name in {"href", "src", "xlink:href"}}


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def apart(one, two):
    return one.right <= two.x or two.right <= one.x or one.bottom <= two.y or two.bottom <= one.y


def within(one, two):
    return two.x <= one.x and one.right <= two.right and two.y <= one.y and one.bottom <= two.bottom


@settings(max_examples=40)
@given(graphs())
@example(AWKWARD)
@example(SAMPLE)
@example(large())
def test_nothing_lies_on_anything_else(graph):
    layout = place(graph)
    labels = [line.label for line in layout.lines]
    boxes = [*layout.nodes.values(), *layout.routes.values(), *labels]
    boxes.sort(key=lambda box: box.y)
    for number, one in enumerate(boxes):
        below = itertools.takewhile(lambda two, end=one.bottom: two.y < end, boxes[number + 1 :])
        assert all(apart(one, two) for two in below)
        assert one.x >= 0
        assert one.y >= 0
        assert one.right <= layout.width
        assert one.bottom <= layout.height
    for group, lane in zip(graph.groups, layout.lanes, strict=True):
        assert all(within(layout.nodes[node.name], lane) for node in group.nodes)
    for one, two in itertools.pairwise(layout.lanes):
        assert apart(one, two)
    for line in layout.lines:
        node, route = layout.nodes[line.edge.to], layout.routes[line.route.name]
        assert (line.begin[0], line.end[0]) == (route.right, node.x)
        assert route.y <= line.begin[1] <= route.bottom
        assert node.y <= line.end[1] <= node.bottom
        # Curves end before labels begin, and the straight part meets no box of another node.
        assert line.bend <= line.label.x
        assert not [box for name, box in layout.nodes.items()
                    if name != line.edge.to and box.x < node.x and box.y < line.end[1] < box.bottom]  # fmt: skip


def test_a_picture_for_ten_lanes_of_thirty_is_made_at_once():
    for format_ in FORMATS:
        assert len(render(large(), format_)) < 1_000_000


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
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helm").symlink_to(helm)
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "SIDELANE_DIRECTORY": str(root)}

    def sidelane(*arguments):
        command = [Path(sys.executable).parent / "sidelane", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert sidelane("route", "set", "svc1", "--lane", "2-coco-1", "--to", "v1").returncode == 0
    drawn = sidelane("graph")
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert "svc1-2-coco-1 (service)\n└─ 100 % ─→ svc1-v1-2-coco-1\n" in drawn.stdout
    assert "svc2" not in sidelane("graph", "--lane", "2-coco-1").stdout
    assert json.loads(sidelane("graph", "-o", "json").stdout)["routes"][0]["edges"] == [
        {"to": "svc1-v1-2-coco-1", "kind": "weight", "share": 1.0}
    ]
    assert sidelane("graph", "-o", "yaml").stdout.startswith("namespace: default\n")
    for format_ in FORMATS:
        written = sidelane("graph", "-o", format_, "--output-file", f"drawn.{format_}")
        assert (written.returncode, written.stdout) == (0, "")
        assert (tmp_path / f"drawn.{format_}").read_text() == sidelane("graph", "-o", format_).stdout
    assert sidelane("graph", "--output-file", "not/there").stderr.startswith("Error: ")
    assert sidelane("graph", "-o", "png").returncode == 2


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


def test_an_edge_that_gets_nothing_does_not_look_as_if_it_did():
    edge = Edge("svc1-v1-2-coco-2", "weight", 0.0)
    assert edge in SAMPLE.routes[1].edges
    assert '  r1 -.->|"0 %"| n5\n' in render(SAMPLE, "mermaid")
    assert '<g class="none"><title>svc1-2-coco-2 → svc1-v1-2-coco-2: 0 %' in render(SAMPLE, "svg")


def test_hostile_text_is_hostile():
    """The cases above would find nothing if their text were harmless."""
    assert {"<", '"', "&", "\x1b", "\n", "`", "|", "#", ";"} <= set(HOSTILE)
