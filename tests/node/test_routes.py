"""Requests through kube-proxy while where they are led is changed, and what they are led to: none fails.

`make soak` makes 20,000 of them in each test that goes round, under each Helm.
"""

import os
import time
from contextlib import contextmanager

import pytest
from clusters import new_namespace
from sidelane import Client

from node.calls import Calls
from node.pods import Pods

LANE = "2-coco-1"
DEPLOYMENT = f"svc1-v2-{LANE}"
REQUESTS = int(os.environ.get("SIDELANE_SOAK_REQUESTS", "2000"))
TAGS = {"v1": "1.4.0", "v2": "1.5.0"}
SECONDS = 60  # until everybody has learned of a change who has to
VALUES = {
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1},
    "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "96Mi"}},
}
pytestmark = pytest.mark.either_helm(shared=True)
CALLER = {
    "name": "caller",
    "image": "docker.io/acme/svc1:1.4.0",
    "command": ["sleep", "infinity"],
    "securityContext": {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    },
}


@pytest.fixture(scope="module")
def namespace(cluster, helm):
    """A namespace for all tests of this file, of one Helm."""
    with new_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def pods(node, cluster, namespace, helm):
    """The pods of two versions of svc1, and one to call them from."""
    pods_ = Pods(node, cluster, namespace)
    spec = {"containers": [CALLER], "terminationGracePeriodSeconds": 0}
    cluster.create(pods_.path, {"metadata": {"name": "caller"}, "spec": spec})
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    for version, tag in TAGS.items():
        values = {**VALUES, "image": {"repository": "acme/svc1", "tag": tag}}
        client.install("service", LANE, name="svc1", service_version=version, values=values)
    cluster.until("all pods are ready", lambda: len(cluster.ready_pods(namespace)) == 5, SECONDS)
    return pods_


@pytest.fixture
def traffic(pods, client, record_property):
    """Requests to the stable name, which leads to v1."""
    client.routes.set("svc1", LANE, {"v1": 1})
    with calling(pods, "v1") as traffic:
        traffic.lead_to("v1", "the route")
        yield traffic
        record_property("requests", traffic.made)


class Traffic:
    """Requests from the node and from a pod, each on a connection of its own, and a caller who keeps his alive."""

    def __init__(self, on_node, in_pod, persistent):
        self.each = (on_node, in_pod, persistent)
        self.persistent = persistent

    def lead_to(self, version, after):
        """Returns once all new connections lead to a version. Fails when any request has failed since the last time."""
        deadline = time.monotonic() + SECONDS
        while True:
            asked = [calls.asked() for calls in self.each]
            assert [load.failed for load in asked] == [[], [], []], f"requests that failed around: {after}"
            if all(load.versions.keys() == {TAGS[version]} for load in asked[:2]):
                return
            assert time.monotonic() < deadline, f"after {after} requests still go elsewhere: {asked}"

    @property
    def made(self):
        return sum(calls.made for calls in self.each)


@contextmanager
def calling(pods, version):
    """Requests to the stable name, which leads to a version already."""
    service = f"/api/v1/namespaces/{pods.namespace}/services/svc1-{LANE}"
    address = pods.cluster.get(service)["spec"]["clusterIP"]
    # What was led there a moment ago is not known to everybody yet.
    ask = ("curl", "-sf", "-m1", f"http://{address}/")
    there = f"{TAGS[version]} "
    pods.cluster.until("it leads there", lambda: pods.node.run(*ask, capture_output=True).stdout.startswith(there))
    with (
        Calls(pods.node.enter(), address) as on_node,
        Calls(pods.enter("caller", "caller"), f"svc1-{LANE}") as in_pod,
        Calls(pods.node.enter(), address, callers=1, keep_alive=True) as persistent,
    ):
        yield Traffic(on_node, in_pod, persistent)


def test_no_request_fails_while_routes_are_set_undone_and_shifted(client, traffic):
    while traffic.made < REQUESTS:
        client.routes.set("svc1", LANE, {"v2": 1})
        traffic.lead_to("v2", "set")
        client.routes.undo("svc1", LANE)
        traffic.lead_to("v1", "undo")
        shift = client.routes.shift("svc1", LANE, "v2", steps=[100], every="1s", between="200ms")
        assert shift.outcome == "done"
        traffic.lead_to("v2", "shift")
        client.routes.set("svc1", LANE, {"v1": 1})
        traffic.lead_to("v1", "setting it back")


def test_no_request_fails_while_pods_are_deleted_and_restarted(client, traffic, pods, cluster, namespace):
    client.routes.set("svc1", LANE, {"v2": 1})
    traffic.lead_to("v2", "set")
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{DEPLOYMENT}"

    def others_are_ready(before):
        now = [pod["metadata"]["name"] for pod in pods.of(DEPLOYMENT)]
        return len(now) == 2 and not set(before) & set(now) and set(now) <= set(cluster.ready_pods(namespace))

    def are_gone(names):
        return not set(names) & set(cluster.names(pods.path))

    while traffic.made < REQUESTS:
        first, other = (pod["metadata"]["name"] for pod in pods.of(DEPLOYMENT))
        cluster.delete(f"{pods.path}/{first}")
        cluster.until("the pod is gone", lambda gone=first: are_gone([gone]), SECONDS)
        cluster.until("another is ready", lambda gone=first: others_are_ready([gone]), SECONDS)
        traffic.lead_to("v2", "deletion of a pod")
        before = [pod["metadata"]["name"] for pod in pods.of(DEPLOYMENT)]
        assert other in before
        # What `kubectl rollout restart` does.
        again = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": str(time.time())}}}
        cluster.patch(path, {"spec": {"template": again}})
        cluster.until("all pods are new", lambda before=before: others_are_ready(before), SECONDS)
        cluster.until("the old ones are gone", lambda before=before: are_gone(before), SECONDS)
        traffic.lead_to("v2", "a rolling restart")


def test_no_request_fails_while_a_version_is_retired(client, traffic, pods):
    """The last test: v1 goes. Until then who keeps a connection to it stays with it, as charts/route says."""
    left = time.monotonic()
    client.routes.set("svc1", LANE, {"v2": 1})
    traffic.lead_to("v2", "set")
    traffic.persistent.asked()
    assert {version for asked in traffic.persistent.all for version in asked.versions} == {"1.4.0"}
    gone = client.retire("svc1-v1", LANE, drain="8s")
    assert time.monotonic() - left >= 7, "what was open had its time, to the second"
    assert gone.releases == (f"svc1-v1-{LANE}",)
    pods.cluster.until("its pods are gone", lambda: "svc1-v1" not in str(pods.cluster.names(pods.path)), SECONDS)
    traffic.lead_to("v2", "retirement")
    assert traffic.persistent.asked().versions.keys() == {"1.5.0"}
    assert [failed for asked in traffic.persistent.all for failed in asked.failed] == []
    assert sum(asked.connections for asked in traffic.persistent.all) == 2, (
        "the first, and another once v1 had closed it"
    )
