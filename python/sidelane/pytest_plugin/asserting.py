"""The assert fixtures. Their errors show objects and templates."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sidelane.charts.chart import Chart
from sidelane.checks import conventions as conventions_
from sidelane.checks.engine import check
from sidelane.checks.findings import Report
from sidelane.checks.report.text import render_text
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.pytest_plugin.charts import chart_at
from sidelane.pytest_plugin.places import located, shown
from sidelane.pytest_plugin.rendered import Rendered
from sidelane.pytest_plugin.rendering import Render


class AssertRefused:
    """The fixture ``assert_refused``."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def __call__(self, values: Mapping[str, Any] | None = None, *, match: str = "", **options: Any) -> str:
        """Assert that Helm refuses to render the chart with these values, and return Helm's message.

        Args:
            values: the values.
            match: a regular expression that the message must contain, as in ``pytest.raises``.
            options: the other arguments of ``render``, such as ``chart`` and ``lane``.

        """
        __tracebackhide__ = True
        rendered, answer = self._render.attempt(values=values, **options)
        where = shown(rendered.chart.path)
        if not answer.code:
            raise AssertionError(f"Helm renders {where} with these values, and must refuse them: {rendered.command}")
        if not re.search(match, answer.stderr):
            raise AssertionError(
                f"Helm refuses {shown(rendered.chart.path)} without {match!r}:\n{answer.stderr.strip()}"
            )
        return answer.stderr


class AssertSideBySide:
    """The fixture ``assert_side_by_side``."""

    def __init__(self, helm: str | os.PathLike[str], root: Path, chart: Callable[[], str | os.PathLike[str]]) -> None:
        self._helm, self._root, self._chart = helm, root, chart

    def __call__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        chart: str | os.PathLike[str] | None = None,
        lane: Lane | str | None = None,
        vary: Mapping[str, tuple[object, object]] | None = None,
    ) -> Report:
        """Assert that two releases of a chart touch nowhere, and return the report, which may have warnings.

        Args:
            values: the values of both.
            chart: as in ``render``.
            lane: as in ``Client.side_by_side``.
            vary: values that also differ, by path: the first release's and the second's.

        """
        __tracebackhide__ = True
        from sidelane.client import Client  # noqa: PLC0415 - it brings pyhelm3, which other fixtures do not need

        where = chart_at(self._root, self._chart() if chart is None else chart)
        report = Client(helm=self._helm).side_by_side(where.path, lane, values=values, vary=vary)
        if not report.clean:
            raise AssertionError(f"two releases of {shown(where.path)} touch\n{render_text(report).strip()}")
        return report


class AssertConventions:
    """The fixture ``assert_conventions``."""

    def __call__(
        self, rendered: Rendered, *, conventions: str | os.PathLike[str] | None = None, preset: str | None = None
    ) -> Report:
        """Assert that rendered objects keep conventions, and return the report, which may have warnings.

        Args:
            rendered: a result of ``render``.
            conventions: a conventions file; by default the nearest ``sidelane.yaml`` upwards from the chart.
            preset: a preset instead of a file: ``sidelane`` or ``helm``.

        """
        __tracebackhide__ = True
        if preset is not None:
            held = conventions_.preset(preset)._replace(demanded=True)
        elif conventions is not None:
            held = conventions_.read_file(conventions)
        else:
            held = conventions_.find(rendered.chart.path)
        report = check(rendered.manifest, conventions=held, lane=rendered.lane, release=rendered.release)
        if not report.clean:
            text = render_text(placed(report, rendered.chart, rendered.manifest)).strip()
            raise AssertionError(f"{shown(rendered.chart.path)} breaks its conventions\n{text}")
        return report


def placed(report: Report, chart: Chart, manifest: Manifest) -> Report:
    """Return a report whose sources are the templates in the repository, with their lines if they are known."""
    places = {(obj.identity, obj.source): located(chart, obj) for obj in manifest.objects}
    findings = (
        finding._replace(source=places.get((finding.identity, finding.source), finding.source))
        for finding in report.findings
    )
    return report._replace(findings=tuple(findings))
