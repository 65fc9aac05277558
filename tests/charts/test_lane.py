"""The Version and the Build as users give them: what is taken, what is refused, and what the refusal says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Render = Callable[..., list[dict[str, Any]]]
    Refusal = Callable[..., str]
    Refusals = Callable[..., list[str]]

LABEL = "sidelane.dev/lane"


def by_set(version: object, build: object) -> list[str]:
    return ["--set", f"Version={version}", "--set", f"Build={build}"]


@pytest.mark.parametrize(
    ("arguments", "lane"),
    [
        (by_set("coco", "1"), "coco-1"),
        (by_set("2-coco", "20261122"), "2-coco-20261122"),
        (by_set("2", "0"), "2-0"),
        (by_set("1-4-0", "123456789012345678"), "1-4-0-123456789012345678"),
        (["--set", "global.Version=coco", "--set", "global.Build=1"], "coco-1"),
        ([*by_set("coco", "1"), "--set", "global.Version=coco", "--set", "global.Build=1"], "coco-1"),
    ],
)
def test_a_lane_is_taken_from_the_command_line(render: Render, arguments: list[str], lane: str) -> None:
    assert {o["metadata"]["labels"][LABEL] for o in render("zookeeper", *arguments)} == {lane}


@pytest.mark.parametrize("build", ["7", 7, 10000000, 2**53 - 1])
def test_a_build_in_a_values_file_may_be_a_number(render: Render, build: object) -> None:
    objects = render("zookeeper", values={"Version": "2-coco", "Build": build})
    assert {o["metadata"]["labels"][LABEL] for o in objects} == {f"2-coco-{build}"}


QUOTES = "put it in quotes"
REFUSED = [
    (["Version=Coco"], "write it such as 'coco'"),
    (["Version=2.10"], "write it such as '2-10'"),
    (["Version=2_coco"], "write it such as '2-coco'"),
    (["Version=cs-coco"], "write it such as 'cscoco'"),
    (["Version=-"], "write it such as 'coco' or '2-coco'"),
    (["Version="], "no Version is given"),
    (["Version=null"], "no Version is given"),
    (["Version=n-"], "write it such as 'n'"),
    (["Version=true"], QUOTES),
    ([f"Version={'a' * 41}"], "has 41 characters"),
    (["global.Version=other"], "'coco' in the chart's own values and 'other' in global"),
    (["Build="], "no Build is given"),
    (["Build=null"], "no Build is given"),
    (["Build=01"], "write it '1'"),
    (["Build=1e3"], "'1e3' must consist of decimal digits only"),
    (["Build=1.5"], "'1.5' must consist of decimal digits only"),
    (["Build=-1"], "'-1' must consist of decimal digits only"),
    (["Build=one"], "'one' must consist of decimal digits only"),
    ([f"Build={'1' * 19}"], "more than 18 digits"),
    (["global.Build=2"], "'1' in the chart's own values and '2' in global"),
    ([f"Version={'a' * 40}", "Build=123456789"], "a StatefulSet may have at most 52"),
]
REFUSED_IN_A_FILE = [
    ({"Version": 2.1}, QUOTES),
    ({"Version": 2}, QUOTES),
    ({"Version": False}, "n into false"),
    ({"Version": ["coco"]}, "not a list"),
    ({"Version": {"a": "b"}}, "not a mapping"),
    ({"Build": 1.5}, QUOTES),
    ({"Build": -1}, "'-1' must consist of decimal digits only"),
    ({"Build": 2**53}, QUOTES),
    ({"Build": 1e300}, QUOTES),
    ({"Build": True}, "not a boolean"),
    ({"Build": [1]}, "not a list"),
    ({"Build": {"a": 1}}, "not a mapping"),
]


@pytest.mark.parametrize(("given", "sentence"), REFUSED, ids=lambda value: str(value)[:30])
def test_on_the_command_line(refusals: Refusals, given: list[str], sentence: str) -> None:
    arguments = [*by_set("coco", "1"), *(argument for setting in given for argument in ("--set", setting))]
    assert [said for said in refusals("zookeeper", *arguments) if sentence not in said] == []


@pytest.mark.parametrize(("given", "sentence"), REFUSED_IN_A_FILE, ids=lambda value: str(value)[:30])
def test_in_a_values_file(refusals: Refusals, given: dict[str, object], sentence: str) -> None:
    values = {"Version": "coco", "Build": "1", **given}
    assert [said for said in refusals("zookeeper", values=values) if sentence not in said] == []


def test_without_a_lane_the_command_line_is_told(refusal: Refusal) -> None:
    assert "a lane is never guessed; add --set Version=coco --set Build=1" in refusal("zookeeper")
