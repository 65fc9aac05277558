"""The parts for CI systems, each run as far as it goes without the service: its script on a made-up workspace."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from generated import tiny_chart

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
COMPONENT = list(yaml.safe_load_all((ROOT / "templates" / "check.yml").read_text()))
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository with a chart that keeps the conventions in each of its values files, and one that does not."""
    good = tiny_chart(tmp_path / "work" / "charts" / "good")
    (good / "ci").mkdir()
    (good / "values.yaml").write_text('Version: ""\nBuild: ""\nname: ""\nserviceVersion: v1\nreplicas: 1\ntext: ""\n')
    for number in (1, 2):
        (good / "ci" / f"{number}-values.yaml").write_text(f"name: svc{number}\n")
    bad = tiny_chart(tmp_path / "work" / "charts" / "bad")
    (bad / "values.yaml").write_text("name: svc1\nserviceVersion: v1\nreplicas: 1\ntext: x\n")
    template = bad / "templates" / "c.yaml"
    template.write_text(template.read_text().replace("-{{ $lane }}\n  labels", "\n  labels"))
    return tmp_path / "work"


@pytest.fixture
def run(workspace: Path, helm: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command in the workspace, with the test's Helm and this checkout's Sidelane on PATH."""

    def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(helm.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "SIDELANE_"))}
        return subprocess.run(
            list(map(str, command)),
            cwd=workspace,
            env={**inherited, "PATH": path, "RUNNER_TEMP": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def of_action(charts: str, tmp_path: Path, **inputs: str) -> dict[str, str]:
    """The environment of the action's second step."""
    step = ACTION["runs"]["steps"][1]
    assert set(step["env"]) == {"ACTION", "CHARTS", "LANE", "STRICT", "SIDE_BY_SIDE"}
    given = {"CHARTS": charts, "LANE": "coco-1", "STRICT": "false", "SIDE_BY_SIDE": "false", **inputs}
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    return {**given, **files}


SCRIPT = ROOT / "ci" / "integrations" / "action.sh"


def test_the_action_annotates_what_it_finds_and_writes_sarif_and_a_summary(run: Any, tmp_path: Path) -> None:
    done = run(SCRIPT, **of_action("charts/good\n\ncharts/bad\n", tmp_path))
    assert done.returncode == 1, done.stderr
    assert re.search(r"^::error .*charts/bad/templates/c\.yaml.*lane-suffix", done.stdout, re.MULTILINE)
    assert "charts/good" not in done.stdout
    assert "lane-suffix" in (tmp_path / "summary.md").read_text()
    folder = Path((tmp_path / "output").read_text().strip().removeprefix("sarif="))
    (results,) = [json.loads(file.read_text())["runs"][0]["results"] for file in folder.glob("*.sarif")]
    places = {place["physicalLocation"]["artifactLocation"]["uri"] for each in results for place in each["locations"]}
    assert places == {"charts/bad/templates/c.yaml"}


def test_the_action_passes_clean_charts_side_by_side_and_refuses_none(run: Any, tmp_path: Path) -> None:
    done = run(SCRIPT, **of_action("charts/good", tmp_path, STRICT="true", SIDE_BY_SIDE="true"))
    assert (done.returncode, done.stdout.count("::error")) == (0, 0), done.stdout + done.stderr
    assert len(list((tmp_path / "sidelane-sarif").iterdir())) == 2
    none = run(SCRIPT, **of_action("\n", tmp_path))
    assert (none.returncode, "names no chart" in none.stdout) == (2, True)
    missing = run(SCRIPT, **of_action("charts/missing\ncharts/bad", tmp_path))
    assert (missing.returncode, "charts/bad" in missing.stdout) == (3, True)  # it goes on, and the worst counts


def test_inputs_of_the_action_are_never_code(run: Any, tmp_path: Path) -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
    evil = f"charts/good$(touch {tmp_path}/evil)`touch {tmp_path}/evil`; touch {tmp_path}/evil"
    assert run(SCRIPT, **of_action(evil, tmp_path, LANE="coco-1; false")).returncode
    assert not (tmp_path / "evil").exists()


def test_the_hook_checks_a_chart_when_one_of_its_files_changes(run: Any) -> None:
    assert HOOK["pass_filenames"] is False
    assert run(*shlex.split(HOOK["entry"]), "./charts/bad", "--lane=coco-1").returncode == 1
    values = "--values=charts/good/ci/1-values.yaml"
    assert run(*shlex.split(HOOK["entry"]), "./charts/good", "--lane=coco-1", values).returncode == 0
    for file in ("charts/a/Chart.yaml", "charts/a/templates/x/y.tpl", "sidelane.yaml", "charts/a/values.schema.json"):
        assert re.search(HOOK["files"], file)
    for file in ("README.md", "charts/a/README.md", "src/Chart.yaml.py"):
        assert not re.search(HOOK["files"], file)


def test_the_component_writes_a_code_quality_report(run: Any, workspace: Path) -> None:
    spec, jobs = COMPONENT
    job = jobs["sidelane-check"]
    for text in job["variables"].values():
        name = re.fullmatch(r"\$\[\[ inputs\.([a-z-]+) \]\]", text)
        assert name
        assert name[1] in spec["spec"]["inputs"]
    (script,) = job["script"]
    assert "$[[" not in script
    lane = {"SIDELANE_CHECK_LANE": "coco-1"}
    assert run("bash", "-e", "-c", script, SIDELANE_CHARTS="charts/good charts/bad", **lane).returncode == 1
    (report,) = [json.loads(file.read_text()) for file in workspace.glob(job["artifacts"]["reports"]["codequality"])]
    assert {each["location"]["path"] for each in report} == {"charts/bad/templates/c.yaml"}
    assert run("bash", "-e", "-c", script, SIDELANE_CHARTS="charts/good", **lane).returncode == 0
