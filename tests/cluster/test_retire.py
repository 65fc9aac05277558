"""Retiring on a real API server: what holds a lane, what stays of it, and what it costs among many releases."""

import threading

import helm_secrets
import pytest
from generated import tiny_chart, tiny_service
from sidelane.errors import ReleaseConflict, ReleaseNotFound, StillHeld
from sidelane.releases.stores import helpers

pytestmark = pytest.mark.either_helm

STAGES = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
releases:
  - {chart: zookeeper, values: {replicas: 1}}
  - {chart: ./tiny, name: svc1, serviceVersion: v1, needs: [zookeeper]}
  - {chart: ./tiny, name: svc2, serviceVersion: v1, needs: [svc1-v1]}
"""


@pytest.fixture
def file(tmp_path):
    tiny_chart(tmp_path / "tiny")
    (tmp_path / "lane.yaml").write_text(STAGES)
    return tmp_path / "lane.yaml"


def claims(cluster, namespace):
    return cluster.names(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")


def test_a_lane_goes_and_its_claims_only_when_asked_for(cluster, namespace, counted, file):
    client, started = counted
    for build in (1, 2):
        client.apply(file, build=build)
    with pytest.raises(StillHeld, match="svc1-v1-coco-1 needs zookeeper-coco-1"):
        client.retire("zookeeper", "coco-1")
    started()
    first = client.retire("coco-1")
    assert started()["status"] == 6, "each release is read for the plan and for its removal"
    assert first.releases == ("svc2-v1-coco-1", "svc1-v1-coco-1", "zookeeper-coco-1")
    assert (first.claims, first.kept_claims) == ((), ("data-zk-coco-1-0",))
    assert claims(cluster, namespace) == ["data-zk-coco-1-0", "data-zk-coco-2-0"]
    gone = client.retire("coco-2", delete_claims=True)
    assert gone.claims == ("data-zk-coco-2-0",)
    assert claims(cluster, namespace) == ["data-zk-coco-1-0"]
    assert client.list() == ()
    # What is asked for later, or by the next run of one that was killed, goes too.
    assert client.retire("coco-1", delete_claims=True).claims == ("data-zk-coco-1-0",)
    assert claims(cluster, namespace) == []
    with pytest.raises(ReleaseNotFound):
        client.retire("coco-1", delete_claims=True)


def test_claims_that_take_their_time_are_waited_for(cluster, namespace, client, plain, tmp_path):
    """A claim stays until no pod uses it, as a finalizer of Kubernetes has it; this one is of our own."""
    client.install("zookeeper", "coco-1", values={"replicas": 1}, wait=True)
    claim = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data-zk-coco-1-0"
    cluster.patch(claim, {"metadata": {"finalizers": ["example.org/in-use"]}})
    # What a process left that was killed while it deleted claims is in nobody's way.
    (tmp_path / "left" / "templates").mkdir(parents=True)
    (tmp_path / "left" / "Chart.yaml").write_text("apiVersion: v2\nname: claims\nversion: 0.1.0\n")
    plain("install", helpers.name("claims", "coco-1"), tmp_path / "left", "--labels", "sidelane.dev/helper=true")
    freed = threading.Timer(5, lambda: cluster.patch(claim, {"metadata": {"finalizers": None}}))
    freed.start()
    client.retire("coco-1", delete_claims=True)
    assert freed.finished.is_set()
    assert (claims(cluster, namespace), client.list()) == ([], ())


def test_a_lane_that_a_route_leads_to_is_held(client, tmp_path):
    service = tiny_service(tmp_path / "tiny")
    for build in (1, 2):
        client.install(service, f"coco-{build}", name="svc1", service_version="v1")
    client.routes.set("svc1", "coco-1", {"coco-2/v1": 1}, allow_unready=True)
    with pytest.raises(StillHeld, match="route-svc1-coco-1 leads to svc1-v1-coco-2"):
        client.retire("coco-2")
    # Nobody knows who calls the name of a lane that was not named: its route holds it.
    proposed = {str(proposal.lane): proposal.held for proposal in client.outdated(0)}
    assert proposed == {
        "coco-1": ("route-svc1-coco-1 is a name that callers may use",),
        "coco-2": ("route-svc1-coco-1 leads to svc1-v1-coco-2 (weight 1 of 1)",),
    }
    assert client.status("svc1-v1-coco-2").status == "deployed"
    client.uninstall("route-svc1-coco-1")
    assert client.retire("coco-2").gone


@pytest.mark.parametrize("helm", ["helm4"], indirect=True)  # it is Sidelane that calls it once, or more often
def test_list_and_proposals_cost_a_constant_number_of_helm_calls(cluster, namespace, counted):
    client, started = counted
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    (secret,) = helm_secrets.revisions(cluster, namespace)
    release = helm_secrets.content(secret) | {"manifest": ""}
    release["chart"] = {"metadata": release["chart"]["metadata"]}
    for build in range(2, 61):  # as Helm would have stored them, without the time that they would take
        name = f"zookeeper-coco-{build}"
        labels = {**secret["metadata"]["labels"], "name": name, "sidelane.dev/lane": f"coco-{build}"}
        metadata = {"name": f"sh.helm.release.v1.{name}.v1", "labels": labels}
        body = {"metadata": metadata, "type": secret["type"], "data": helm_secrets.data({**release, "name": name})}
        cluster.create(f"/api/v1/namespaces/{namespace}/secrets", body)
    started()
    assert len(client.list()) == 60
    assert started() == {"list": 1}
    assert len(client.outdated(3)) == 57
    assert started() == {"list": 3}  # the releases, and twice which of them are Sidelane's


def test_an_uninstall_that_was_killed_is_told_and_ended_by_the_next(cluster, namespace, client, tmp_path):
    """Helm marks a release as `uninstalling` first and removes its objects then."""
    chart = tiny_chart(tmp_path / "tiny")
    ends = (client.uninstall, lambda *_: client.retire("coco-1"))
    for end in ends:
        client.install(chart, "coco-1", name="svc1")
        (secret,) = helm_secrets.revisions(cluster, namespace, "svc1-v1-coco-1")
        release = helm_secrets.content(secret)
        release["info"]["status"] = "uninstalling"
        path = f"/api/v1/namespaces/{namespace}/secrets/{secret['metadata']['name']}"
        body = {"metadata": {"labels": {"status": "uninstalling"}}, "data": helm_secrets.data(release)}
        cluster.patch(path, body)
        for name in cluster.names(f"/api/v1/namespaces/{namespace}/configmaps"):
            if name.endswith("coco-1"):
                cluster.delete(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        with pytest.raises(ReleaseConflict, match="the uninstall of svc1-v1-coco-1 is incomplete") as refused:
            client.install(chart, "coco-1", name="svc1")
        assert f"`sidelane uninstall svc1-v1-coco-1 -n {namespace}" in refused.value.remedy
        end("svc1-v1-coco-1")
        assert client.list("coco-1") == ()
    assert client.install(chart, "coco-1", name="svc1").change == "created"
