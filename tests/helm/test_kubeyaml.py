"""YAML is read as Helm reads it, held against Helm itself."""

from __future__ import annotations

import json
import random
import subprocess
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sidelane import kubeyaml
from sidelane.errors import InvalidManifest
from sidelane.kubeyaml.writer import dump
from yaml_data import AMBIGUOUS, DATA

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.both_helms


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
    """Helm's reading of these documents. Numbers are float64, and errors stand under the key Error."""
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
