"""Every chart with the values of its ci files runs side by side with itself: two Builds, Versions, service versions."""

from pathlib import Path

import pytest
import yaml
from sidelane import Client

CHARTS = Path(__file__).resolve().parents[2] / "charts"
#: Hosts that these values give, which each lane must have for itself.
HOSTS = {"ui": ("ingress.host", "httpRoute.host"), "pipeline": ("ui.ingress.host", "ui.httpRoute.host")}


@pytest.mark.parametrize(
    "file",
    sorted(CHARTS.glob("*/ci/*-values.yaml")),
    ids=lambda file: f"{file.parents[1].name}-{file.name.removesuffix('-values.yaml')}",
)
def test_a_chart_runs_side_by_side_with_itself(helm, file):
    chart, values = file.parents[1], yaml.safe_load(file.read_text())
    hosts = HOSTS.get(chart.name, ()) if file.name == "full-values.yaml" else ()
    client = Client(helm=helm)
    given = dict.fromkeys(hosts, ("a.example.org", "b.example.org"))
    report = client.side_by_side(chart, values=values, vary=given)
    assert report.findings == ()
    assert report.objects
    if hosts:
        assert {finding.rule for finding in client.side_by_side(chart, values=values).findings} == {"hosts-paths"}
