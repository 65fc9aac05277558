"""Charts as tests without code: a chart × a values file × a rule.

charts/zookeeper::ci/tls-values.yaml::renders
charts/zookeeper/ci/tls-values.yaml::lane-suffix
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from sidelane import kubeyaml
from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.folders import DEFAULTS, is_chart, values_files
from sidelane.charts.values import knows_lanes
from sidelane.checks import conventions
from sidelane.checks.engine import applies, check
from sidelane.checks.findings import Report
from sidelane.checks.report.text import render_text
from sidelane.checks.rules import RULES
from sidelane.errors import SidelaneError
from sidelane.naming.lane import Lane
from sidelane.pytest_plugin.asserting import placed
from sidelane.pytest_plugin.charts import helm, roots
from sidelane.pytest_plugin.rendered import NotRendered
from sidelane.pytest_plugin.rendering import Render
from sidelane.support.harmless import in_line

#: The test that a chart renders objects, and of findings whose rule has no test of its own.
RENDERS: Final = "renders"
#: The lane of a chart that needs one and whose values file gives none.
LANE: Final = Lane("test", 1)


class Charts:
    """Adds the charts of ``--sidelane-charts`` to what pytest collects."""

    def __init__(self, config: pytest.Config) -> None:
        self._roots = roots(config)
        given = [Path(config.invocation_params.dir, argument.partition("::")[0]) for argument in config.args]
        typed = config.args_source is pytest.Config.ArgsSource.ARGS
        wanted = [Path(config.invocation_params.dir, path) for path in config.getoption("sidelane_charts")]
        for root in self._roots:
            # Whoever names tests wants only these, not all of a setting, nor the rest of a folder.
            if (typed and root not in wanted) or any(path.is_relative_to(root) for path in given):
                continue
            config.args.append(str(root))

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leaves out what is in a chart: its subcharts are tested in their own folders."""
        chart = collection_path.parent
        inner = collection_path.name in ("charts", "templates", "crds") and is_chart(chart) and self._tests(chart)
        return True if inner else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collects each values file of a chart."""
        if file_path.suffix != ".yaml":
            return None
        chart = next((folder for folder in file_path.parents[:2] if is_chart(folder)), None)
        if chart is None or not self._tests(chart) or file_path not in values_files(chart):
            return None
        return ValuesFile.from_parent(parent, path=file_path, folder=chart)

    def _tests(self, folder: Path) -> bool:
        return any(folder.is_relative_to(root) for root in self._roots)


class ValuesFile(pytest.File):
    """A values file of a chart: one rendering, and a test for each rule. One of a library chart has none."""

    def __init__(self, *, folder: Path, **node: Any) -> None:
        super().__init__(**node)
        self._folder = folder

    def collect(self) -> Iterator[pytest.Item]:
        try:
            self.chart, self.held = Chart.load(self._folder), conventions.find(self._folder)
        except SidelaneError as error:
            raise self.CollectError(str(error)) from None
        if self.chart.type == "application":
            yield RuleTest.from_parent(self, name=RENDERS)
            lanes = self.held.has_lanes and (self.held.demanded or knows_lanes(self.chart))
            for rule in RULES:
                off = self.held.severity_of(rule.id, rule.severity) == "off"
                if not off and applies(rule, self.held, lanes=lanes):
                    yield RuleTest.from_parent(self, name=rule.id)

    @functools.cached_property
    def outcome(self) -> Report | NotRendered | SidelaneError:
        """The report of the rendering, or the reason for none."""
        try:
            render = Render(self.config, helm(self.config), lambda: self.chart.path)
            given = () if self.path.name == DEFAULTS else (self.path,)
            rendered = render(files=given, lane=LANE if self._lacks_lane else None)
            report = check(rendered.manifest, conventions=self.held, lane=rendered.lane, release=rendered.release)
            return placed(report, self.chart, rendered.manifest)
        except (NotRendered, SidelaneError) as error:
            return error

    @property
    def _lacks_lane(self) -> bool:
        """Return True if the chart has values for a lane, and neither its defaults nor the file give one."""
        if not knows_lanes(self.chart):
            return False
        own = kubeyaml.read(self.path.read_bytes(), source=str(self.path))
        values = coalesce(self.chart.defaults, own if isinstance(own, dict) else {})
        return not values.get("Version") and not (values.get("global") or {}).get("Version")


class RuleTest(pytest.Item):
    """A test that a rendering keeps one rule, or that there is a rendering."""

    parent: ValuesFile

    def runtest(self) -> None:
        outcome = self.parent.outcome
        if not isinstance(outcome, Report):
            raise Broken(self._unrendered(outcome))
        mine = self._mine(outcome)
        if self.name != RENDERS and self.name not in outcome.rules:
            pytest.skip("the rule does not apply to these objects")
        if not mine.clean:
            raise Broken(render_text(mine).strip())
        for finding in mine.findings:
            # Not pytest's own `warn`, which needs the line of the test.
            warnings.warn_explicit(pytest.PytestWarning(str(finding)), None, str(self.path), 1)

    def _mine(self, report: Report) -> Report:
        """Return the part of a report that this test is about."""
        others = {rule.id for rule in RULES}
        findings = tuple(
            finding
            for finding in report.findings
            if finding.rule == self.name or (self.name == RENDERS and finding.rule not in others)
        )
        return report._replace(findings=findings, rules=(self.name,), notes=())

    def _unrendered(self, error: NotRendered | SidelaneError) -> str:
        if self.name == RENDERS:
            return str(error)
        return f"not checked, because the chart does not render: see {self.parent.nodeid}::{RENDERS}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show findings and errors without Python's traceback."""
        if isinstance(excinfo.value, Broken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, in_line(f"{self.parent.chart.name}: {self.path.name}: {self.name}")


class Broken(Exception):
    """A rule is broken, or a chart does not render. Its text is the whole message."""
