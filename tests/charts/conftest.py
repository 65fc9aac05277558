"""Rendering for the chart tests by the fixtures of our own pytest plugin: objects or a refusal out."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from sidelane.pytest_plugin import AssertRefused, Render

    Object = dict[str, Any]

CHARTS = Path(__file__).resolve().parents[2] / "charts"


@pytest.fixture(scope="session")
def charts() -> Path:
    """The folder of the charts."""
    return CHARTS


@pytest.fixture
def sidelane_helm(helm: Path) -> Path:
    """The Helm of the pytest plugin's fixtures."""
    return helm


@pytest.fixture
def render(render: Render) -> Callable[..., list[Object]]:
    """The objects that a chart renders, as plain data. The plugin's own fixture names chart and release as here."""

    def plain(chart: str | Path, *flags: object, values: Object | None = None) -> list[Object]:
        return [dict(resource.body) for resource in render(CHARTS / chart, flags=flags, values=values)]

    return plain


@pytest.fixture
def refusal(assert_refused: AssertRefused) -> Callable[..., str]:
    """Helm's error for a chart that it refuses to render."""

    def refusal(chart: str | Path, *flags: object, values: Object | None = None) -> str:
        return assert_refused(values, chart=CHARTS / chart, flags=flags)

    return refusal


@pytest.fixture
def refusals(refusal: Callable[..., str]) -> Callable[..., list[str]]:
    """Helm's errors for a chart that it must refuse with the schema and without it, as a user can switch it off.

    One error is for both when a template refuses values that the schema takes.
    """

    def refusals(chart: str | Path, *flags: object, values: Object | None = None) -> list[str]:
        said = refusal(chart, *flags, values=values)
        if "execution error at" in said:
            return [said]
        return [said, refusal(chart, *flags, "--skip-schema-validation", values=values)]

    return refusals


@pytest.fixture
def run(helm: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Helm with these arguments, for what is no rendering; ``values`` travel in a file, as a user's do."""

    def run(*arguments: object, values: object = None) -> subprocess.CompletedProcess[str]:
        command = [str(helm), *map(str, arguments)]
        if values is not None:
            file = tmp_path / "values.yaml"
            file.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
            command += ["--values", str(file)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run


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
