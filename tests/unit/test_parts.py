"""A large input, read in parts: the same documents, lines and errors as of the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sidelane import kubeyaml
from sidelane.errors import InvalidManifest
from sidelane.kubeyaml import parts, reader

#: Documents and lines between them; each of the odd ones counts lines in its own way, or ends a document.
PIECES = (
    "a: 1\n", "# c\n---\nb: [x, &y 2, *y]\n", "---\n", "...\n", "text: |\n  ---\n  x\n", "k: v\r\nl: w\r\n",
    "# \x85\n", "# \u2028 x\n", "a: {b: 1, b: 2}\n", "---\n# Source: a/templates/b.yaml\nc: n\n", "%YAML 1.1\n",
    "d: [1\n", "é: ü\n", '"\n---\n"\n', "e: *gone\n", "\n", "f: .inf\n", "--- \ng: h\n", "---\n- 1\n",
    "x: &y 1\n---\nz: *y\n",
)  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "SMALLEST", 10)


def read(text: str, *, in_parts: bool) -> object:
    duplicates: list[kubeyaml.Duplicate] = []
    begun = parts.Reading(text.encode()) if in_parts else None
    try:
        return kubeyaml.read_documents(text, duplicates=duplicates, begun=begun), duplicates
    except InvalidManifest as error:
        return str(error)


_PIECES = st.lists(st.sampled_from(PIECES), max_size=8)


@given(_PIECES.map("".join) | _PIECES.map("---\n".join))
def test_parts_are_read_as_the_whole(text: str) -> None:
    assert read(text, in_parts=True) == read(text, in_parts=False)


def test_an_input_is_divided_at_its_documents() -> None:
    text = "---\n".join(f"# c\na: {n}\nb: {{c: 1, c: {n}}}\n" for n in range(20))
    whole = parts.Reading(text.encode()).whole()
    assert whole is not None
    assert [document.line for document in whole.documents] == [*range(2, 82, 4)]
    assert [duplicate.line for duplicate in whole.duplicates] == [*range(3, 83, 4)]


@pytest.mark.parametrize("limit", ["EVENT_LIMIT", "ALIAS_LIMIT"])
def test_the_limits_are_those_of_the_whole(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "---\n".join("a: &a 1\nb: [*a, *a, *a]\n" for _ in range(20))
    assert parts.Reading(text.encode()).whole() is not None
    monkeypatch.setattr(reader, limit, 55)
    refused = read(text, in_parts=True)
    assert refused == read(text, in_parts=False)
    assert "more than" in str(refused)


def test_a_duplicate_key_without_a_list_for_it_is_refused() -> None:
    text = "---\n".join("a: {b: 1, b: 2}\n" for _ in range(9))
    with pytest.raises(InvalidManifest, match="'b' is duplicated"):
        kubeyaml.read_documents(text, begun=parts.Reading(text.encode()))


def test_only_a_large_input_is_begun() -> None:
    text = b"---\na: b\n" * 40_000
    assert kubeyaml.begin(text[: 2**18]) is None
    assert (begun := kubeyaml.begin(text)) is not None
    assert begun.whole() is not None
    assert parts.Reading(text + b"\xff").whole() is None
