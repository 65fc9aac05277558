"""The outputs and exit codes of `sidelane check`, on manifests, which need no Helm."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sidelane.checks import engine
from sidelane.checks.rules import RULES
from sidelane.cli import sidelane
from sidelane.cli.reporting import Output, Reporting, finish
from sidelane.manifest import Manifest
from sidelane.support import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: zk-coco-1\n  labels: {sidelane.dev/lane: 2-coco-1}\n"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Checks BAD, in an empty folder, and returns the result with its outputs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.yaml").write_text(BAD)

    def run(*arguments: str, code: int = 1, subject: str = "in.yaml", **variables: str) -> Any:
        done = CliRunner().invoke(sidelane, ["check", subject, *arguments], env=variables)
        assert done.exit_code == code, done.output
        return done

    return run


def test_one_run_writes_several_formats(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "out.sarif").write_text("an older one")
    done = check("-o", "text", "-o", "sarif=out.sarif", "-o", "junit=out.xml", "--output", "json=out.json")
    assert done.stdout.startswith("in.yaml:1: ConfigMap zk-coco-1\n")
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"
    assert (tmp_path / "out.xml").read_text().startswith("<?xml")
    assert not json.loads((tmp_path / "out.json").read_text())["clean"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.yaml", "out.json", "out.sarif", "out.xml"]
    assert check("-o", "gitlab=out.json").stdout == ""


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (["-o", "xml"], "'xml' is not a report format; choose one of text, json"),
        (["-o", "sarif="], "'sarif=' names no file; write sarif=FILE"),
        (["-o", "text", "-o", "json"], "cannot both go to standard output; write one to a file with json=FILE"),
        (["--baseline", "none.json"], "the file 'none.json' can't be read"),
        (["--baseline", "in.yaml"], "'in.yaml' is not a baseline"),
    ],
)  # fmt: skip
def test_wrong_usage(check: Callable[..., Any], outputs: list[str], message: str) -> None:
    assert message in " ".join(check(*outputs, code=2).stderr.split())


def test_a_check_that_is_not_possible_is_no_finding(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "empty.yaml").write_text("")
    assert check(subject="broken.yaml", code=3).stderr.startswith("Error: broken.yaml")
    error = json.loads(check("-o", "json", "-o", "text=out.txt", subject="empty.yaml", code=3).stderr)
    assert error["problem"] == "empty.yaml: there is no object to check"
    assert not (tmp_path / "out.txt").exists()


def test_a_baseline_hides_what_it_knows(check: Callable[..., Any], tmp_path: Path) -> None:
    findings = json.loads(check("-o", "json").stdout)["findings"]
    done = check("--write-baseline", "baseline.json", code=0)
    assert "[lane-suffix]" in done.stdout  # the findings are shown once
    assert done.stderr == f"baseline.json: {len(findings)} findings written\n"
    done = check("--baseline", "baseline.json", code=0)
    assert done.stdout.startswith(f"{len(findings)} findings known from baseline.json\n\n1 object, ")
    assert done.stdout.endswith(" rules: clean\n")
    (tmp_path / "in.yaml").write_text(BAD.replace("zk-coco-1", "zk-2-coco-1"))
    done = check("--baseline", "baseline.json", code=1)
    assert "gone since baseline.json: ConfigMap zk-coco-1 metadata.name [lane-suffix]" in " ".join(done.stdout.split())


def test_warnings_fail_only_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    def code(**wishes: Any) -> int:
        given = Reporting((Output("text"),), None, strict=False, baseline=None, write_baseline=None)
        try:
            finish(report, given._replace(**wishes), {})
        except SystemExit as ended:
            return int(str(ended.code))
        return 0

    report = engine.check(Manifest.read(BAD), rules=[rule._replace(severity="warning") for rule in RULES[:1]])
    assert code() == 0
    assert capsys.readouterr().out.endswith(": 1 warning\n")
    assert code(strict=True) == 1
    assert capsys.readouterr().out.endswith(": 1 warning\n")
    assert code(strict=True, min_severity="error") == 0
    assert capsys.readouterr().out == "1 object, 1 rule: clean\n"


def test_github_gets_annotations_and_the_job_s_summary(check: Callable[..., Any], tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Other steps\n")
    done = check("-o", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert done.stdout.startswith("::error file=in.yaml,line=1,title=ConfigMap zk-coco-1 [lane-")
    assert summary.read_text().startswith("# Other steps\n### Sidelane: 1 object, ")
    assert "errors\n\n<pre>\nin.yaml:1: ConfigMap zk-coco-1\n" in summary.read_text()
    check("-o", "text", GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_text().count("###") == 1


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    files.replace(file, b"one")
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~_umask()
    file.chmod(0o640)
    link.symlink_to("file")
    reader = file.open("rb")
    files.replace(link, b"two")
    assert (reader.read(), file.read_bytes(), link.is_symlink()) == (b"one", b"two", True)
    reader.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    with pytest.raises(OSError, match="No such file"):
        files.replace(tmp_path / "no/file", b"")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.replace(pipe, b"three")
    assert os.read(reading, 10) == b"three"
    os.close(reading)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "link", "pipe"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
