"""`make package`: its rules for a chart's version, and its refusals to package or to sign."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from archive import Package
from package_repository import Repository, contents, package
from sidelane.errors import Refused
from versions import Base, check


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_changed_chart_is_refused_until_its_version_rises(repository: Repository) -> None:
    assert "not compared with earlier ones: no earlier tag is there" in package(repository.root)
    before = contents(repository.root / "dist")
    repository.write("charts/app/templates/more.yaml", "")
    repository.write("charts/app/templates/_app.tpl", "{{/* other */}}")
    said = package(repository.root, ends_with=1)
    assert "compared with the last commit, for want of a tag:\n" in said
    assert "app is 1.2.3 and was 1.2.3; the next free version is 1.2.4:\n" in said
    assert "    changed templates/_app.tpl\n    added templates/more.yaml\n" in said
    assert "parts" not in said
    assert contents(repository.root / "dist") == before
    repository.chart("app", "1.3.0")
    assert "every chart that differs has a higher version" in package(repository.root)
    assert "app-1.3.0.tgz" in contents(repository.root / "dist")
    assert "app-1.2.3.tgz" not in contents(repository.root / "dist")


def test_a_changed_library_changes_the_charts_that_it_is_linked_into(repository: Repository) -> None:
    repository.write("charts/parts/templates/_part.tpl", '{{ define "part" }}b{{ end }}')
    said = package(repository.root, ends_with=1)
    assert "app is 1.2.3 and was 1.2.3; the next free version is 1.2.4:\n" in said
    assert "    changed charts/parts/templates/_part.tpl\n" in said
    assert "parts is 0.1.0 and was 0.1.0; the next free version is 0.1.1:\n" in said
    repository.chart("parts", "0.1.1")
    said = package(repository.root, ends_with=1)
    assert "charts/app/Chart.yaml declares parts 0.1.0, and" in said
    assert "is 0.1.1; declare 0.1.1 there" in said
    dependency = {"name": "parts", "version": "0.1.1", "repository": "file://../parts"}
    repository.chart("app", "1.2.3", dependencies=[dependency])
    assert "app is 1.2.3 and was 1.2.3" in package(repository.root, ends_with=1)
    repository.chart("app", "1.2.4")
    package(repository.root)


@pytest.mark.parametrize(
    ("before", "now", "free"),
    [
        ("1.2.3", "1.2.2", "1.2.4"),
        ("1.2.3", "1.2.3-rc.1", "1.2.4"),
        ("1.2.3", "1.2.3+build.2", "1.2.4"),
        ("2.0.0-rc.1", "2.0.0-rc.1", "2.0.0-rc.2"),
        ("0.10.0", "0.9.0", "0.10.1"),
    ],
)
def test_a_version_rises_as_semantic_versions_do(before: str, now: str, free: str) -> None:
    earlier, base = {"app": Package("app", before, {"a": b"1"})}, Base("v1", "the tag v1")
    with pytest.raises(Refused, match=re.escape(f"app is {now} and was {before}; the next free version is {free}:")):
        check([Package("app", now, {"a": b"2"})], earlier, base)
    check([Package("app", free, {"a": b"2"})], earlier, base)
    check([Package("app", now, {"a": b"1"})], earlier, base)


def test_what_no_package_holds_needs_no_version(repository: Repository) -> None:
    repository.write("charts/app/ci/full-values.yaml", "a: 1")
    repository.write("README.md", "…")
    assert "every chart that differs has a higher version" in package(repository.root)


def test_a_new_chart_and_a_removed_one_are_free(repository: Repository) -> None:
    repository.chart("other", "0.0.1")
    shutil.rmtree(repository.root / "charts/app")
    package(repository.root)
    made = {name for name in contents(repository.root / "dist") if name.endswith(".tgz")}
    assert made == {"other-0.0.1.tgz", "parts-0.1.0.tgz"}


def test_the_last_tag_is_what_counts(repository: Repository) -> None:
    repository.git("tag", "v1")
    repository.write("charts/app/templates/_app.tpl", "{{/* other */}}")
    repository.commit()
    repository.commit()
    said = package(repository.root, ends_with=1)
    assert "compared with the tag v1:" in said
    repository.chart("app", "1.2.4")
    repository.commit()
    assert "compared with the tag v1: every chart" in package(repository.root)
    assert "compared with HEAD: every chart" in package(repository.root, "--since", "HEAD")


def test_a_tagged_commit_is_compared_with_the_tag_before(repository: Repository) -> None:
    repository.git("tag", "v1")
    repository.write("charts/app/templates/_app.tpl", "{{/* other */}}")
    repository.commit(tag="v2")
    repository.git("tag", "also-v2")
    assert "compared with the tag v1:" in package(repository.root, ends_with=1)
    # What is on top of a tagged commit is compared with that one.
    repository.write("charts/parts/templates/_part.tpl", '{{ define "part" }}b{{ end }}')
    assert "v2:\n" in package(repository.root, ends_with=1)


def test_a_shallow_clone_that_shows_no_tag_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.git("tag", "v1")
    repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.root}", str(clone))
    said = package(clone, ends_with=1)
    assert "shallow" in said
    assert "git fetch --unshallow --tags" in said
    assert not (clone / "dist").exists()
    assert "compared with HEAD" in package(clone, "--since", "HEAD")


def test_an_unknown_revision_is_refused(repository: Repository) -> None:
    assert "'v9' is not a commit here" in package(repository.root, "--since", "v9", ends_with=1)


def test_a_folder_inside_another_repository_is_not_compared(repository: Repository) -> None:
    inside = repository.root / "unpacked"
    shutil.copytree(repository.root / "charts", inside / "charts")
    assert "versions are not compared" in package(inside)


@pytest.mark.parametrize("version", ["1.2", "none"])
def test_a_chart_that_could_not_be_packaged_before_is_new(repository: Repository, version: str) -> None:
    repository.chart("app", version)
    repository.commit()
    package(repository.root, ends_with=3 if version == "none" else 1)
    repository.chart("app", "0.0.1")
    assert "app is not compared: " in package(repository.root)


def test_a_chart_that_is_not_declared(repository: Repository) -> None:
    # As `helm dependency build` leaves it, beside the link.
    package(repository.root)
    shutil.copy(repository.root / "dist/parts-0.1.0.tgz", repository.root / "charts/app/charts")
    said = package(repository.root, ends_with=1)
    assert "charts/app/charts/parts-0.1.0.tgz is not one of the charts that" in said
    (repository.root / "charts/app/charts/parts-0.1.0.tgz").unlink()
    repository.chart("app", "1.2.4", dependencies=[])
    assert "charts/app/charts/parts is not one of the charts that" in package(repository.root, ends_with=1)


def test_a_chart_that_is_declared_and_missing(repository: Repository) -> None:
    (repository.root / "charts/app/charts/parts").unlink()
    assert "missing in charts/ directory: parts" in package(repository.root, ends_with=3)


def test_a_link_that_leads_nowhere(repository: Repository) -> None:
    (repository.root / "charts/app/files").symlink_to("../../nowhere")
    assert "charts/app/files can't be read" in package(repository.root, ends_with=1)


def test_what_is_not_committed_is_said_and_not_signed(repository: Repository) -> None:
    assert "of no commit" not in package(repository.root)
    repository.write("charts/app/notes.orig", "git ignores it, and Helm does not")
    repository.chart("app", "1.2.4")
    said = package(repository.root)
    assert "of no commit" in said
    assert "charts/app/notes.orig" in said
    assert "are not signed" in package(repository.root, "--sign-key", "any", ends_with=1)


def test_the_index_is_dated_by_the_environment_or_the_commit(repository: Repository) -> None:
    def dates() -> set[str]:
        index = yaml.safe_load((repository.root / "dist/index.yaml").read_text())
        return {index["generated"], *(each["created"] for versions in index["entries"].values() for each in versions)}

    package(repository.root)
    assert dates() == {"2026-11-24T12:00:00Z"}
    package(repository.root, SOURCE_DATE_EPOCH="1000000000")
    assert dates() == {"2001-09-09T01:46:40Z"}
    assert "SOURCE_DATE_EPOCH is 'now'" in package(repository.root, ends_with=1, SOURCE_DATE_EPOCH="now")


def test_other_files_of_dist_stay(repository: Repository) -> None:
    for name in ("sidelane-0.1.0-py3-none-any.whl", "old-0.1.0.tgz", "old-0.1.0.tgz.prov"):
        repository.write(f"dist/{name}", "")
    package(repository.root)
    assert contents(repository.root / "dist").keys() == {
        *("sidelane-0.1.0-py3-none-any.whl", "app-1.2.3.tgz", "parts-0.1.0.tgz", "index.yaml", "SHA256SUMS")
    }
