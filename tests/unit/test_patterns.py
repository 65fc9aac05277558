"""Patterns of names agree with the naming contract."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sidelane.checks.conventions import preset
from sidelane.checks.conventions.patterns import PLACEHOLDERS, accepts, names_lane, reading, shown
from sidelane.checks.rules.rule import in_lane, lane_texts
from sidelane.errors import InvalidName
from sidelane.naming.contract import COMPONENT, component_name, parse_name, release_name, service_version_name
from sidelane.naming.lane import VERSION, Lane

VERSIONS = st.from_regex(VERSION, fullmatch=True).filter(lambda text: len(text) <= 20)
LANES = st.builds(Lane, VERSIONS, st.integers(0, 10**6))
COMPONENTS = st.from_regex(COMPONENT, fullmatch=True).filter(lambda text: len(text) <= 12)
NAMES = preset("sidelane").names_of("ConfigMap")
#: Names near the contract's, and far from it.
ODD = st.from_regex(r"(zk|zk-cs|zk-v1|v1|2|a-v1-b|Zk|zk-)?(-(v1|7|cs|coco|2-coco)){0,3}-(1|01|coco)?", fullmatch=True)


@given(COMPONENTS, LANES)
def test_patterns_accept_what_the_contract_makes(component: str, lane: Lane) -> None:
    assume(not re.search(r"-v[0-9][a-z0-9]*$", component))
    known = lane_texts(lane)
    for name in (component_name(component, lane), release_name(component, lane)):
        assert accepts(["{component}-{version}-{build}"], name, known)
        assert accepts(["{service}-{lane}"], name, known)
        assert accepts(["{service}-{version}-{build}"], name, {})
    name = service_version_name(component, "v1", lane, kind="Service")
    assert accepts(["{service}-{serviceVersion}-{version}-{build}"], name, known)
    assert not accepts(["{service}-{version}-{build}"], name, known)
    assert reading("{service}-{serviceVersion}-{version}-{build}", name, "serviceVersion") == "v1"


@given(ODD, LANES | st.sampled_from([Lane("coco", 1), Lane("2-coco", 1), Lane("7", 1)]))
def test_the_preset_accepts_exactly_the_names_in_a_lane(name: str, lane: Lane) -> None:
    assert accepts(NAMES, name, lane_texts(lane)) == in_lane(name, lane)


@given(ODD)
def test_a_service_is_what_the_contract_accepts_as_one(name: str) -> None:
    try:
        component_name(name, Lane("coco", 1))
    except InvalidName:
        assert not accepts(["{service}"], name, {})
    else:
        assert accepts(["{service}"], name, {})


@pytest.mark.parametrize(
    ("pattern", "text", "known", "accepted"),
    [
        ("{release}-{name}", "web-a.b", {"release": "web"}, True),
        ("{release}-{name}", "web-", {"release": "web"}, False),
        ("{release}-{name}", "web", {"release": "web"}, False),
        ("{release}-{release}", "web-web", {"release": "web"}, True),
        ("{release}-{release}", "web-shop", {}, False),
        ("{release}", "web.", {"release": "web."}, True),
        ("a.{name}", "abc", {}, False),
        ("x-{component}-{name}-y", "x-a-1-y", {}, True),
    ],
)
def test_known_texts(pattern: str, text: str, known: dict[str, str], accepted: bool) -> None:
    assert accepts([pattern], text, known) == accepted


def test_messages() -> None:
    assert shown("{component}-{lane}", {"lane": "coco-1"}) == "<component>-coco-1"
    assert [name for name in PLACEHOLDERS if names_lane(f"x-{{{name}}}")] == ["version", "build", "lane"]
    assert parse_name("zk-coco-1") == ("zk", Lane("coco", 1))
