"""`sidelane check` of many charts and manifests, of what changed since a revision, and of what is deployed."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}", labels: {app.kubernetes.io/instance: "{{ .Release.Name }}"}}
spec:
  selector: {app.kubernetes.io/instance: "{{ .Release.Name }}"}
  ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Values.settings }}", labels: {app.kubernetes.io/instance: "{{ .Release.Name }}"}}
"""


def write(folder: Path, name: str, *ci: str, needs: str = "", type_: str = "application") -> Path:
    """Writes a chart without lanes, whose ConfigMap has the name of a value. ci: that value in each of its files."""
    chart = folder / name
    (chart / "templates").mkdir(parents=True)
    dependencies = f"dependencies: [{{name: {needs}, version: 0.1.0, repository: 'file://../{needs}'}}]\n" * bool(needs)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 0.1.0\ntype: {type_}\n{dependencies}")
    (chart / "values.yaml").write_text("settings: release-name-settings\n")
    if type_ == "application":
        (chart / "templates" / "all.yaml").write_text(SERVICE)
    (chart / "ci").mkdir()
    for number, settings in enumerate(ci):
        (chart / "ci" / f"{number}-values.yaml").write_text(f"settings: {settings}\n")
    return chart


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with two charts, a library, and conventions; `shop` has a wrong name in one of two files."""
    write(tmp_path / "charts", "bank")
    write(tmp_path / "charts", "shop", "release-name-a", "shared")
    write(tmp_path / "charts", "base", type_="library")
    (tmp_path / "sidelane.yaml").write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: Conventions\nextends: helm\nrules: {name-pattern: error}\n"
    )
    for command in ("init -q -b main", "add charts sidelane.yaml", "commit -qm charts"):
        git(tmp_path, *command.split())
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_folder_of_charts_is_checked_with_every_values_file(sidelane: CommandLine, repository: Path) -> None:
    done = sidelane("check", "./charts", code=1)
    assert "charts/shop with ci/1-values.yaml: 1 error" in done.stdout
    assert "bank" not in done.stdout, "it has no finding"
    assert "6 objects" in done.stdout, "bank once, shop twice, and nothing of the library"
    report = sidelane.json("check", "./charts/shop", "./charts/bank", "--ci-values", code=1)
    assert [(each["object"]["name"], each["source"]) for each in report["findings"]] == [
        ("shared", "charts/shop/templates/all.yaml")
    ]


def test_an_equal_finding_of_several_files_is_shown_once(sidelane: CommandLine, repository: Path) -> None:
    (repository / "charts" / "shop" / "ci" / "0-values.yaml").write_text("settings: shared\n")
    report = sidelane.json("check", "./charts/", code=1)
    assert len(report["findings"]) == 1
    assert len([note for note in report["notes"] if note.endswith("-values.yaml: 1 error")]) == 2


def test_given_values_override_those_of_the_files(sidelane: CommandLine, repository: Path) -> None:
    assert "clean" in sidelane("check", "./charts", "--set", "settings=release-name-x").stdout


def test_manifests_are_checked_beside_charts(sidelane: CommandLine, repository: Path) -> None:
    (repository / "object.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, name: b}\n")
    assert "3 objects" in sidelane("check", "./charts/bank", "object.yaml", code=1).stdout


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_chart_that_does_not_render_does_not_hide_the_others(
    sidelane: CommandLine, repository: Path, output: str
) -> None:
    write(repository / "charts", "lonely", needs="bank")
    done = sidelane("check", "./charts", "-o", output, code=3)
    assert "shared" in done.stdout
    assert "`helm dependency build charts/lonely`" in done.stderr
    if output == "json":
        assert json.loads(done.stderr)["chart"] == "charts/lonely"
    else:
        assert done.stderr.startswith("Error: charts/lonely: charts that this one depends on are not in its folder")


def test_only_what_changed_is_checked(sidelane: CommandLine, repository: Path) -> None:
    nothing = sidelane("check", "./charts", "--since", "main")
    assert nothing.stderr == "nothing of ./charts changed since main\n"
    git(repository, "checkout", "-qb", "work")
    (repository / "charts" / "bank" / "templates" / "new.yaml").write_text("# not committed\n")
    assert "2 objects" in sidelane("check", "./charts", "--since", "main").stdout
    git(repository, "add", "."), git(repository, "commit", "-qm", "bank")
    assert "2 objects" in sidelane("check", "./charts", "--since", "main").stdout
    assert "nothing" in sidelane("check", "./charts", "--since", "HEAD").stderr


def test_what_changed_on_the_other_branch_does_not_count(sidelane: CommandLine, repository: Path) -> None:
    git(repository, "branch", "work")
    (repository / "charts" / "shop" / "values.yaml").write_text("settings: other\n")
    git(repository, "commit", "-qam", "on main"), git(repository, "checkout", "-q", "work")
    assert "nothing" in sidelane("check", "./charts", "--since", "main").stderr


def test_dependencies_and_conventions_count_as_changes(sidelane: CommandLine, repository: Path) -> None:
    chart = write(repository / "charts", "cart", needs="base")
    (chart / "charts").mkdir()
    (chart / "charts" / "base").symlink_to("../../base")
    git(repository, "add", "."), git(repository, "commit", "-qm", "cart")
    (repository / "charts" / "base" / "values.yaml").write_text("base: 1\n")
    assert "2 objects" in sidelane("check", "./charts", "--since", "HEAD").stdout
    (repository / "sidelane.yaml").write_text((repository / "sidelane.yaml").read_text() + "# changed\n")
    assert "8 objects" in sidelane("check", "./charts", "--since", "HEAD", code=1).stdout


@pytest.mark.parametrize("revision", ["nowhere", "--output=stolen", ""])
def test_an_unknown_revision_is_an_error(sidelane: CommandLine, repository: Path, revision: str) -> None:
    error = sidelane("check", "./charts", f"--since={revision}", code=2).stderr
    assert f"git can't compare with {revision!r}" in error
    assert not (repository / "stolen").exists()


def test_without_a_repository_there_is_no_since(sidelane: CommandLine, tmp_path: Path) -> None:
    write(tmp_path, "bank")
    assert "this folder is in none" in sidelane("check", "./bank", "--since", "main", code=2).stderr


def test_what_is_deployed_in_a_directory_is_checked(sidelane: CommandLine, tmp_path: Path) -> None:
    place = ("--directory", "releases", "-n", "streams")
    for chart in ("zookeeper", "nimbus"):
        sidelane("install", chart, "--lane", "coco-1", *place)
    whole = sidelane("check", "--deployed", "--lane", "coco-1", *place).stdout
    alone = sidelane("check", "--deployed", "zookeeper-coco-1", *place).stdout
    assert "clean" in whole
    assert "clean" in alone
    assert int(alone.split()[0]) < int(whole.split()[0])
    missing = sidelane("check", "--deployed", "--lane", "coco-2", *place, code=3)
    assert "the lane coco-2 has no release" in missing.stderr
    assert "there is no release in namespace other" in sidelane(
        "check", "--deployed", "--directory", "releases", "-n", "other", code=3
    ).stderr  # fmt: skip


def test_a_deployed_release_is_held_to_its_own_conventions(sidelane: CommandLine, repository: Path) -> None:
    place = ("--directory", "releases", "-n", "streams")
    sidelane("install", "./charts/bank", "--lane", "coco-1", "--preset", "helm",
             "--set", "settings=bank-coco-1-settings", *place)  # fmt: skip
    (repository / "sidelane.yaml").unlink()
    assert "clean" in sidelane("check", "--deployed", *place).stdout
    strict = sidelane("check", "--deployed", "--preset", "sidelane", *place, code=1).stdout
    assert "[lane-labels]" in strict


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Missing argument"),
        (("-", "a.yaml"), "- is standard input, and is checked alone"),
        (("a", "b", "--init"), "--init needs one chart"),
        (("--deployed", "--side-by-side"), "--deployed can't be used with"),
        (("a.yaml", "./b", "--side-by-side"), "--side-by-side needs a chart"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    sidelane: CommandLine, arguments: tuple[str, ...], problem: str
) -> None:
    assert problem in sidelane("check", *arguments, code=2).stderr


def test_several_charts_are_proven_side_by_side(sidelane: CommandLine, repository: Path) -> None:
    done = sidelane("check", "./charts", "--side-by-side", code=1)
    assert "shared" in done.stdout
    assert "charts/bank: 1 error" in done.stdout, "its ConfigMap has the same name in each release"
