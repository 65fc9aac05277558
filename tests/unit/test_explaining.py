"""Errors of data that a JSON schema refuses."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sidelane.support import carried
from sidelane.support.explaining import sentences
from sidelane.support.schemas import COMPILED, problems
from soaking import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = {
    "/".join(path.parts[-2:]): json.loads(path.read_text())
    for path in (
        *carried.folder("charts").glob("*/values.schema.json"),
        *carried.folder("schemas").glob("*.schema.json"),
    )
}
TEXTS = st.sampled_from(
    ["", "a", "zk", "1", "1Gi", "1Gi\n", "64m", "v1", "²", "٣", "x" * 70, "a b", "Always", "2-coco", "é"]
)
SCALARS = st.none() | st.booleans() | st.integers(-2, 70000) | st.floats(-2, 9, width=16) | TEXTS | st.text(max_size=5)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


def places(schema: Any, root: Any, depth: int = 4) -> Iterator[tuple[str, ...]]:
    """The path of every key that a schema names; items of lists are left out."""
    while isinstance(schema, dict) and "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    for key, inner in schema.get("properties", {}).items() if isinstance(schema, dict) and depth else ():
        yield (key,)
        yield from ((key, *rest) for rest in places(inner, root, depth - 1))


@st.composite
def documents(draw: st.DrawFn, schema: dict[str, Any]) -> dict[str, Any]:
    """A mapping with values of any kind at some of the schema's places, and in lists there."""
    known = sorted(set(places(schema, schema)))
    document: dict[str, Any] = {}
    for _ in range(draw(st.integers(1, 6))):
        *path, last = draw(st.sampled_from(known))
        at = document
        for key in path:
            at = at.setdefault(key, {}) if isinstance(at.get(key, {}), dict) else {}
        at[last] = copy.deepcopy(draw(VALUES))
    if draw(st.booleans()):
        document[draw(st.text(max_size=5))] = draw(SCALARS)
    return document


@pytest.mark.parametrize("name", SCHEMAS)
def test_both_libraries_give_one_verdict(name: str) -> None:
    schema = SCHEMAS[name]
    # All places that must have a value would make nearly every document invalid.
    schemas = [schema, {**schema, "required": []}]
    quick = [jsonschema_rs.validator_for(each) for each in schemas]

    # On a busy machine generation is slow, which is no mistake here.
    @settings(max_examples=10 * TIMES, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, 1), documents(schema))
    def one_verdict(which: int, document: dict[str, Any]) -> None:
        assert quick[which].is_valid(document) == (not list(sentences(schemas[which], document)))

    one_verdict()


@pytest.mark.parametrize(
    ("schema", "value", "error"),
    [
        ({"type": "integer", "description": "Its members."}, "x", "'x' is not a whole number (Its members)"),
        ({"minLength": 1}, "", "'' is not text of at least 1 character"),
        ({"maxItems": 2}, [1, 2, 3], "a list is not a list of at most 2 items"),
        ({"exclusiveMinimum": 0}, 0, "0 is not more than 0"),
        ({"pattern": "^[0-9]+Gi$"}, "5Gi\n", r"'5Gi\n' is not text that matches ^[0-9]+Gi$"),
        ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 3, "3 is not exactly one of the accepted forms"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "x", "'x' is not null or a whole number"),
        ({"not": {"const": 1}}, 1, "1 is not valid in the schema (not)"),
        ({"description": "a\x1b[2J", "const": 2}, 1, r"1 is not 2 (a\x1b[2J)"),
        ({"description": "é" * 300, "const": 2}, 1, f"1 is not 2 ({'é' * 120}… (300 characters))"),
    ],
)  # fmt: skip
def test_a_sentence_names_the_value_the_form_and_its_meaning(schema: dict[str, Any], value: object, error: str) -> None:
    assert problems({"properties": {"a": schema}}, {"a": value}) == (f"a: {error}",)


def test_a_form_that_nearly_fits_is_explained_further_inside() -> None:
    target = {
        "type": "object",
        "required": ["port"],
        "properties": {"port": {"type": "integer", "description": "The port."}, "host": {"type": "string"}},
    }
    schema = {"properties": {"to": {"anyOf": [{"type": "string"}, target]}}}
    assert problems(schema, {"to": {"port": "http"}}) == ("to.port: 'http' is not a whole number (The port)",)
    assert problems(schema, {"to": 5}) == ("to: 5 is not text or a mapping",)


def test_a_key_is_explained_with_its_meaning_or_its_nearest_neighbour() -> None:
    schema = {
        "required": ["port"],
        "properties": {"port": {"description": "The port."}},
        "additionalProperties": False,
        "propertyNames": {"pattern": "^[a-z]+$"},
    }
    assert problems(schema, {"portt": 1, "B": 1}) == (
        "B: the key 'B' is not text that matches ^[a-z]+$",
        "B: unknown key 'B'; it has port",
        "port: is required but missing (The port)",
        "portt: unknown key 'portt'; did you mean 'port'?",
    )


def test_secrets_stay_hidden_in_every_form() -> None:
    schema = {"properties": {"password": {"anyOf": [{"pattern": "^x"}, {"const": 5}], "description": "Its password"}}}
    (problem,) = problems(schema, {"password": "hunter2"})
    assert problem == "password: (hidden) is not text that matches ^x or 5 (Its password)"


def test_data_that_only_the_quick_library_refuses_is_refused() -> None:
    schema = {"properties": {"a": {"pattern": r"^\p{Lu}"}}}  # Python has no such pattern
    assert problems(schema, {"a": "x"}) == ("a: 'x' is not valid in the schema (pattern)",)


def test_a_schema_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []
    validator = jsonschema_rs.Draft7Validator

    def compiling(schema: Any, **options: Any) -> Any:
        compiled.append(schema)
        return validator(schema, **options)

    monkeypatch.setattr(jsonschema_rs, "Draft7Validator", compiling)
    schema = {"properties": {"a": {"type": "integer"}}}
    assert [bool(problems(schema, {"a": value})) for value in (1, "x", 2)] == [False, True, False]
    assert compiled == [schema]


def test_of_many_schemas_each_has_its_own_errors() -> None:
    for number in range(2 * COMPILED):
        schema = {"properties": {"a": {"const": number}}}
        assert problems(schema, {"a": number}) == ()
        assert problems(schema, {"a": -1}) == (f"a: -1 is not {number}",)


def test_valid_data_imports_no_explanations() -> None:
    program = (
        "import sys; from sidelane.support.schemas import problems; schema = {'properties': {'a': {'const': 1}}}\n"
        "assert not problems(schema, {'a': 1}); assert 'jsonschema' not in sys.modules\n"
        "assert problems(schema, {'a': 2}); assert 'jsonschema' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
