"""YAML is read as Kubernetes reads it, and nothing hostile gets far."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sidelane import kubeyaml
from sidelane.errors import InvalidManifest
from sidelane.kubeyaml import reader
from sidelane.kubeyaml.writer import dump
from yaml_data import DATA, SCALARS

if TYPE_CHECKING:
    pass

KEYS = [("1", "1"), ("0x10", "16"), ("on", "true"), ("n", "false"), ("22:22", "22:22"), ("'1'", "1"), ("&a x", "x")]
REFUSED = [
    ("a: 1\nb: .inf", "line 2, column 4", "infinity"),
    ("a: [.nan]", "line 1, column 5", "infinity"),
    ("a: 1\nb: 2\na: 3", "line 3, column 1", "'a' is duplicated"),
    ('a: {1: x, "1": y}', "line 1, column 11", "'1' is duplicated"),
    ("null: a", "line 1, column 1", "a key is null"),
    ("1.10: a", "line 1, column 1", "a number whose text would change"),
    ("? [a]\n: b", "line 1, column 3", "a key is a list"),
    ("a: !!python/name:os.system x", "line 1, column 4", "Python object"),
    ("a: !!python/tuple [x]", "line 1, column 4", "Python object"),
    ("a: !!int x", "line 1, column 4", "does not match its tag"),
    ("a: !!binary x", "line 1, column 4", "base64"),
    ("&a [*a]", "line 1, column 5", "inside its own anchor"),
    ("a: *b", "line 1, column 4", "no earlier anchor"),
    ("a: &x 1\n---\nb: *x", "line 3, column 4", "no earlier anchor"),
    ("b: {<<: 1}", "line 1, column 9", "<< must have a mapping"),
    ("a: &x [{k: 1}]\nb: {<<: *x}", "line 2, column 9", "<< must have a mapping"),
    ("a: b: c", "line 1, column 5", "invalid YAML"),
    ("a: '", "line 1, column 5", "invalid YAML"),
    ("a: \x07", "<input>", "invalid YAML"),
    ("a: 1\n---b: 2", "line 2", "is ambiguous"),
    ("a:\n\ufeff  b: 2", "line 2", "is ambiguous"),
]


@pytest.fixture(params=["libyaml", "pure Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers: a machine without its wheel has only the slow one."""
    monkeypatch.setattr(reader, "_PARSER", yaml.SafeLoader if request.param == "pure Python" else yaml.CSafeLoader)


@pytest.mark.usefixtures("parser")
class TestRead:
    @pytest.mark.parametrize(("text", "value"), SCALARS)
    def test_scalars(self, text: str, value: object) -> None:
        data = kubeyaml.read(f"v: {text}\nw: [{text}]" if text else "v:\nw: [~]")
        assert data == {"v": value, "w": [value]}
        assert type(data["v"]) is type(value)

    @pytest.mark.parametrize(("text", "key"), KEYS)
    def test_keys_are_text(self, text: str, key: str) -> None:
        assert kubeyaml.read(f"{text}: v") == {key: "v"}

    @pytest.mark.parametrize(
        ("text", "merged"),
        [
            ("<<: *x\n  k: 2", {"k": 2}),
            ("k: 2\n  <<: *x", {"k": 1}),  # go-yaml v2 goes by the order of the text
            ("<<: [{k: 1, l: 1}, {k: 2}]", {"k": 1, "l": 1}),
            ('"<<": *x', {"<<": {"k": 1}}),
        ],
    )
    def test_merge(self, text: str, merged: object) -> None:
        assert kubeyaml.read(f"a: &x {{k: 1}}\nb:\n  {text}")["b"] == merged

    def test_aliases_are_copies(self) -> None:
        data = kubeyaml.read("a: &x {k: [1]}\nb: *x\n? &k 8\n: *k")
        assert data == {"a": {"k": [1]}, "b": {"k": [1]}, "8": 8}
        data["a"]["k"].append(2)
        assert data["b"] == {"k": [1]}

    @pytest.mark.parametrize(("text", "where", "problem"), REFUSED)
    def test_refused_with_its_place(self, text: str, where: str, problem: str) -> None:
        with pytest.raises(InvalidManifest, match=problem) as raised:
            kubeyaml.read(text)
        assert where in raised.value.problem
        assert raised.value.remedy

    def test_documents(self) -> None:
        text = "\ufeff# one\na: é\n---\n# only a comment\n---\n# two\n# Source: x\nb: 2\n...\n---\n- c\n"
        documents = kubeyaml.read_documents(text.encode(), source="in.yaml")
        assert [document.data for document in documents] == [{"a": "é"}, {"b": 2}, ["c"]]
        assert [document.line for document in documents] == [2, 8, 11]
        assert [document.comment.strip("\n- ") for document in documents][:2] == ["# one", "# two\n# Source: x"]


@pytest.mark.parametrize(
    ("bomb", "problem"),
    [
        (
            "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
            "aliases expand to",
        ),
        ("[" * 1_000_000, "nested"),
        ("{a: " * 1_000_000, "nested"),
        ("- " * 1_000_000, "nested"),
        ("a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200)), "nested"),
        ("a: " + "x" * (64 * 2**20), "larger than 64 MiB"),
        (b"a: \xff", "not UTF-8 at byte 3"),
    ],
    ids=["laughs", "flow", "mappings", "block", "chain", "size", "bytes"],
)
def test_bombs_are_refused_at_once(bomb: str | bytes, problem: str) -> None:
    with pytest.raises(InvalidManifest, match=problem):
        kubeyaml.read(bomb, source="stdin")


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "EVENT_LIMIT", 100)
    assert kubeyaml.read("[" + "x," * 90 + "]")
    with pytest.raises(InvalidManifest, match="more than"):
        kubeyaml.read("[" + "x," * 100 + "]")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidManifest):
        json.dumps(kubeyaml.read_all(text), allow_nan=False)


def test_no_value_is_shown() -> None:
    for text in (
        "a: !!int hunter2",
        "password: &x hunter2\nb: [hunter2",
        "a: !!binary hunter2",
        "- {password: hunter2",
    ):
        with pytest.raises(InvalidManifest) as raised:
            kubeyaml.read(text)
        assert "hunter2" not in str(raised.value)


def test_read_takes_one_document() -> None:
    assert kubeyaml.read("") is None
    assert kubeyaml.read("# nothing\n---\na: 1\n") == {"a": 1}
    with pytest.raises(InvalidManifest, match=r"f\.yaml, line 3: a second document"):
        kubeyaml.read("a: 1\n---\nb: 2", source="f.yaml")


JSON = [
    ('{"a": "\\ud83d\\ude00 \\/ \\u00e9"}', {"a": "😀 / é"}),
    (f'{{"{"k" * 3000}": 1}}', {"k" * 3000: 1}),
    (' \n {"a": [1, 2.5, 1e3, -0.0, 9223372036854775807, true, null]}\n', None),
    ('{"a": 1.0, "<<": {"b": 1}, "x": {}}', None),
    ('{"a": "x\\u2028y\\n"}', None),
]


@pytest.mark.parametrize(("text", "data"), JSON)
def test_json_is_read_as_kubernetes_reads_it(text: str, data: object) -> None:
    expected = json.loads(text) if data is None else data
    read = kubeyaml.read(text)
    assert read == expected
    if data is None:  # what YAML can read, too, has the same types
        assert json.dumps(read) == json.dumps(kubeyaml.read("# YAML\n" + text))
    assert kubeyaml.read_documents(text.encode())[0].line == text.count("\n", 0, text.index("{")) + 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1,\n "a": 2}', r"line 2, column \d+: the key 'a' is duplicated"),
        ('{"a": "\\ud83d"}', "line 1"),
        ('{"a": "\\ude00\\ud83d"}', "line 1"),
        ('{"a": 1}\n{"b": 2}', "line 2"),
        ('{"a": {"b": ' * 200 + "1" + "}}" * 200, "nested"),
        ('{"a": ' * 200_000, "nested"),
        ('a: "\\/"', r"line 1, column \d+: .*only in JSON"),
        ('a: "x\\\\\\/"', "only in JSON"),
        ('"\\/": a', "only in JSON"),
        ('# JSON in a stream of documents\n{"a": "\\/"}', "only in JSON"),
        ("%TAG ! tag:example,2000:\n---\na: 1\n", "line 1, column 1: .*a YAML directive"),
        ("%YAML 1.1\n---\na: 1\n", "a YAML directive"),
        ("a: 1\n...\n%TAG !e! tag:e,2000:\n---\nb: 1\n", "line 3, column 1: .*a YAML directive"),
    ],
)
def test_what_kubernetes_refuses_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidManifest, match=problem):
        kubeyaml.read_all(text)


@pytest.mark.parametrize(
    "text", ["a: '\\/'", "a: \\/", 'a: "\\\\/"', 'a: "\\\\\\\\/"', 'a: |\n  "\\/"\n', '# "\\/"\na: 1', "a: 50%\n"]
)
def test_what_looks_like_that_is_taken(text: str) -> None:
    assert kubeyaml.read(text)


def test_json_of_too_many_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "EVENT_LIMIT", 100)
    monkeypatch.setattr(kubeyaml, "EVENT_LIMIT", 100)
    with pytest.raises(InvalidManifest, match="more than"):
        kubeyaml.read('{"a": [' + "1," * 100 + "1]}")
    assert kubeyaml.read('{"a": "' + "," * 200 + '"}')


class TestDump:
    @given(DATA)
    def test_reads_back_the_same(self, data: object) -> None:
        text = dump(data)
        assert kubeyaml.read(text) == data
        assert yaml.load(text, yaml.CSafeLoader) == data

    def test_reads_well(self) -> None:
        data = {"Version": "2-coco", "Build": "1", "n": ["y", "22:22", "1e3"], "script": "a\nb\n", "image": "a.b/c:1.2"}
        assert dump(data) == (
            'Version: 2-coco\nBuild: "1"\n"n":\n- "y"\n- "22:22"\n- "1e3"\nscript: |\n  a\n  b\nimage: a.b/c:1.2\n'
        )

    def test_never_writes_aliases(self) -> None:
        shared = {"a": ["b"]}
        assert "&" not in dump([shared, shared])

    @pytest.mark.parametrize("data", [{1: 2}, 2**63, float("inf"), float("nan"), b"x", {"x"}, object(), "\ud800"])
    def test_refuses_what_is_no_json(self, data: object) -> None:
        with pytest.raises(InvalidManifest, match="cannot be written"):
            dump({"x": [data]})
