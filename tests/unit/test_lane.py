import pytest
from generated import BUILDS, VERSIONS
from hypothesis import given
from hypothesis import strategies as st
from sidelane import Lane
from sidelane.errors import InvalidLane


@given(VERSIONS, BUILDS)
def test_a_lane_reads_back_from_its_text(version, build):
    lane = Lane(version, build)
    assert Lane.parse(str(lane)) == lane
    assert (lane.version, lane.build) == (version, build)


@given(st.text(max_size=12), st.text(alphabet="0123456789abAB.-_ \n", max_size=6))
def test_whatever_is_not_refused_is_a_lane_of_the_grammar(version, build):
    try:
        lane = Lane(version, build)
    except InvalidLane:
        return
    assert str(lane) == f"{version}-{build}"
    assert lane.version.isascii()
    assert lane.build.isdecimal()


def test_a_build_may_be_a_number_and_is_kept_as_text():
    assert Lane("coco", 1) == Lane("coco", "1")
    assert Lane("coco", 20261122).build == "20261122"


@pytest.mark.parametrize(
    ("version", "problem", "remedy"),
    [
        ("Coco", "lower-case", "'coco'"),
        ("2.10", "lower-case letters and digits", "'2-10'"),
        ("co_co", "lower-case letters and digits", "'coco'"),
        ("", "is empty", "'coco'"),
        ("-coco", "single dashes", "'coco'"),
        ("2--coco", "single dashes", "'2-coco'"),
        ("cs-coco", "part of a component's name", "'cscoco'"),
        ("coco\n", "lower-case", "'coco'"),
        ("é", "lower-case", "'coco'"),
        ("c" * 41, "has 41 characters", "names are never cut"),
        (None, "not null", "quotes"),
        (2.1, "not a number", "quotes"),
        (False, "not a boolean", "quotes"),
        (["coco"], "not a list", "quotes"),
    ],
)
def test_a_bad_version_is_refused_with_what_to_write(version, problem, remedy):
    with pytest.raises(InvalidLane) as refused:
        Lane(version, 1)
    assert problem in refused.value.problem
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        ("01", "must not begin with 0"),
        ("1e3", "decimal digits"),
        ("-1", "decimal digits"),
        (-1, "decimal digits"),
        ("", "decimal digits"),
        ("1\n", "decimal digits"),
        ("١", "decimal digits"),
        (10**18, "more than 18 digits"),
        pytest.param(10**5000, "more than 18 digits", id="5000 digits"),
        ("9" * 19, "more than 18 digits"),
        (1.5, "not a number"),
        (True, "not a boolean"),
        (None, "not null"),
        ({}, "not a mapping"),
    ],
)
def test_a_bad_build_is_refused(build, problem):
    with pytest.raises(InvalidLane, match=problem):
        Lane("coco", build)


@pytest.mark.parametrize("text", ["coco", "", "-", "coco-", "-1", None, 1])
def test_text_that_is_no_lane_is_refused(text):
    with pytest.raises(InvalidLane):
        Lane.parse(text)
