"""YAML is read as Helm reads it (held against helm itself), and nothing hostile gets far."""

from __future__ import annotations

import json
import random
import subprocess
import time
from base64 import b64decode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sidelane import kubeyaml
from sidelane.errors import InvalidManifest
from sidelane.kubeyaml import reader
from sidelane.kubeyaml.writer import dump

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.both_helms

SCALARS = [
    ("1e3", 1000), ("1E3", 1000), ("08", 8), ("017", 15), ("0o17", 15), ("0x1F", 31), ("0b1", 1), ("-0b1", -1),
    ("1_000", 1000), (".5", 0.5), ("+1", 1), ("-0.0", 0), ("1.", 1), ("22:22", "22:22"), ("2001-01-01", "2001-01-01"),
    ("=", "="), ("<<", "<<"), ("_1", "_1"), ("0o8", "0o8"), ("0x1p4", "0x1p4"), ("1e999", "1e999"),
    ("9223372036854775807", 2**63 - 1), ("9223372036854775808", 2.0**63), ("18446744073709551616", 2.0**64),
    ("9.223372036854775e18", 9223372036854775000), ("1e21", 1e21), ("1" * 5000, "1" * 5000),
    ("y", True), ("n", False), ("yes", True), ("No", False), ("ON", True), ("off", False), ("yES", "yES"),
    ("~", None), ("null", None), ("Null", None), ("nULL", "nULL"), ("", None), ('""', ""), ("'1'", "1"),
    ("!!str 1", "1"), ('!!int "1"', 1), ("!!float 1", 1), ("!!bool yes", True), ("!!binary aGk=", "hi"), ("! 1", "1"),
    ("!!timestamp 2001-01-01", "2001-01-01"), ("!other 1", "1"), ("!!set {a}", {"a": None}), ("!!str [1]", [1]),
]  # fmt: skip
KEYS = [("1", "1"), ("0x10", "16"), ("on", "true"), ("n", "false"), ("22:22", "22:22"), ("'1'", "1"), ("&a x", "x")]
REFUSED = [
    ("a: 1\nb: .inf", "line 2, column 4", "infinity"),
    ("a: [.nan]", "line 1, column 5", "infinity"),
    ("a: 1\nb: 2\na: 3", "line 3, column 1", "'a' is there twice"),
    ('a: {1: x, "1": y}', "line 1, column 11", "'1' is there twice"),
    ("null: a", "line 1, column 1", "a key is null"),
    ("1.10: a", "line 1, column 1", "a number that its text would not survive"),
    ("? [a]\n: b", "line 1, column 3", "a key is a list"),
    ("a: !!python/name:os.system x", "line 1, column 4", "Python object"),
    ("a: !!python/tuple [x]", "line 1, column 4", "Python object"),
    ("a: !!int x", "line 1, column 4", "not what its tag says"),
    ("a: !!binary x", "line 1, column 4", "base64"),
    ("&a [*a]", "line 1, column 5", "within its own anchor"),
    ("a: *b", "line 1, column 4", "names no anchor"),
    ("a: &x 1\n---\nb: *x", "line 3, column 4", "names no anchor"),
    ("b: {<<: 1}", "line 1, column 9", "<< takes a mapping"),
    ("a: &x [{k: 1}]\nb: {<<: *x}", "line 2, column 9", "<< takes a mapping"),
    ("a: b: c", "line 1, column 5", "no YAML"),
    ("a: '", "line 1, column 5", "no YAML"),
    ("a: \x07", "<input>", "no YAML"),
    ("a: 1\n---b: 2", "line 2", "read in two ways"),
    ("a:\n\ufeff  b: 2", "line 2", "read in two ways"),
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
            "aliases stand for",
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
    begin = time.perf_counter()
    with pytest.raises(InvalidManifest, match=problem):
        kubeyaml.read(bomb, source="stdin")
    assert time.perf_counter() - begin < 2  # measured: under 0.1 s


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


AMBIGUOUS = [text for text, _ in SCALARS if "!" not in text] + [
    "- a", "a: b", "# c", "a #b", "  x", "x ", "a\nb\n", "a\n\nb", "\n", " a\n b\n", "#x\ny\n", "é", "\u2028", "\x85",
    "\ufeff", "\t", "a\tb", "%x", "@x", "`x", "---", "--- a", "...", "?", "? a", ":", "a:", "&a", "*a", "!a", "|", ">",
    "'", '"', "\\", "[", "{a}", ",", "a\r\nb\n", "😀", "\x07", "\x7f", "a\n---\nb\n", "a\n...\n", "1:30:00", "1.5:30",
    "2001-01-01T00:00:00Z", "2001-01-01 00:00:00", "0.", "-", "+", ".", "x" * 200, "x " * 100, "-1:30", ".inf", "NaN",
]  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(AMBIGUOUS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.text("yn01e.:-_ x\n#", max_size=6),
)
NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
DATA = st.recursive(
    st.one_of(TEXT, st.none(), st.booleans(), NUMBERS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)


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
    found = kubeyaml.read(text)
    assert found == expected
    if data is None:  # what YAML can read, too, has the same types
        assert json.dumps(found) == json.dumps(kubeyaml.read("# YAML\n" + text))
    assert kubeyaml.read_documents(text.encode())[0].line == text.count("\n", 0, text.index("{")) + 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1,\n "a": 2}', r"line 2, column \d+: the key 'a' is there twice"),
        ('{"a": "\\ud83d"}', "line 1"),
        ('{"a": "\\ude00\\ud83d"}', "line 1"),
        ('{"a": 1}\n{"b": 2}', "line 2"),
        ('{"a": {"b": ' * 200 + "1" + "}}" * 200, "nested"),
        ('{"a": ' * 200_000, "nested"),
        ('a: "\\/"', r"line 1, column \d+: .*stands in quotes"),
        ('a: "x\\\\\\/"', "stands in quotes"),
        ('"\\/": a', "stands in quotes"),
        ('# JSON in a stream of documents\n{"a": "\\/"}', "stands in quotes"),
        ("%TAG ! tag:example,2000:\n---\na: 1\n", "line 1, column 1: .*a directive"),
        ("%YAML 1.1\n---\na: 1\n", "a directive"),
        ("a: 1\n...\n%TAG !e! tag:e,2000:\n---\nb: 1\n", "line 3, column 1: .*a directive"),
    ],
)
def test_what_kubernetes_refuses_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidManifest, match=problem):
        kubeyaml.read_all(text)


@pytest.mark.parametrize(
    "text", ['a: "\\/"', "%TAG ! tag:example,2000:\n---\na: 1\n", "%YAML 1.1\n---\na: 1\n", 'a: "\\ud83d\\ude00"']
)
def test_helm_refuses_the_same(helm: Path, tmp_path: Path, text: str) -> None:
    """In a template. The API server itself and Helm 3's values take directives; all else splits its input first."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: oracle\nversion: 1.0.0\n")
    (tmp_path / "templates/x.yaml").write_text(text)
    assert subprocess.run([helm, "template", tmp_path], capture_output=True, check=False).returncode == 1
    with pytest.raises(InvalidManifest):
        kubeyaml.read(text)


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
        with pytest.raises(InvalidManifest, match="can't be written"):
            dump({"x": [data]})


class TestAgainstHelm:
    """The oracle: Helm reads many documents in one run, with `fromYaml` in a template."""

    def test_dump_reads_the_same_in_helm(self, helm: Path, tmp_path: Path) -> None:
        documents = [{"v": text, text: "k"} for text in AMBIGUOUS]
        assert _read_by(helm, tmp_path, [dump(d) for d in documents]) == documents

    @settings(max_examples=5, phases=[Phase.generate])  # each example is a run of helm: too slow to shrink
    @given(data=st.lists(DATA, min_size=20, max_size=40))
    def test_any_data_reads_the_same_in_helm(
        self, helm: Path, tmp_path_factory: pytest.TempPathFactory, data: Any
    ) -> None:
        read = _read_by(helm, tmp_path_factory.mktemp("chart"), [dump({"v": item}) for item in data])
        assert read == [{"v": _as_helm(item)} for item in data]

    def test_scalars_mean_the_same(self, helm: Path, tmp_path: Path) -> None:
        documents = list(_scalars(2000))
        for document, theirs in zip(documents, _read_by(helm, tmp_path, documents), strict=True):
            ours = _read_or_refused(document)
            # Refused beyond Helm: keys that would lose digits.
            refused = isinstance(ours, str) and ("Error" in theirs or "a key is" in ours)
            assert refused or _as_helm(ours) == theirs, document


def _read_or_refused(document: str) -> object:
    try:
        return kubeyaml.read(document)
    except InvalidManifest as error:
        return error.problem


def _scalars(count: int) -> Any:
    chosen = random.Random(7)
    pieces = [
        *"yn~=_eE+-.:fF189",
        "on",
        "off",
        "yes",
        "null",
        ".inf",
        "true",
        "<<",
        "0x",
        "0o",
        "0b",
        "22",
        "2001-01-01",
    ]
    tags = ["", "", "", "", "! ", "!!str ", "!!int ", "!!float ", "!!bool ", "!!null ", "!x "]
    for number in range(count):
        text = chosen.choice(tags) + "".join(chosen.choices(pieces, k=chosen.randint(1, 5)))
        yield f"v: {text}" if number % 4 else f"{text} : v"


def _read_by(helm: Path, folder: Path, documents: list[str]) -> list[Any]:
    """What Helm makes of these documents. It keeps numbers as float64, and says errors under the key Error."""
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: oracle\nversion: 1.0.0\n")
    (folder / "documents.json").write_text(json.dumps(documents))
    (folder / "templates/read.yaml").write_text(
        '{{- $read := list }}\n{{- range .Files.Get "documents.json" | fromJsonArray }}'
        "{{ $read = append $read (fromYaml .) }}{{ end }}\nread: {{ $read | toJson | b64enc }}\n"
    )
    run = subprocess.run([helm, "template", folder], capture_output=True, text=True, check=True)
    read: list[Any] = json.loads(b64decode(run.stdout.partition("read: ")[2]), parse_int=float)
    return read


def _as_helm(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _as_helm(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_as_helm(value) for value in data]
    return float(data) if type(data) is int else data
