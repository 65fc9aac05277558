"""The pytest plugin: charts as tests without code, and fixtures that render charts and query their objects.

    pytest --sidelane-charts charts/

collects each chart with each of its ``ci/*-values.yaml`` files, and a test for each rule of its conventions. In a test
of your own the fixture ``render`` returns the typed objects of a chart:

    def test_replicas(render):
        rendered = render("charts/demo", values={"replicaCount": 3})
        assert rendered.deployment("release-demo")["spec"]["replicas"] == 3

- charts.py: the charts and values files to test;
- collecting.py: the collected tests;
- rendering.py: one Helm for each distinct rendering of a run;
- rendered.py: the typed result, its queries and their failures;
- asserting.py: what the assert fixtures do;
- places.py: templates in the repository, for messages.

pytest imports this module in each run where Sidelane is installed, so it imports the others only when they are used.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from sidelane.pytest_plugin.asserting import AssertConventions, AssertRefused, AssertSideBySide
    from sidelane.pytest_plugin.matrices import matrix
    from sidelane.pytest_plugin.rendered import Container, NotRendered, Rendered, Resource
    from sidelane.pytest_plugin.rendering import Render

__all__ = [
    "AssertConventions",
    "AssertRefused",
    "AssertSideBySide",
    "Container",
    "NotRendered",
    "Render",
    "Rendered",
    "Resource",
    "matrix",
]

_HOMES: Final = {
    "AssertConventions": "asserting",
    "AssertRefused": "asserting",
    "AssertSideBySide": "asserting",
    "Container": "rendered",
    "NotRendered": "rendered",
    "Render": "rendering",
    "Rendered": "rendered",
    "Resource": "rendered",
    "matrix": "matrices",
}
#: The folder of the run's renderings, which the processes of pytest-xdist share.
FOLDER: Final = pytest.StashKey[str]()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib  # noqa: PLC0415 - only tests that use the plugin

        return getattr(importlib.import_module(f"sidelane.pytest_plugin.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# -- hooks ------------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--sidelane-charts`` and the setting ``sidelane_charts``."""
    group = parser.getgroup("sidelane", "tests of Helm charts")
    group.addoption(
        "--sidelane-charts",
        action="append",
        default=[],
        metavar="PATH",
        help="Test each chart at PATH, or in the folder PATH, with each of its ci/*-values.yaml files, against each "
        "rule of its conventions. May be repeated. Example: pytest --sidelane-charts charts/",
    )
    group.addoption(
        "--sidelane-helm",
        default="",
        metavar="PROGRAM",
        help="The Helm to render charts with: --sidelane-helm=PROGRAM. Default: helm on PATH.",
    )
    parser.addini("sidelane_charts", "Charts, or folders of charts, to test as --sidelane-charts does.", "paths")


def pytest_configure(config: pytest.Config) -> None:
    """Adds the charts of the option and of the setting to what pytest collects."""
    shared = getattr(config, "workerinput", {}).get("sidelane_renders")
    config.stash[FOLDER] = shared or os.path.join(tempfile.gettempdir(), f"sidelane-{secrets.token_hex(8)}")  # noqa: PTH118
    if config.getoption("sidelane_charts") or config.getini("sidelane_charts"):
        from sidelane.pytest_plugin.collecting import Charts  # noqa: PLC0415 - only with the option

        config.pluginmanager.register(Charts(config), "sidelane-charts")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist the folder of the renderings."""
    node.workerinput["sidelane_renders"] = node.config.stash[FOLDER]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the renderings of this run."""
    if not hasattr(config, "workerinput") and os.path.isdir(folder := config.stash.get(FOLDER, "")):  # noqa: PTH112
        import shutil  # noqa: PLC0415 - pytest has imported it anyway

        shutil.rmtree(folder, ignore_errors=True)


# -- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def sidelane_helm(pytestconfig: pytest.Config) -> str | os.PathLike[str]:
    """The Helm to render with: that of ``--sidelane-helm``, the helm on PATH, or that of ``sidelane[helm]``.

    Override it to test with another one, or with several:

        @pytest.fixture(params=["/opt/helm3/helm", "/opt/helm4/helm"])
        def sidelane_helm(request):
            return request.param
    """
    from sidelane.pytest_plugin.charts import helm  # noqa: PLC0415 - as in all fixtures, only when it is used

    return helm(pytestconfig)


@pytest.fixture
def chart(request: pytest.FixtureRequest) -> Path:
    """The chart under test: the nearest folder upwards of the test's file that is a chart, or the only one of
    ``--sidelane-charts``.

    Override it in a module or a conftest.py to name another:

        @pytest.fixture
        def chart():
            return "charts/demo"
    """
    from sidelane.pytest_plugin.charts import under_test  # noqa: PLC0415

    return under_test(request.config, request.path)


@pytest.fixture
def sidelane_render(request: pytest.FixtureRequest, sidelane_helm: str | os.PathLike[str]) -> Render:
    """The fixture ``render``, also for a test folder that has a fixture of that name for itself."""
    from sidelane.pytest_plugin.rendering import Render  # noqa: PLC0415

    return Render(request.config, sidelane_helm, lambda: request.getfixturevalue("chart"))


@pytest.fixture
def render(sidelane_render: Render) -> Render:
    """Renders a chart with Helm, and returns its objects. See Render for the arguments.

    >>> def test_replicas(render):
    ...     rendered = render("charts/demo", values={"replicaCount": 3})
    ...     assert rendered.deployment("release-demo")["spec"]["replicas"] == 3
    """
    return sidelane_render


@pytest.fixture
def assert_refused(sidelane_render: Render) -> AssertRefused:
    """Asserts that Helm refuses to render a chart with these values, with a message that matches.

    >>> def test_an_even_ensemble_is_refused(assert_refused):
    ...     assert_refused({"replicas": 2}, match="replicas", chart="charts/zookeeper", lane="coco-1")
    """
    from sidelane.pytest_plugin.asserting import AssertRefused  # noqa: PLC0415

    return AssertRefused(sidelane_render)


@pytest.fixture
def assert_conventions() -> AssertConventions:
    """Asserts that rendered objects keep the conventions of their chart.

    >>> def test_conventions(render, assert_conventions):
    ...     assert_conventions(render("charts/demo"))
    """
    from sidelane.pytest_plugin.asserting import AssertConventions  # noqa: PLC0415

    return AssertConventions()


@pytest.fixture
def assert_side_by_side(request: pytest.FixtureRequest, sidelane_helm: str | os.PathLike[str]) -> AssertSideBySide:
    """Asserts that two releases of a chart touch nowhere: as two lanes, or as two releases of a chart without lanes.

    >>> def test_two_lanes_touch_nowhere(assert_side_by_side):
    ...     assert_side_by_side(chart="charts/zookeeper", vary={"image.tag": ("3.9.4", "3.9.5")})
    """
    from sidelane.pytest_plugin.asserting import AssertSideBySide  # noqa: PLC0415

    return AssertSideBySide(sidelane_helm, request.config.rootpath, lambda: request.getfixturevalue("chart"))


@pytest.fixture
def manifest_snapshot(request: pytest.FixtureRequest) -> Any:
    """Compares rendered objects with those that syrupy has stored; `pytest --snapshot-update` stores them.

    >>> def test_nothing_changes_by_accident(render, manifest_snapshot):
    ...     assert render("charts/demo") == manifest_snapshot
    """
    try:
        snapshot = request.getfixturevalue("snapshot")
        from sidelane.pytest_plugin.snapshots import ManifestExtension  # noqa: PLC0415

        return snapshot.use_extension(ManifestExtension)
    except (pytest.FixtureLookupError, ImportError, AttributeError):
        raise pytest.UsageError("manifest_snapshot needs syrupy: pip install 'sidelane[snapshots]'") from None
