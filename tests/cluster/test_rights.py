"""Rights that are missing, on a real API server: told by verb, resource and namespace, before anything changes."""

import json

import pytest
from clusters import settled
from generated import tiny_chart
from sidelane import Client
from sidelane.errors import ClusterDenied
from sidelane.releases import least_rights

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


@pytest.fixture
def with_least_rights(cluster, namespace, client, limited):
    """Runs a verb as somebody who has exactly the rights that `sidelane guard role` prints for it."""
    each = limited()

    def run(verb, work, *subject, **given):
        role = client.guard_role(verb, *subject, **given)
        verbs = {name for rule in role["rules"] for name in rule["verbs"]}
        assert (verbs <= {"get", "list", "watch"}) is (verb not in WRITING)
        assert (role["kind"], role["metadata"]["namespace"]) == ("Role", namespace)
        role["metadata"]["name"] = "limited"
        cluster.request("PUT", f"{ROLES.format(namespace)}/roles/limited", role)
        try:
            return work(each)
        except ClusterDenied as denied:
            pytest.fail(f"{verb}: {denied}")

    return run


WRITING = {
    "install", "upgrade", "apply", "replay", "repair", "uninstall", "retire", "route-set", "route-undo", "route-shift",
    "shift", "shift-promote",
}  # fmt: skip
#: The verbs of the next two tests; all others are in the one after them.
OF_A_RELEASE = {"install", "list", "record", "wait", "status", "verify", "upgrade", "repair", "uninstall"}


def test_each_verb_of_a_release_works_with_exactly_the_rights_that_it_needs(
    cluster, namespace, client, with_least_rights
):
    policy = {"networkPolicy": {"enabled": True}}  # an operational value, for upgrade
    calls = {
        "install": lambda each: each.install("zookeeper", "coco-1", values={"replicas": 1}),
        "list": lambda each: each.list(),
        "record": lambda each: each.record("zookeeper-coco-1"),
        "wait": lambda each: each.wait("zookeeper-coco-1", timeout="2m"),
        "status": lambda each: each.status("zookeeper-coco-1"),
        "verify": lambda each: settled(each, "zookeeper-coco-1"),
        "upgrade": lambda each: each.upgrade("zookeeper", "coco-1", values={"replicas": 1, **policy}),
        "repair": lambda each: each.repair("zookeeper-coco-1"),
        "uninstall": lambda each: each.uninstall("zookeeper-coco-1"),
    }
    assert calls.keys() == OF_A_RELEASE
    for verb, call in calls.items():
        if verb == "repair":
            cluster.delete(f"/api/v1/namespaces/{namespace}/services/zk-cs-coco-1")
        result = with_least_rights(verb, call, "zookeeper", "coco-1", values={"replicas": 1, **policy})
        if verb == "verify":
            assert [each.state for each in result] == ["unchanged"]
        if verb == "repair":
            assert [each.name for each in result[0].missing] == ["zk-cs-coco-1"]
    assert client.list() == ()


IMAGE = {"image": {"repository": "acme/svc1", "tag": "1"}, "replicas": 1}
LANE = {
    "apiVersion": "sidelane.dev/v1alpha1",
    "kind": "LaneDeployment",
    "lane": {"Version": "coco", "Build": "1"},
    "releases": [
        {"chart": "service", "name": "svc1", "serviceVersion": version, "values": IMAGE} for version in ("v1", "v2")
    ],
    "routes": [{"service": "svc1", "weights": {"v1": 1}}],
}
QUICK = {"steps": [100], "every": "0s", "between": "1ms"}


def test_each_verb_of_a_lane_works_with_exactly_the_rights_that_it_needs(client, with_least_rights, tmp_path):
    file, bundle = tmp_path / "lane.yaml", tmp_path / "lane.tar.gz"
    file.write_text(json.dumps(LANE))
    calls = {
        "plan": lambda each: each.plan(file),
        "apply": lambda each: each.apply(file),
        "graph": lambda each: each.graph(),
        "diff": lambda each: each.diff("coco-1", str(file)),
        "bundle": lambda each: each.bundle("coco-1", bundle),
        "route-list": lambda each: each.routes.list(),
        "route-show": lambda each: each.routes.show("svc1", "coco-1"),
        "route-set": lambda each: each.routes.set("svc1", "coco-1", {"v2": 1}),
        "route-undo": lambda each: each.routes.undo("svc1", "coco-1"),
        "route-shift": lambda each: each.routes.shift("svc1", "coco-1", "v2", **QUICK),
        "route-history": lambda each: each.routes.history("svc1", "coco-1"),
        "shift": lambda each: each.shifts.start("coco-1", "coco-2", **QUICK),
        "shift-status": lambda each: each.shifts.status(),
        "retire": lambda each: each.retire("coco-1", drain="0s"),
        "replay": lambda each: each.replay(bundle),
    }
    assert {*calls, *OF_A_RELEASE, "shift-promote", "guard-status"} == {*least_rights.VERBS}
    for verb, call in calls.items():
        if verb == "shift":
            client.install("service", "coco-2", name="svc1", service_version="v2", values=IMAGE, wait=True)
        result = with_least_rights(verb, call, file if verb in ("apply", "plan", "diff", "retire") else
                                   bundle if verb == "replay" else "")  # fmt: skip
        if verb == "apply":
            assert [release.change for release in result.releases] == ["created"] * 2
            assert [step.action for step in with_least_rights("plan", calls["plan"], file).steps] == ["unchanged"] * 2
        if verb == "shift":
            assert not with_least_rights(verb, lambda each: each.shifts.back()).changed
    assert {release.change for release in result.releases} == {"created"}
