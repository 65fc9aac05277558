"""A repository of two small charts, and `make package` run on it or on any other folder of charts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from warm_start import run

ROOT = Path(__file__).resolve().parents[1]


def package(root: Path, *arguments: str, helm: Path | None = None, ends_with: int = 0, **environment: str) -> str:
    """The output of `make package` for a folder with charts. ``helm`` is the one to find on PATH; else it is any."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME")} | environment
    if helm:
        folder = root / "programs"
        folder.mkdir(exist_ok=True)
        (folder / "helm").unlink(missing_ok=True)
        (folder / "helm").symlink_to(helm)
        environment["PATH"] = f"{folder}:{environment['PATH']}"
    command = [str(ROOT / "ci" / "packages" / "package.py"), "--root", str(root), *arguments]
    done = run(command, text=None, folder=root, environment=environment, timeout=None)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == ends_with, said
    return said


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Repository:
    """A git repository with two charts: ``app``, into which the library ``parts`` is linked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.chart("parts", "0.1.0", type="library")
        self.write("charts/parts/templates/_part.tpl", '{{ define "part" }}a{{ end }}')
        self.chart(
            "app", "1.2.3", dependencies=[{"name": "parts", "version": "0.1.0", "repository": "file://../parts"}]
        )
        self.write("charts/app/templates/_app.tpl", "")
        self.write("charts/app/.helmignore", "ci/\n")
        (root / "charts/app/charts").mkdir()
        (root / "charts/app/charts/parts").symlink_to("../../parts")
        self.write(".gitignore", "/dist/\n*.orig\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def chart(self, name: str, version: str, **more: object) -> None:
        """Writes a Chart.yaml; what it says besides stays as it was where it is not given."""
        path = self.root / "charts" / name / "Chart.yaml"
        before = json.loads(path.read_text()) if path.exists() else {"apiVersion": "v2", "name": name}
        self.write(f"charts/{name}/Chart.yaml", json.dumps({**before, "version": version, **more}))

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def git(self, *arguments: str) -> None:
        nobody = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        dates = {"GIT_COMMITTER_DATE": "2026-11-24T12:00:00Z", "GIT_CONFIG_GLOBAL": os.devnull}
        subprocess.run(["git", "-C", self.root, *arguments], check=True, env={**os.environ, **nobody, **dates})

    def commit(self, tag: str = "") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "…")
        if tag:
            self.git("tag", tag)
