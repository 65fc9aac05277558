"""Two services shifted from lane to lane in lockstep through kube-proxy: no failed request; and a pod that restarts.

`make soak` plays twenty shifts, under each Helm.
"""

import contextlib
import os
import threading
import time

import pytest
from clusters import new_namespace
from sidelane import Client, Lane
from sidelane.errors import GateFailed

from node.calls import Calls
from node.pods import Pods

OLD, NEW = Lane("2-coco", 1), Lane("2-coco", 2)
TAGS = {OLD: "1.4.0", NEW: "1.5.0"}
SERVICES = ("svc1", "svc2")
ROUNDS = int(os.environ.get("SIDELANE_SOAK_LOCKSTEP_ROUNDS", "2"))
SECONDS = 60  # until everybody has learned of a change who has to
VALUES = {
    "replicas": 1,
    "podDisruptionBudget": {"enabled": False},
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1},
    "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "96Mi"}},
}
pytestmark = pytest.mark.either_helm


@pytest.fixture(scope="module")
def namespace(cluster):
    """A namespace for all tests of this file."""
    with new_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def pods(node, cluster, namespace, helm):
    """A pod of each service in each lane."""
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    for lane, tag in TAGS.items():
        for service in SERVICES:
            values = {**VALUES, "image": {"repository": "acme/svc1", "tag": tag}}
            client.install("service", lane, name=service, service_version="v1", values=values)
    cluster.until("all pods are ready", lambda: len(cluster.ready_pods(namespace)) == 4, SECONDS)
    client.routes.set_together(SERVICES, OLD, {"v1": 1})
    return Pods(node, cluster, namespace)


class Traffic:
    """Requests to the stable name of each service, each on a connection of its own."""

    def __init__(self, pods, stack):
        self._calls = {}
        for service in SERVICES:
            path = f"/api/v1/namespaces/{pods.namespace}/services/{service}-{OLD}"
            address = pods.cluster.get(path)["spec"]["clusterIP"]
            ask = ("curl", "-sf", "-m1", f"http://{address}/")
            pods.cluster.until("it answers", lambda ask=ask: pods.node.run(*ask, capture_output=True).stdout, SECONDS)
            self._calls[service] = stack.enter_context(Calls(pods.node.enter(), address))

    def lead_to(self, lane, after):
        """Returns once all new connections lead to a lane. Fails when any request has failed since the last time."""
        deadline = time.monotonic() + SECONDS
        while True:
            asked = {service: calls.asked() for service, calls in self._calls.items()}
            assert [each.failed for each in asked.values()] == [[], []], f"requests that failed around: {after}"
            if all(each.versions.keys() == {TAGS[lane]} for each in asked.values()):
                return
            assert time.monotonic() < deadline, f"after {after} requests still go elsewhere: {asked}"


def test_no_request_fails_while_two_services_are_shifted_and_taken_back(pods, client):
    with contextlib.ExitStack() as stack:
        traffic = Traffic(pods, stack)
        traffic.lead_to(OLD, "the route")
        for number in range(ROUNDS):
            reached = []

            def step(shift, reached=reached):
                reached.append(shift.events[-1].kind)
                if reached[-1] == "step":
                    traffic.lead_to(NEW, "the step")

            how = {"every": "1s", "between": "200ms", "tell": step}
            if number % 2:
                with pytest.raises(GateFailed, match="at 100 % from 2-coco-1 to 2-coco-2, and each of 2 routes"):
                    client.shifts.start(OLD, NEW, gates=["command false"], **how)
                assert reached == ["step", "failed", "ended"]
            else:
                assert client.shifts.start(OLD, NEW, gates=["command true"], **how).outcome == "done"
                traffic.lead_to(NEW, "the shift")
                client.shifts.back()
            traffic.lead_to(OLD, "the return")


def test_a_container_that_restarts_takes_all_routes_back(pods, client, cluster, namespace):
    (victim,) = pods.of(f"svc2-v1-{NEW}")
    name = victim["metadata"]["name"]

    def step(shift):
        if shift.events[-1].kind == "step":
            # A moment later: the restarts of a step are those since its begin.
            threading.Timer(3, pods.kill, (name, victim["spec"]["containers"][0]["name"])).start()

    with pytest.raises(GateFailed, match=f"no container of the targets restarts: {name} restarted 1 times"):
        client.shifts.start(OLD, NEW, every="5m", between="8s", tell=step)
    for service in SERVICES:
        path = f"/api/v1/namespaces/{namespace}/services/{service}-{OLD}"
        assert cluster.get(path)["spec"]["selector"]["sidelane.dev/lane"] == str(OLD)
