"""Rendering for the chart tests: real Helm in, objects or a refusal out."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    Object = dict[str, Any]
    Run = Callable[..., subprocess.CompletedProcess[str]]

CHARTS = Path(__file__).resolve().parents[2] / "charts"


@pytest.fixture(scope="session")
def charts() -> Path:
    """The folder of the charts."""
    return CHARTS


@pytest.fixture(scope="session")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what Helm has rendered of our charts in this test run, which its processes share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "renders"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def run(helm: Path, tmp_path: Path, renders: Path) -> Run:
    """Runs Helm with these arguments; ``values`` travel in a file, as a user's do.

    The charts do not change while tests run: the same rendering of one is asked of the same Helm once.
    """

    def run(*arguments: object, values: object = None) -> subprocess.CompletedProcess[str]:
        command = [str(helm), *map(str, arguments)]
        text = json.dumps(values, ensure_ascii=False)
        if command[1] != "template" or Path(command[3]).parent != CHARTS:
            return called(command, text)
        kept = renders / hashlib.sha256(json.dumps([command, text]).encode()).hexdigest()
        if not kept.exists():
            done = called(command, text)
            made = tmp_path / "rendered.json"
            made.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
            made.replace(kept)
        return subprocess.CompletedProcess(command, *json.loads(kept.read_text()))

    def called(command: list[str], values: str) -> subprocess.CompletedProcess[str]:
        if values != "null":
            file = tmp_path / "values.yaml"
            file.write_text(values, encoding="utf-8")
            command = [*command, "--values", str(file)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.fixture
def render(run: Run) -> Callable[..., list[Object]]:
    """The objects that a chart renders. The release is called as the house calls it."""

    def render(chart: str | Path, *arguments: object, **options: object) -> list[Object]:
        done = run("template", "release", CHARTS / chart, *arguments, **options)
        assert done.returncode == 0, done.stderr
        return [item for item in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if item]

    return render


@pytest.fixture
def refusal(run: Run) -> Callable[..., str]:
    """What Helm says when it refuses to render a chart."""

    def refusal(chart: str | Path, *arguments: object, **options: object) -> str:
        done = run("template", "release", CHARTS / chart, *arguments, **options)
        assert done.returncode != 0, done.stdout
        return done.stderr

    return refusal


@pytest.fixture
def in_lane(render: Callable[..., list[Object]]) -> Callable[..., dict[str, Object]]:
    """A chart's objects in lane 2-coco-1, by kind and name without the lane: ``Service zk-cs``."""

    def in_lane(chart: str, *arguments: object, **values: object) -> dict[str, Object]:
        objects = render(chart, *arguments, values={"Version": "2-coco", "Build": "1", **values})
        return {f"{o['kind']} {o['metadata']['name'].removesuffix('-2-coco-1')}": o for o in objects}

    return in_lane


@pytest.fixture
def zookeeper(in_lane: Callable[..., dict[str, Object]]) -> Callable[..., dict[str, Object]]:
    """ZooKeeper's objects in lane 2-coco-1."""
    return partial(in_lane, "zookeeper")


@pytest.fixture
def nimbus(in_lane: Callable[..., dict[str, Object]]) -> Callable[..., dict[str, Object]]:
    """Nimbus' objects in lane 2-coco-1."""
    return partial(in_lane, "nimbus")


@pytest.fixture
def supervisor(in_lane: Callable[..., dict[str, Object]]) -> Callable[..., dict[str, Object]]:
    """The supervisors' objects in lane 2-coco-1."""
    return partial(in_lane, "supervisor")


@pytest.fixture
def ui(in_lane: Callable[..., dict[str, Object]]) -> Callable[..., dict[str, Object]]:
    """The UI's objects in lane 2-coco-1."""
    return partial(in_lane, "ui")


@pytest.fixture
def throwaway(tmp_path: Path) -> Callable[[str], Path]:
    """A chart of one template that uses charts/common, as anyone's chart would."""

    def throwaway(template: str) -> Path:
        chart = tmp_path / "chart"
        (chart / "templates").mkdir(parents=True)
        (chart / "charts").mkdir()
        (chart / "charts" / "common").symlink_to(CHARTS / "common")
        dependency = {"name": "common", "version": "0.1.0", "repository": "file://../common"}
        metadata = {"apiVersion": "v2", "name": "chart", "version": "1.0.0", "dependencies": [dependency]}
        (chart / "Chart.yaml").write_text(json.dumps(metadata))
        (chart / "templates" / "template.yaml").write_text(template)
        return chart

    return throwaway
