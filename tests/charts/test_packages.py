"""The packages of `make package`: what is in them, that they render as the checkout does, and their signatures."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from package_repository import Repository, contents, package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sidelane.pytest_plugin import Render

    Run = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[2]
CHARTS = sorted(path.parent for path in ROOT.glob("charts/*/Chart.yaml"))
INSTALLABLE = sorted(path.parents[1] for path in ROOT.glob("charts/*/ci/default-values.yaml"))
FIRST_DAY_OF_1980 = 315532800


def packaged(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {each.name: (archive.extractfile(each) or pytest.fail(each.name)).read() for each in archive}


def version(chart: Path) -> str:
    return str(yaml.safe_load((chart / "Chart.yaml").read_text())["version"])


def package_of(chart: Path, dist: Path) -> Path:
    return dist / f"{chart.name}-{version(chart)}.tgz"


@pytest.fixture(scope="session")
def dist(helm_named: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the checkout's charts, made from a copy with their links, beside which there is no git."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(ROOT / "charts", root / "charts", symlinks=True)
    said = package(root, helm=helm_named("helm3"))
    assert "not compared with earlier ones: there is no git checkout here" in said
    assert "symbolic link" not in said
    return root / "dist"


@pytest.fixture(scope="session")
def served(dist: Path) -> Iterator[str]:
    """The address of a web server that serves the packages, and nothing else."""
    handler = functools.partial(Quiet, directory=str(dist))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_every_chart_is_there_and_in_the_index_and_sums(dist: Path) -> None:
    expected = {f"{chart.name}-{version(chart)}.tgz" for chart in CHARTS}
    assert contents(dist).keys() == expected | {"index.yaml", "SHA256SUMS"}
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=dist, capture_output=True, text=True, check=True)
    assert sorted(sums.stdout.splitlines()) == sorted(f"{name}: OK" for name in [*expected, "index.yaml"])
    entries = yaml.safe_load((dist / "index.yaml").read_text())["entries"]
    assert {entry["urls"][0] for versions in entries.values() for entry in versions} == expected
    for line in (dist / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        if name != "index.yaml":
            assert entries[name.rpartition("-")[0]][0]["digest"] == digest


def test_the_bytes_follow_from_the_content_alone(dist: Path, helm_named: Callable[[str], Path], tmp_path: Path) -> None:
    # As a source distribution has the charts: no links, other times, other modes; and by the other Helm.
    shutil.copytree(ROOT / "charts", tmp_path / "charts")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            os.utime(path, (1e9, 1e9))
    package(tmp_path, helm=helm_named("helm4"))
    assert contents(tmp_path / "dist") == contents(dist)
    # Both may have been made within one second, so the dates themselves are looked at too.
    for path in dist.glob("*.tgz"):
        assert int.from_bytes(path.read_bytes()[4:8], "little") == FIRST_DAY_OF_1980
        with tarfile.open(path) as archive:
            assert {(each.mtime, each.mode, each.uid, each.uname) for each in archive} == {
                (FIRST_DAY_OF_1980, 0o644, 0, "")
            }


def test_a_package_holds_the_charts_linked_into_it_and_no_test_values(dist: Path) -> None:
    for chart in CHARTS:
        files = packaged(package_of(chart, dist))
        assert next(iter(files)) == f"{chart.name}/Chart.yaml"
        assert [name for name in files if "ci" in Path(name).parts[:-1]] == []
        every = [Path(at, name) for at, _, names in os.walk(chart, followlinks=True) for name in names]
        for file in (file for file in every if "ci" not in file.relative_to(chart).parts and file.name != "Chart.yaml"):
            assert files[f"{chart.name}/{file.relative_to(chart)}"] == file.read_bytes()


@pytest.mark.parametrize("chart", INSTALLABLE, ids=lambda chart: chart.name)
def test_a_package_renders_what_the_checkout_renders(sidelane_render: Render, dist: Path, chart: Path) -> None:
    """With the longest of its values files: that all its files are in the package is the claim of the test above."""
    flags = ["--values", max((chart / "ci").glob("*-values.yaml"), key=lambda file: file.stat().st_size)]
    (_, there), (_, made) = (sidelane_render.attempt(each, flags=flags) for each in (chart, package_of(chart, dist)))
    assert there.code == 0
    assert (made.stdout, made.stderr) == (there.stdout, "")


def test_helm_pulls_them_from_a_web_server(run: Run, dist: Path, served: str, tmp_path: Path) -> None:
    for chart in CHARTS:
        done = run("pull", chart.name, "--repo", served, "--version", version(chart), "--destination", tmp_path)
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path) == {name: file for name, file in contents(dist).items() if name.endswith(".tgz")}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def gnupg(unavailable: Callable[[str], None]) -> Iterator[Path]:
    """A home of gpg's with one key, in a folder whose path is short enough for its agent's socket."""
    if not shutil.which("gpg"):
        unavailable("no gpg here; GnuPG is a package of every system")
    with tempfile.TemporaryDirectory(prefix="gnupg") as home:
        gpg = ["gpg", "--quiet", "--batch", "--homedir", home]
        generate = ["--passphrase", "", "--quick-generate-key", "someone@example.org", "rsa2048", "sign", "1d"]
        subprocess.run([*gpg, *generate], check=True)
        for what, file in (("--export", "public.gpg"), ("--export-secret-keys", "secret.gpg")):
            subprocess.run([*gpg, "--output", f"{home}/{file}", what], check=True)
        yield Path(home)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


@pytest.fixture(scope="session")
def repository(gnupg: Path, helm_named: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with its packages, signed."""
    root = Repository(tmp_path_factory.mktemp("repository")).root
    package(root, "--sign-key", "someone@example.org", helm=helm_named("helm3"), GNUPGHOME=str(gnupg))
    return root


@pytest.fixture
def signed(repository: Path, tmp_path: Path) -> Path:
    """The signed packages of a repository."""
    return shutil.copytree(repository, tmp_path / "repository", symlinks=True) / "dist"


@pytest.mark.both_helms
def test_helm_verifies_them(run: Run, signed: Path, gnupg: Path) -> None:
    for name in ("app-1.2.3.tgz", "parts-0.1.0.tgz"):
        done = run("verify", signed / name, "--keyring", gnupg / "public.gpg")
        assert "Signed by: someone@example.org" in done.stdout, done.stderr
    with (signed / "app-1.2.3.tgz").open("ab") as file:
        file.write(b"\0")
    done = run("verify", signed / "app-1.2.3.tgz", "--keyring", gnupg / "public.gpg")
    assert done.returncode != 0
    assert "sha256 sum does not match" in done.stderr


@pytest.mark.both_helms
def test_helm_signs_what_was_packaged(run: Run, signed: Path, gnupg: Path, tmp_path: Path) -> None:
    with tarfile.open(signed / "app-1.2.3.tgz") as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(tmp_path)
    keys = ["--sign", "--key", "someone@example.org", "--keyring", gnupg / "secret.gpg"]
    done = run("package", tmp_path / "app", *keys, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    done = run("verify", tmp_path / "app-1.2.3.tgz", "--keyring", gnupg / "public.gpg")
    assert done.returncode == 0, done.stderr


def test_an_unknown_key_leaves_dist_as_it_was(signed: Path, gnupg: Path) -> None:
    before = contents(signed)
    said = package(signed.parent, "--sign-key", "nobody@example.org", ends_with=1, GNUPGHOME=str(gnupg))
    assert "gpg does not sign app-1.2.3.tgz: " in said
    assert contents(signed) == before
