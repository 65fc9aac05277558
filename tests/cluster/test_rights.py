"""Rights that are missing, on a real API server: told by verb, resource and namespace, before anything changes."""

import json

import pytest
from generated import tiny_chart
from sidelane import Client
from sidelane.errors import ClusterDenied

pytestmark = pytest.mark.either_helm

ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}"
READ = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}
#: What it takes to install ZooKeeper, and to remove it but for its claims.
DEPLOY = [
    READ,
    {"apiGroups": [""], "resources": ["secrets", "configmaps", "services", "serviceaccounts"], "verbs": ["*"]},
    {"apiGroups": ["apps", "policy"], "resources": ["*"], "verbs": ["*"]},
]


@pytest.fixture
def tiny(client, tmp_path):
    chart = tiny_chart(tmp_path / "tiny")
    client.install(chart, "coco-1", name="svc1")
    return chart


def test_who_may_only_read_removes_nothing_and_is_told_every_right(cluster, namespace, client, limited, tiny):
    reader = limited(READ)
    before = cluster.list(f"/api/v1/namespaces/{namespace}/configmaps")
    for removes in (lambda: reader.uninstall("svc1-v1", "coco-1"), lambda: reader.retire("coco-1", drain="0s")):
        with pytest.raises(ClusterDenied) as denied:
            removes()
        for right in ("delete configmaps", "delete secrets", "update secrets"):
            assert f"{right} in namespace {namespace}" in denied.value.problem
        assert f"`kubectl auth can-i delete configmaps -n {namespace} --kubeconfig " in denied.value.remedy
    (release,) = client.list()
    assert (release.status, release.revision) == ("deployed", 1)
    assert cluster.list(f"/api/v1/namespaces/{namespace}/configmaps") == before


def test_drift_that_may_not_be_read_is_told_and_stops_nothing(cluster, namespace, limited, helm, tiny):
    limited(READ | {"apiGroups": [""], "resources": ["secrets"]})
    told = []
    kubeconfig = cluster.plane.kubeconfig_for(cluster.plane.powerless_token)
    reader = Client(namespace=namespace, kubeconfig=kubeconfig, helm=helm, progress=told.append)
    release = reader.install(tiny, "coco-1", name="svc1")
    assert (release.change, release.drift) == ("unchanged", ())
    (line,) = [line for line in told if "drift" in line]
    assert line.startswith("the drift of svc1-v1-coco-1 can't be read: "), line
    assert "configmaps" in line


def test_claims_that_may_not_be_deleted_stop_a_retirement_before_the_release_goes(namespace, client, limited):
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    deployer = limited(*DEPLOY)
    with pytest.raises(ClusterDenied, match=f"delete persistentvolumeclaims in namespace {namespace}"):
        deployer.retire("coco-1", delete_claims=True)
    assert [release.status for release in client.list()] == ["deployed"]
    assert deployer.retire("coco-1").gone


def test_an_installation_without_rights_names_verb_resource_and_namespace(namespace, client, limited, tmp_path):
    chart = tiny_chart(tmp_path / "tiny")
    reader = limited(READ)
    with pytest.raises(ClusterDenied) as denied:
        reader.install(chart, "coco-1", name="svc1")
    assert f"'powerless' has no right to create secrets in namespace {namespace}" in denied.value.problem
    assert client.list() == ()


def test_a_namespace_that_may_not_be_created_is_what_is_told(cluster, helm, limited, tmp_path):
    limited(READ)
    kubeconfig = cluster.plane.kubeconfig_for(cluster.plane.powerless_token)
    client = Client(namespace="of-nobody", kubeconfig=kubeconfig, helm=helm)
    with pytest.raises(ClusterDenied) as denied:
        client.install(tiny_chart(tmp_path / "tiny"), "coco-1", name="svc1", create_namespace=True)
    assert "you have no right to create namespaces in the cluster" in denied.value.problem
    assert json.dumps(denied.value.to_json())
    assert "of-nobody" not in cluster.names("/api/v1/namespaces")
