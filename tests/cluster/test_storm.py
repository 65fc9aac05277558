"""Storm's charts on a real API server, by plain Helm: two lanes, what may change and what not, all that can be set."""

import re
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.either_helm

CHARTS = Path(__file__).parents[2] / "charts"
STORM = ("nimbus", "supervisor", "ui")


def install(plain, chart, version, *more):
    plain("install", f"{chart}-{version}-1", CHARTS / chart, "--set", f"Version={version},Build=1", *more)


def test_two_lanes_beside_one_another(cluster, namespace, plain):
    for version in ("coco", "2-coco"):
        for chart in STORM:
            install(plain, chart, version, "--wait", "--timeout", "90s")
    ready = cluster.ready_pods(namespace)
    for lane in ("coco-1", "2-coco-1"):
        own = [name for name in ready if re.fullmatch(rf"(nimbus|supervisor|ui)-{lane}-.*", name)]
        members = [f"{component}-{lane}-{ordinal}" for component in ("nimbus", "supervisor") for ordinal in (0, 1)]
        assert own[:-1] == members
        assert re.fullmatch(rf"ui-{lane}-[a-z0-9]+-[a-z0-9]{{5}}", own[-1])
    plain("uninstall", "nimbus-2-coco-1")
    claims = cluster.names(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")
    assert claims == [f"data-nimbus-{lane}-1-{n}" for lane in ("2-coco", "coco") for n in (0, 1)]
    assert {"nimbus-coco-1-0", "nimbus-coco-1-1"} <= set(cluster.ready_pods(namespace))


def test_numbers_may_change_and_nothing_else(cluster, namespace, plain):
    changes = {
        "supervisor": ("statefulsets", "replicas=3", "workers.slots=1"),
        "ui": ("deployments", "replicas=2", "jvm.heapMiB=600"),
        "nimbus": ("statefulsets", "networkPolicy.enabled=true", "replicas=3"),
    }
    for chart, (kind, allowed, refused) in changes.items():
        install(plain, chart, "coco")
        upgrade = ("upgrade", f"{chart}-coco-1", CHARTS / chart, "--reuse-values")
        said = plain(*upgrade, "--set", refused, check=False)
        assert said.returncode != 0
        assert f"this upgrade would change {refused.partition('=')[0]}" in said.stderr
        plain(*upgrade, "--set", allowed)
        workload = cluster.get(f"/apis/apps/v1/namespaces/{namespace}/{kind}/{chart}-coco-1")
        assert workload["spec"]["replicas"] == {"supervisor": 3, "ui": 2, "nimbus": 2}[chart]


@pytest.mark.parametrize("chart", STORM)
def test_everything_at_once_is_accepted(plain, tmp_path, chart):
    values = yaml.safe_load((CHARTS / chart / "ci" / "full-values.yaml").read_text())
    values.pop("httpRoute", None)  # this cluster has no Gateway API
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    plain("install", "full", CHARTS / chart, "--values", tmp_path / "values.yaml")
