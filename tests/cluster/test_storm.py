"""Storm's charts on a real API server, by plain Helm: what may change and what not."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.either_helm

CHARTS = Path(__file__).parents[2] / "charts"


def test_numbers_may_change_and_nothing_else(cluster, namespace, plain):
    changes = {
        "supervisor": ("statefulsets", "replicas=3", "workers.slots=1"),
        "ui": ("deployments", "replicas=2", "jvm.heapMiB=600"),
        "nimbus": ("statefulsets", "networkPolicy.enabled=true", "replicas=3"),
    }
    for chart, (kind, allowed, refused) in changes.items():
        plain("install", f"{chart}-coco-1", CHARTS / chart, "--set", "Version=coco,Build=1")
        upgrade = ("upgrade", f"{chart}-coco-1", CHARTS / chart, "--reuse-values")
        said = plain(*upgrade, "--set", refused, check=False)
        assert said.returncode != 0
        assert f"this upgrade would change {refused.partition('=')[0]}" in said.stderr
        plain(*upgrade, "--set", allowed)
        workload = cluster.get(f"/apis/apps/v1/namespaces/{namespace}/{kind}/{chart}-coco-1")
        assert workload["spec"]["replicas"] == {"supervisor": 3, "ui": 2, "nimbus": 2}[chart]
