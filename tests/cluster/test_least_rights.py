"""Every verb that uses a cluster, as somebody who has exactly the rights that `sidelane guard role` prints for it.

The Helms need different ones: Helm 4 watches objects when it waits.
"""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from clusters import settled
from sidelane import Client
from sidelane.errors import ClusterDenied, Refused
from sidelane.releases import least_rights

RBAC = "/apis/rbac.authorization.k8s.io/v1"


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
        cluster.request("PUT", f"{RBAC}/namespaces/{namespace}/roles/limited", role)
        try:
            return work(each)
        except ClusterDenied as denied:
            pytest.fail(f"{verb}: {denied}")

    return run


WRITING = {
    "install", "upgrade", "apply", "replay", "repair", "uninstall", "retire", "route-set", "route-undo", "route-shift",
    "shift", "shift-promote",
}  # fmt: skip
#: The verbs of the next test. The others are in the one after it.
OF_A_RELEASE = {"install", "list", "record", "check", "wait", "status", "verify", "upgrade", "repair", "uninstall"}


def test_each_verb_of_a_release_works_with_exactly_the_rights_that_it_needs(
    cluster, namespace, client, with_least_rights
):
    policy = {"networkPolicy": {"enabled": True}}  # an operational value, for upgrade
    calls = {
        "install": lambda each: each.install("zookeeper", "coco-1", values={"replicas": 1}, wait=True),
        "list": lambda each: each.list(),
        "record": lambda each: each.record("zookeeper-coco-1"),
        "check": lambda each: each.check_deployed("zookeeper-coco-1"),
        "wait": lambda each: each.wait("zookeeper-coco-1", timeout="2m"),
        "status": lambda each: each.status("zookeeper-coco-1"),
        "verify": lambda each: settled(each, "zookeeper-coco-1"),
        "upgrade": lambda each: each.upgrade("zookeeper", "coco-1", values={"replicas": 1, **policy}, wait=True),
        "repair": lambda each: each.repair("zookeeper-coco-1"),
        "uninstall": lambda each: each.uninstall("zookeeper-coco-1", wait=True),
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


@pytest.mark.either_helm
def test_each_verb_of_a_lane_works_with_exactly_the_rights_that_it_needs(client, with_least_rights, tmp_path):
    file, bundle = tmp_path / "lane.yaml", tmp_path / "lane.tar.gz"
    file.write_text(json.dumps(LANE))

    def promoted(each):
        """Ends the only step of a shift that somebody else runs."""
        with ThreadPoolExecutor() as pool:
            gates = {"gates": ["manual"], **QUICK, "between": "500ms"}
            shift = pool.submit(client.shifts.start, "coco-1", "coco-2", **gates)
            while not shift.done():
                with contextlib.suppress(Refused):  # it has not begun yet
                    each.shifts.promote()
                    break
        assert shift.result().outcome == "done"

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
        "shift-promote": promoted,
        "retire": lambda each: each.retire("coco-1", drain="0s"),
        "replay": lambda each: each.replay(bundle),
    }
    assert {*calls, *OF_A_RELEASE, "guard-status"} == {*least_rights.VERBS}
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


@pytest.mark.either_helm
def test_the_guard_of_a_namespace_is_shown_to_who_has_the_cluster_role_for_it(cluster, namespace, helm, client):
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    token = cluster.create(f"{accounts}/default/token", {"spec": {"expirationSeconds": 3600}})["status"]["token"]
    each = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, kube_token=token, helm=helm)
    with pytest.raises(ClusterDenied, match="get namespaces"):
        each.guard_status()
    role = client.guard_role("guard-status")
    role["metadata"]["name"] = namespace
    cluster.create(f"{RBAC}/clusterroles", role)
    binding = {
        "metadata": {"name": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": namespace},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    cluster.create(f"{RBAC}/clusterrolebindings", binding)
    (guarding,) = each.guard_status()
    assert (guarding.namespace, guarding.known) == (namespace, True)
