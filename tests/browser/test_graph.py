"""Pictures in a real browser: text lies inside its shapes, colours can be told apart, in light and dark; nothing is
asked of anybody, and no text becomes a script.
"""

import html
import itertools
import json
import re
from pathlib import Path

import pytest
from drawn_graphs import AWKWARD, HOSTILE, NARROW, SAMPLE, large
from sidelane.graph import render
from sidelane.graph.words import plain

#: Contrast of text and of lines that mean something (WCAG 2.2, 1.4.3 and 1.4.11, level AA).
TEXT, LINE = 4.5, 3.0
MEASURE = (Path(__file__).parent / "measure.js").read_text()


def wrapped(*graphs):
    """A page of drawings that is measured where it is shown."""
    drawings = "".join(render(graph, "svg").partition("?>")[2] for graph in graphs)
    return f'<!doctype html><meta charset="utf-8">{drawings}<pre id="measured"></pre><script>{MEASURE}</script>'


def read(dom):
    return json.loads(html.unescape(re.search(r'<pre id="measured">(.*?)</pre>', dom, re.DOTALL)[1]))


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request):
    return request.param


def inside(one, two):
    return (
        two["x"] <= one["x"]
        and one["right"] <= two["right"]
        and two["y"] <= one["y"]
        and one["bottom"] <= two["bottom"]
    )


def contrast(one, two):
    """From 1 to 21, as WCAG defines it."""
    bright, dim = sorted(map(luminance, (one, two)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour):
    match = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour)
    assert match, f"{colour} is not what a variable of the drawing gives"
    parts = [int(part) / 255 for part in match.groups()]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_what_wcag_says():
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(119, 119, 119)", "rgb(255, 255, 255)") == pytest.approx(4.48, abs=0.01)


def test_drawings_can_be_read(browse, dark):
    graphs = (SAMPLE, AWKWARD, NARROW, large(3, 10))
    seen = browse(wrapped(*graphs), dark=dark)
    picture = read(seen.dom)
    assert (picture["dark"], picture["fetched"], seen.logged, seen.asked) == (dark, [], [], [])
    assert len(picture["drawings"]) == len(graphs)
    for graph, drawing in zip(graphs, picture["drawings"], strict=True):
        counts = [len(drawing[kind]) for kind in ("lanes", "nodes", "routes", "labels")]
        edges = sum(len(route.edges) for route in graph.routes)
        assert counts == [len(graph.groups), len(list(graph.nodes)), len(graph.routes), edges]
        shapes = [*drawing["lanes"], *drawing["nodes"], *drawing["routes"], *drawing["labels"]]
        for shape in shapes:
            assert inside(shape["shape"], drawing["drawing"])
            for text in shape["texts"]:
                assert text["text"]
                assert inside(text["box"], shape["shape"]), text["text"]
                assert contrast(*text["colours"]) >= TEXT, (text["text"], text["colours"])
            for upper, two in itertools.pairwise(shape["texts"]):
                assert upper["box"]["bottom"] <= two["box"]["y"] + 2  # a font's line is higher than its letters
            if shape["kind"] != "lane":  # its border means nothing that its title does not say
                assert contrast(*shape["border"]) >= LINE, shape["border"]
        for text in drawing["loose"]:
            assert inside(text["box"], drawing["drawing"]), text["text"]
            assert contrast(*text["colours"]) >= TEXT
        assert all(contrast(*line) >= LINE for line in drawing["lines"])
    names = {text["text"] for node in picture["drawings"][0]["nodes"] for text in node["texts"]}
    assert {node.name for node in SAMPLE.nodes} <= names


def test_the_page_asks_nobody_and_obeys_no_name(browse, dark):
    seen = browse(render(AWKWARD, "html"), dark=dark)
    assert (seen.asked, seen.logged) == ([], [])
    assert f"<title>Lanes of {html.escape(plain(HOSTILE), quote=False)}</title>" in seen.dom
    assert "<script" not in seen.dom
    assert seen.dom.count("<tr>") == 2 + 3 + 4


def test_should_a_script_get_into_the_page_it_would_not_run(browse):
    page = render(SAMPLE, "html").replace("</main>", "<script>document.title = 'owned'</script></main>")
    seen = browse(page)
    assert "<title>Lanes of streams</title>" in seen.dom
    assert "Content Security Policy" in "".join(seen.logged)


def test_what_is_asked_and_told_would_be_seen(browse):
    """The tests above would find nothing if the browser said nothing."""
    seen = browse('<img src="http://127.0.0.1:9/picture.png"><script>console.error("told")</script>')
    assert "http://127.0.0.1:9/picture.png" in seen.asked
    assert "told" in "".join(seen.logged)


def test_a_drawing_is_a_file_of_its_own(browse, dark):
    seen = browse(render(SAMPLE, "svg"), name="drawn.svg", dark=dark)
    assert (seen.asked, seen.logged) == ([], [])
    assert "<parsererror" not in seen.dom
    assert "svc1-v2-2-coco-2" in seen.dom
