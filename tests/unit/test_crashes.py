"""A rule that crashes is an error of ours in every way of use, and never a pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from sidelane.checks import baseline
from sidelane.checks.engine import check
from sidelane.checks.rules import syntax
from sidelane.cli import sidelane
from sidelane.manifest import Manifest

if TYPE_CHECKING:
    from pathlib import Path

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {a: b}\ndata:\n  a: one\n"
FAILED = "the rule failed with ZeroDivisionError"


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule name-limits fails, which holds a secret in its error."""

    def fail(_: object) -> str:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(syntax, "label_value", fail)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.usefixtures("crashing")
class TestACrash:
    @pytest.mark.parametrize("more", [[], ["--min-severity", "error"], ["--preset", "helm"], ["-o", "json"]])
    def test_fails_a_check(self, more: list[str], tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(OBJECT)
        done = CliRunner().invoke(sidelane, ["check", str(tmp_path / "a.yaml"), *more])
        assert done.exit_code == 1
        assert FAILED in words(done.output)
        assert "hunter2" not in done.output

    def test_is_in_no_baseline_and_is_hidden_by_none(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(OBJECT)
        file = str(tmp_path / "baseline.json")
        CliRunner().invoke(sidelane, ["check", str(tmp_path / "a.yaml"), "--write-baseline", file])
        data = json.loads((tmp_path / "baseline.json").read_text())
        assert "name-limits" not in {each["rule"] for each in data["findings"]}
        report = check(Manifest.read(OBJECT))
        (crash,) = [finding for finding in report.findings if finding.crash]
        known = (baseline.Known(crash.fingerprint, crash.rule, crash.place),)
        assert crash in baseline.without_known(report, known, "a").findings

    def test_refuses_what_helm_renders(self) -> None:
        done = CliRunner().invoke(sidelane, ["post-render"], input=OBJECT)
        assert done.exit_code == 1
        assert FAILED in words(done.stderr)
        assert done.stdout == ""


def test_helm_does_not_render_a_key_twice_past_us() -> None:
    done = CliRunner().invoke(sidelane, ["post-render"], input=f"{OBJECT}  a: two\n")
    assert done.exit_code == 1
    assert "the key 'a' is duplicated at line 8" in words(done.stderr)
