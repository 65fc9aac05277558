"""Conventions files: their reader, the search for them, and the presets."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sidelane import kubeyaml
from sidelane.checks import conventions
from sidelane.checks.conventions.file import schema
from sidelane.checks.findings import Report
from sidelane.cli.conventions import Init, init
from sidelane.errors import InvalidConventions, InvalidInput
from sidelane.manifest import Manifest
from sidelane.support.schemas import problems

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: sidelane.dev/v1alpha1\nkind: Conventions\n"


def read(text: str) -> conventions.Conventions:
    return conventions.read((HEAD + text).encode(), "sidelane.yaml")


@pytest.mark.parametrize("name", conventions.PRESETS)
def test_presets_have_the_format_of_a_file(name: str) -> None:
    text = conventions.preset_text(name)
    assert problems(schema(), kubeyaml.read(text)) == ()
    own = conventions.preset(name)
    copy = conventions.read(text.replace("kind: Conventions", f"kind: Conventions\nextends: {name}").encode(), "x")
    assert copy == own._replace(source="x", demanded=True)


def test_a_file_changes_its_preset() -> None:
    own = read(
        "names: {ConfigMap: '{component}-{lane}'}\nlabels: {app: null, team: '{name}'}\n"
        "rules: {list-keys: off, text-fields: warning}\nvalues: {version: image.tag}\n"
        "leaveOut: {subcharts: [redis], hooks: [test]}\ncomponents: [zk]\n"
    )
    contract = conventions.preset("sidelane")
    assert own.names_of("ConfigMap") == ("{component}-{lane}",)
    assert own.names_of("Secret") == contract.names_of("Secret")
    assert own.labels == {**{k: v for k, v in contract.labels.items() if k != "app"}, "team": "{name}"}
    assert [own.severity_of(rule) for rule in ("list-keys", "text-fields", "other")] == ["off", "warning", "error"]
    assert own.severity_of("other", "warning") == "warning"
    assert (own.version_key, own.build_key, own.subcharts, own.hooks) == ("image.tag", "", ("redis",), ("test",))
    assert (own.preset, own.demanded, contract.demanded) == ("sidelane", True, False)


def test_presets_differ_in_lanes() -> None:
    assert conventions.preset("sidelane").has_lanes
    assert not read("extends: helm\n").has_lanes
    assert read("extends: helm\nlabels: {acme.com/lane: '{lane}'}\n").lane_label == "acme.com/lane"
    with pytest.raises(InvalidInput, match=r"'other' is not a preset; choose one of sidelane, helm"):
        conventions.preset("other")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("extend: helm\n", ["extend: unknown key 'extend'; did you mean 'extends'?"]),
        ("rules: {lane-suffix: info}\n", ["rules.lane-suffix: 'info' is not one of"]),
        ("rules: {list-key: off}\n", ["rules[list-key]: 'list-key' is not a rule; did you mean list-keys?"]),
        (
            "exceptions: [{rule: shared-object, reason: x}]\n",
            ["exceptions[0].rule: 'shared-object' is not a rule; did you mean shared-objects?"],
        ),
        ("exceptions: [{rule: list-keys}]\n", ["exceptions[0].reason: is required but missing"]),
        ("exceptions: [{rule: a, reason: b, until: soon}]\n", ["exceptions[0].until: 'soon' is not text that matches"]),
        ("names: {'*': '{component}-{bulid}'}\n", ["names[*]: {bulid} is not a placeholder; choose from {component}"]),
        ("names: 1\nlabels: []\n", ["labels: a list is not a mapping", "names: 1 is not a mapping"]),
    ],
)
def test_mistakes_have_their_path(text: str, messages: list[str]) -> None:
    with pytest.raises(InvalidConventions) as refused:
        read(text)
    assert len(refused.value.errors) == len(messages)
    for error, message in zip(refused.value.errors, messages, strict=True):
        assert message in error
    assert "schemas/conventions.schema.json" in refused.value.remedy


def test_a_file_that_is_no_mapping() -> None:
    with pytest.raises(InvalidConventions, match="it holds no mapping"):
        conventions.read(b"- a\n", "sidelane.yaml")


def test_the_nearest_file_above_counts_up_to_the_repository(tmp_path: Path) -> None:
    chart = tmp_path / "repo" / "charts" / "demo"
    chart.mkdir(parents=True)
    (tmp_path / "sidelane.yaml").write_text(HEAD + "extends: helm\n")
    assert conventions.find(chart).preset == "helm"
    (tmp_path / "repo" / ".git").mkdir()
    assert conventions.find(chart) == conventions.preset("sidelane")
    (tmp_path / "repo" / "sidelane.yaml").write_text(HEAD + "rules: {list-keys: off}\n")
    assert conventions.find(chart / "values.yaml").source == str(tmp_path / "repo" / "sidelane.yaml")
    (chart / "sidelane.yaml").write_text(HEAD + "extends: helm\n")
    assert conventions.find(chart).source == str(chart / "sidelane.yaml")


def test_an_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="can't be read"):
        conventions.read_file(tmp_path / "absent.yaml")
    (tmp_path / "large.yaml").write_text("# " + "x" * 2**20)
    with pytest.raises(InvalidConventions, match="larger than 1024 KiB"):
        conventions.read_file(tmp_path / "large.yaml")


def test_a_first_file_is_whole_or_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sidelane.yaml"
    file.write_text("before")
    rendering = SimpleNamespace(
        manifest=Manifest.read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"), release="a"
    )
    arguments = (str(tmp_path), Init(None, "helm", force=True), None, lambda **_: (rendering, Report((), 1, ())))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        with pytest.raises(OSError, match="No space"):
            init(*arguments)
    assert file.read_text() == "before"
    init(*arguments)
    assert "extends: helm" in file.read_text()
    assert list(tmp_path.iterdir()) == [file]
