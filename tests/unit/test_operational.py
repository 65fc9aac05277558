"""The fields that operational values set: each object's own, and no other's."""

import pytest
from sidelane.manifest import Manifest
from sidelane.manifest.operational import autoscaled, known, nested, of_kind, scalable

OBJECT = """\
---
# Source: {source}
apiVersion: {version}
kind: {kind}
metadata: {{name: {name}-coco-1, labels: {{sidelane.dev/lane: coco-1}}}}
spec: {spec}
"""


def workload(name, source="web/templates/all.yaml", kind="Deployment", version="apps/v1", spec="{replicas: 1}"):
    return OBJECT.format(name=name, source=source, kind=kind, version=version, spec=spec)


def autoscaler(of, source="web/templates/all.yaml"):
    spec = f"{{minReplicas: 2, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {of}-coco-1}}}}"
    return workload(of, source, "HorizontalPodAutoscaler", "autoscaling/v2", spec)


def objects(*texts):
    return Manifest.read("".join(texts)).objects


def operational_of(names, values, *texts):
    return {identity.name: value for identity, value in scalable(objects(*texts), names, values).items()}


PIPELINE = (
    workload("zk", "pipeline/charts/zookeeper/templates/statefulset.yaml", "StatefulSet"),
    workload("nimbus", "pipeline/charts/nimbus/templates/statefulset.yaml", "StatefulSet"),
    workload("supervisor", "pipeline/charts/supervisor/templates/statefulset.yaml", "StatefulSet"),
    workload("ui", "pipeline/charts/ui/templates/deployment.yaml"),
    workload("drpc", "pipeline/charts/ui/templates/drpc-deployment.yaml"),
)


@pytest.mark.parametrize("values", [{}, {"ui": {"replicas": 1, "drpc": {"enabled": True}}}])
def test_a_value_of_one_chart_is_of_no_other(values):
    fields = operational_of(["supervisor.replicas", "ui.replicas"], values, *PIPELINE[:4])
    assert fields == {"supervisor-coco-1": "supervisor.replicas", "ui-coco-1": "ui.replicas"}


def test_a_component_with_a_section_of_its_own_has_not_the_charts_number():
    fields = operational_of(["ui.replicas"], {"ui": {"replicas": 1, "drpc": {"enabled": True}}}, *PIPELINE)
    assert fields == {"ui-coco-1": "ui.replicas"}
    both = {"web": {"replicas": 1}, "background": {"replicas": 1}}
    assert operational_of(["web.replicas"], both, workload("web"), workload("background")) == {
        "web-coco-1": "web.replicas"
    }
    camel = {"replicas": 1, "logViewer": {"replicas": 2}}
    assert operational_of(["replicas"], camel, workload("web"), workload("log-viewer")) == {"web-coco-1": "replicas"}
    # A section that only happens to have the name of the one workload.
    assert operational_of(["replicas"], {"replicas": 1, "web": {}}, workload("web")) == {"web-coco-1": "replicas"}


def test_an_autoscaler_counts_when_it_is_the_releases_own():
    texts = workload("web"), workload("other"), autoscaler("web")
    assert operational_of([], {}, *texts) == {"web-coco-1": ""}
    assert {target.name: least for target, least in autoscaled(objects(*texts)).items()} == {"web-coco-1": 2}


def test_what_has_no_comment_is_of_the_releases_own_chart():
    assert operational_of(["replicas"], {}, workload("web", "<stdin>")) == {"web-coco-1": "replicas"}


def test_values_stand_for_kinds_in_their_own_chart():
    policy = workload("zk", "p/charts/zookeeper/templates/x.yaml", "NetworkPolicy", "networking.k8s.io/v1")
    (obj,) = objects(policy)
    assert of_kind(obj, ["zookeeper.networkPolicy.enabled"])
    assert not of_kind(obj, ["nimbus.networkPolicy.enabled", "zookeeper.podDisruptionBudget.maxUnavailable"])
    assert known("zookeeper.networkPolicy.enabled")
    assert known("ui.replicas")
    assert not known("log.level")


def test_names_are_values_with_nothing_in_them():
    assert nested(["a.b", "a.c", "d", "d.e"]) == {"a": {"b": {}, "c": {}}, "d": {"e": {}}}
