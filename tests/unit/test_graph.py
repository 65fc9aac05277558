"""Pictures: what is in them, that nothing lies on anything else, and that text from a cluster stays text."""

import itertools
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from drawn_graphs import AWKWARD, HOSTILE, SAMPLE, graphs, large
from hypothesis import example, given, settings
from sidelane.errors import InvalidInput
from sidelane.graph import FORMATS, Edge, render
from sidelane.graph.layout import place
from sidelane.graph.model import percent
from sidelane.graph.words import cells, plain, shortened
from soaking import TIMES

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


def test_a_shift_in_progress_is_in_every_picture():
    shift = "shift from 2-coco-1 to 2-coco-2: step 2 of 4, 25 %, next 50 % after its gates"
    one, *others = SAMPLE.routes
    graph = replace(SAMPLE, routes=(replace(one, shift=shift), *others))
    assert f"svc1-2-coco-1 (istio)\n│ {shift}\n├─ 90 % " in render(graph)
    assert "istio, shift from 2-coco-1 to 2-coco-2#58; step 2 of 4, 25 %" in render(graph, "mermaid")
    assert shift in render(graph, "html")
    assert "step 2 of 4" in render(graph, "svg")
    assert graph.to_json()["routes"][0]["shift"] == shift
    assert "shift" not in SAMPLE.to_json()["routes"][0]


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


@settings(max_examples=8 * TIMES)
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
    assert all(any(re.fullmatch(statement, line) for statement in STATEMENTS) for line in lines)
    read = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), "\n".join(lines))
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
    """The elements of a page."""

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


@settings(max_examples=8 * TIMES)
@given(graphs())
@example(AWKWARD)
@example(SAMPLE)
@example(large())
def test_nothing_lies_on_anything_else(graph):
    layout = place(graph)
    labels = [line.label for line in layout.lines]
    boxes = [*layout.nodes.values(), *layout.routes.values(), *labels]
    boxes.sort(key=lambda box: box.y)
    for number, shape in enumerate(boxes):
        below = itertools.takewhile(lambda two, end=shape.bottom: two.y < end, boxes[number + 1 :])
        assert all(apart(shape, two) for two in below)
        assert shape.x >= 0
        assert shape.y >= 0
        assert shape.right <= layout.width
        assert shape.bottom <= layout.height
    for group, lane in zip(graph.groups, layout.lanes, strict=True):
        assert all(within(layout.nodes[node.name], lane) for node in group.nodes)
    for shape, two in itertools.pairwise(layout.lanes):
        assert apart(shape, two)
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


def test_an_edge_that_gets_nothing_does_not_look_as_if_it_did():
    edge = Edge("svc1-v1-2-coco-2", "weight", 0.0)
    assert edge in SAMPLE.routes[1].edges
    assert '  r1 -.->|"0 %"| n5\n' in render(SAMPLE, "mermaid")
    assert '<g class="none"><title>svc1-2-coco-2 → svc1-v1-2-coco-2: 0 %' in render(SAMPLE, "svg")


def test_hostile_text_is_hostile():
    """The cases above would find nothing if their text were harmless."""
    assert {"<", '"', "&", "\x1b", "\n", "`", "|", "#", ";"} <= set(HOSTILE)
