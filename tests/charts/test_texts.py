"""Every text of a user stays text, whatever YAML would take it for: numbers, booleans, null and dates."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sidelane.kubeyaml import read_all
from soaking import TIMES
from user_texts import WORDS, fullest, places, texts, with_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHARTS = Path(__file__).resolve().parents[2] / "charts"
#: A pipeline's parts are looked at by themselves.
NAMES = ("zookeeper", "nimbus", "supervisor", "ui", "service", "route")
#: Texts that are not in the values of these tests: a probe asks in one way, containers are alike, and where ZooKeeper
#: is stands in the values of a chart or in those of all.
LEFT_OUT = re.compile(
    r"((init|extra)Containers\[\]\.)?(startup|liveness|readiness)Probe\..*|global\.zookeeper\..*"
    r"|(init|extra)Containers\[\]\.(image\..*|args\[\]|command\[\]|env.*|ports.*|volumeMounts.*|workingDir)"
    r"|matches\[\]\.targets\[\]\.lane"
)


def values_of(chart: str, ci: str = "full") -> dict[str, Any]:
    return fullest(chart, yaml.safe_load((CHARTS / chart / "ci" / f"{ci}-values.yaml").read_text()))


def schema_of(chart: str) -> dict[str, Any]:
    return json.loads((CHARTS / chart / "values.schema.json").read_text())


def shape(node: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every scalar's place and type. Istio has the names of headers as keys."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from shape(value, f"{path}.{'*' if path.endswith('.headers') else key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from shape(item, f"{path}[{index}]")
    else:
        yield path, type(node).__name__


@pytest.mark.parametrize("chart", NAMES)
def test_every_text_of_the_schema_is_in_the_values_of_these_tests(chart: str) -> None:
    schema = schema_of(chart)
    files = [yaml.safe_load(file.read_text()) for file in (CHARTS / chart / "ci").glob("*-values.yaml")]
    given = {text.place for values in (*files, values_of(chart)) for text in texts(schema, values)}
    assert [place for place in places(schema) if place not in given and not LEFT_OUT.fullmatch(place)] == []


@pytest.mark.parametrize(("chart", "ci"), [*((name, "full") for name in NAMES), ("route", "gateway")])
def test_what_yaml_reads_otherwise_stays_text(run: Callable[..., Any], chart: str, ci: str) -> None:
    schema, values = schema_of(chart), values_of(chart, ci)
    done = run("template", "release", CHARTS / chart, "--namespace", "streams", values=values)
    assert done.returncode == 0, done.stderr
    plain = [set(shape(item)) for item in read_all(done.stdout)]
    seen: dict[str, str] = {}
    for turn in range(len(WORDS)):
        changed, placed = with_words(schema, values, turn)
        if placed.keys() <= seen.keys() and chart != "service" and TIMES == 1:
            continue  # one word shows a text without quotes, and the service how each word is quoted
        seen |= placed
        done = run("template", "release", CHARTS / chart, "--namespace", "2024", values=changed)
        assert done.returncode == 0, (placed, done.stderr)
        for now, before in zip(read_all(done.stdout), plain, strict=True):
            assert sorted(set(shape(now)) ^ before) == []
    assert len(seen) > 5
