"""`--set`, `--set-string` and `--set-json` mean what they mean to Helm 4, whose own code a wheel holds.

The wheel is an oracle for tests alone; where it is not installed, tests/helm asks a helm on a few texts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sidelane.charts import strvals
from sidelane.errors import InvalidInput
from soaking import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable

helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")

PIECES = st.sampled_from(
    ["a", "b", "1", "0", "01", "-1", "1e3", "true", "null", "nil", "=", "=", ".", ",", "[", "]", "[0]", "[1]", "{",
     "}", "\\", "\\,", "\\.", " ", "'", '"', "x y", "é", "\n", "9007199254740991", "1.5", "[-1]", "{a,b}", "a[0].b="]
)  # fmt: skip
TEXTS = st.lists(PIECES, min_size=1, max_size=9).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.sampled_from(["", "a", "é", "a,b", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
)


def ours(into: Callable[[dict[str, Any], str], None], text: str) -> Any:
    values: dict[str, Any] = {}
    try:
        into(values, text)
    except InvalidInput:
        return "refused"
    return values


def theirs(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except helm.HelmError:
        return "refused"


@settings(max_examples=200 * TIMES)
@given(TEXTS)
@example("a[0].b=1,a[1]=x")
@example("a={1,x},b=")
def test_set(text: str) -> None:
    for into, parse in (
        (strvals.set_into, helm.parse_set_string),
        (strvals.set_string_into, helm.parse_set_string_values),
    ):
        mine = ours(into, text)
        # Sidelane may refuse more, such as whole numbers that Helm rounds; it never reads another value.
        assert mine in ("refused", theirs(parse, text)), text


@settings(max_examples=100 * TIMES)
@given(st.lists(st.tuples(st.sampled_from(["a", "b.c", "d[0]", "d[1].e"]), JSON), min_size=1, max_size=3))
def test_set_json(pairs: list[tuple[str, Any]]) -> None:
    text = ",".join(f"{key}={json.dumps(value)}" for key, value in pairs)
    assert ours(strvals.set_json_into, text) in ("refused", theirs(helm.parse_set_json, text)), text


@pytest.mark.parametrize("text", ["a[0].b=", "a[1].b.c=", "x=1,a[0].b[0].c="])
def test_an_empty_value_that_helm_drops_is_refused(text: str) -> None:
    assert "b" not in str(theirs(helm.parse_set_string, text))
    with pytest.raises(InvalidInput, match="Helm drops the empty value"):
        strvals.set_into({}, text)
    assert ours(strvals.set_into, f"{text},z=1") == theirs(helm.parse_set_string, f"{text},z=1")


@pytest.mark.parametrize("text", ["a=1", "a.b[1]=x", "a={1,x}", "a=,b=2", r"a\.b=c", "a=null", "a=007", "a=1e3"])
def test_usual_texts_are_not_refused(text: str) -> None:
    assert ours(strvals.set_into, text) == theirs(helm.parse_set_string, text) != "refused"
