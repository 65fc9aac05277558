"""Versions of a service side by side in a lane, and lanes side by side, by plain Helm on a real API server."""

import re
from pathlib import Path

import pytest
import yaml
from clusters import locked

pytestmark = pytest.mark.either_helm

SERVICE = Path(__file__).parents[2] / "charts" / "service"
CI = SERVICE / "ci"
KINDS = (
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/policy/v1/poddisruptionbudgets",
    "/api/v1/configmaps",
    "/api/v1/pods",
    "/api/v1/serviceaccounts",
    "/api/v1/services",
)
EVERYTHING = (
    *("--set", "config.files.a=b", "--set", "networkPolicy.enabled=true"),
    *("--set", "neighbours.services.svc2.port=8080"),
)


@pytest.fixture
def helm4(plain):
    """Return True if this Helm applies objects on the server, as Helm 4 does."""
    return plain("version", "--template", "{{.Version}}").stdout.startswith("v4.")


@pytest.fixture
def install(plain):
    """Installs svc1 in a version, as the house calls its releases, and waits until it serves."""

    def install(version, lane, *arguments, check=True):
        named = (
            "--set-string",
            f"Version={lane.rpartition('-')[0]}",
            "--set-string",
            f"Build={lane.rpartition('-')[2]}",
        )
        image = ("--set", "image.repository=acme/svc1", "--set", "image.tag=1.4.0")
        service = ("--set", "name=svc1", "--set", f"serviceVersion={version}")
        name = f"svc1-{version}-{lane}"
        return plain("install", name, SERVICE, *named, *service, *image, *arguments, "--wait", check=check)

    return install


def objects(cluster, namespace, **labels):
    return cluster.labelled(namespace, ",".join(f"{key}={value}" for key, value in labels.items()), KINDS)


def starts(names):
    return sorted({re.sub(r"-[a-z0-9]{6,10}-[a-z0-9]{5}$", "-<hash>-<id>", name) for name in names})


def leads_to_two(pods, name):
    return len(pods) == 2 and starts(pods) == [f"{name}-<hash>-<id>"]


def endpoints(cluster, namespace, service):
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    slices = cluster.list(f"{path}?labelSelector=kubernetes.io/service-name={service}")
    return sorted(endpoint["targetRef"]["name"] for item in slices for endpoint in item["endpoints"] or [])


def test_versions_and_lanes_live_side_by_side(cluster, namespace, install, plain):
    for version, lane in (("v1", "2-coco-1"), ("v1", "coco-1")):
        install(version, lane, *EVERYTHING)
    before = {lane: objects(cluster, namespace, **{"sidelane.dev/lane": lane}) for lane in ("2-coco-1", "coco-1")}
    said = install("v2", "2-coco-1", *EVERYTHING).stdout
    assert "svc1-v2-2-coco-1:80" in said
    expected = [f"{name}-<hash>-<id>" for name in ("svc1-v1-2-coco-1", "svc1-v1-coco-1", "svc1-v2-2-coco-1")]
    cluster.until("pods are called by the contract", lambda: starts(cluster.ready_pods(namespace)) == expected, 60)
    for name in ("svc1-v1-2-coco-1", "svc1-v1-coco-1", "svc1-v2-2-coco-1"):
        cluster.until(
            f"{name} leads to its own two pods alone",
            lambda name=name: leads_to_two(endpoints(cluster, namespace, name), name),
            60,
        )
    second = objects(cluster, namespace, version="v2")
    own = {kind for kind, name in second if name == "svc1-v2-2-coco-1"}
    assert own == {"deployments", "networkpolicies", "poddisruptionbudgets", "serviceaccounts", "services"}

    assert "Phase:          Succeeded" in plain("test", "svc1-v2-2-coco-1").stdout
    plain("uninstall", "svc1-v2-2-coco-1", "--wait")
    # Helm leaves the pod of its test, as the chart's README says.
    cluster.delete(f"/api/v1/namespaces/{namespace}/pods/svc1-v2-test-2-coco-1")
    cluster.until("v2 is gone", lambda: not objects(cluster, namespace, version="v2"))
    after = {lane: objects(cluster, namespace, **{"sidelane.dev/lane": lane}) for lane in before}
    assert after == before


def test_another_release_can_not_take_a_version_over(install, plain):
    install("v1", "coco-1")
    named = ("--set", "Version=coco,Build=1,name=svc1", "--set", "image.repository=acme/svc1,image.tag=1.4.1")
    said = plain("install", "other", SERVICE, *named, check=False).stderr
    assert "it belongs to the release 'svc1-v1-coco-1', which is deployed and never changed" in said


def test_every_object_is_taken_and_its_pods(cluster, namespace, plain):
    values = yaml.safe_load((CI / "full-values.yaml").read_text())
    # What the cluster has to have before.
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses", "/apis/node.k8s.io/v1/runtimeclasses"
    bodies = {"value": 1}, {"handler": "runsc"}
    with locked(cluster.kubeconfig):
        for path, key, body in zip(classes, ("priorityClassName", "runtimeClassName"), bodies, strict=True):
            if values[key] not in cluster.names(path):
                cluster.create(path, {"metadata": {"name": values[key]}, **body})
    # The definitions of the Prometheus operator are no part of Kubernetes.
    file = ("--values", CI / "full-values.yaml", "--set", "metrics.podMonitor.enabled=false")
    plain("install", "it", SERVICE, *file)
    lane = f"{values['Version']}-{values['Build']}"
    name = f"{values['name']}-{values.get('serviceVersion', 'v1')}-{lane}"
    pods = cluster.until("the API server takes its pods", lambda: cluster.names(f"/api/v1/namespaces/{namespace}/pods"))
    assert starts(pods) == [f"{name}-<hash>-<id>"]


def test_operational_values_change_in_place_and_the_pods_stay(cluster, namespace, install, plain, helm4):
    install("v1", "coco-1")
    pods = cluster.ready_pods(namespace)
    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/svc1-v1-coco-1"

    def upgrade(*arguments):
        plain("upgrade", "svc1-v1-coco-1", SERVICE, "--reuse-values", *arguments)

    upgrade("--set", "networkPolicy.enabled=true", "--set", "podDisruptionBudget.maxUnavailable=2")
    upgrade("--set", "replicas=3")
    cluster.until("three pods are ready", lambda: len(cluster.ready_pods(namespace)) == 3)
    assert set(pods) < set(cluster.ready_pods(namespace))
    generation = cluster.get(deployment)["metadata"]["generation"]

    # Handed to the autoscaler and on while that chooses: never a moment with fewer pods.
    upgrade("--set", "autoscaling.enabled=true", "--set", "autoscaling.minReplicas=3")
    upgrade("--set", "autoscaling.maxReplicas=20")
    assert cluster.get(deployment)["spec"]["replicas"] == 3
    assert cluster.get(deployment)["metadata"]["generation"] == generation
    cluster.patch(deployment, {"spec": {"replicas": 4}})  # as the autoscaler does
    upgrade("--set", "networkPolicy.enabled=false")
    assert cluster.get(deployment)["spec"]["replicas"] == 4
    # Helm 4 takes a field back from another author only when told to.
    upgrade("--set", "autoscaling.enabled=false", *(["--force-conflicts"] if helm4 else []))
    assert cluster.get(deployment)["spec"]["replicas"] == 3


#: A change of each value, where another of its own kind would not do.
CHANGES = {
    "Version": "other",
    "Build": "2",
    "name": "svc2",
    "serviceVersion": "v2",
    "image": {"tag": "1.4.1"},
    "ports": [{"name": "http", "port": 81, "containerPort": 8080}],
    "neighbours": {"ui": "http://elsewhere"},
    "config": {"files": {"a": "c"}},
    "tmp": {"sizeLimit": "1Gi"},
    "service": {"type": "NodePort"},
    "strategy": {"maxSurge": 1},
    "resources": {"requests": {"cpu": "200m"}},
    "metrics": {"path": "/other"},
    "spread": {"nodes": ""},
    "serviceAccount": {"annotations": {"a": "b"}},
    "test": {"path": "/other"},
    "podSecurityContext": {"runAsUser": 7},
    "containerSecurityContext": {"runAsUser": 7},
    "startupProbe": {"tcpSocket": {"port": 1}},
    "readinessProbe": {"tcpSocket": {"port": 1}},
    "livenessProbe": {"tcpSocket": {"port": 1}},
    "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
    "terminationMessagePolicy": "File",
}


#: Those by which Helm finds the guard.
NAMED = {"Version", "Build", "name", "serviceVersion"}


def test_every_other_value_is_refused_by_helm_alone(cluster, namespace, install, plain, tmp_path):
    install("v1", "coco-1", *EVERYTHING)
    before = objects(cluster, namespace, **{"sidelane.dev/lane": "coco-1"})
    defaults = yaml.safe_load((SERVICE / "values.yaml").read_text())
    annotations = yaml.safe_load((SERVICE / "Chart.yaml").read_text())["annotations"]
    operational = set(annotations["sidelane.dev/operational-values"].split(","))
    assert operational < set(defaults)

    def refusal(*keys):
        changes = {key: CHANGES.get(key) or another(key, defaults[key]) for key in keys}
        (tmp_path / "change.yaml").write_text(yaml.safe_dump(changes))
        upgrade = ("upgrade", "svc1-v1-coco-1", SERVICE, "--reuse-values", "--values", tmp_path / "change.yaml")
        return plain(*upgrade, check=False).stderr

    for key in NAMED:
        assert "is deployed and never changed" in refusal(key), key
    others = sorted(set(defaults) - operational - NAMED)
    named = refusal(*others).partition("; this upgrade would change ")[2].partition("; ")[0]
    assert sorted({path.partition(".")[0] for path in named.split(", ")}) == others
    assert objects(cluster, namespace, **{"sidelane.dev/lane": "coco-1"}) == before


def another(key, value):
    side = {"name": "side", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "1Mi"}}}
    named = {
        "env": [{"name": "A", "value": "b"}],
        "envFrom": [{"secretRef": {"name": "a"}}],
        "volumes": [{"name": "a", "emptyDir": {}}],
        "volumeMounts": [{"name": "tmp", "mountPath": "/a"}],
        "initContainers": [side],
        "extraContainers": [side],
        "imagePullSecrets": [{"name": "a"}],
        "tolerations": [{"key": "a"}],
        "hostAliases": [{"ip": "10.0.0.1"}],
        "workingDir": "/a",
    }
    if key in named:
        return named[key]
    if isinstance(value, list):
        return ["other"]
    if isinstance(value, dict):
        return {"other": "value"}
    return value + 1 if isinstance(value, int) else "other"
