"""The guard on a real node: controllers, the kubelet, an autoscaler and the garbage collector work under it."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from clusters import Cluster, connect, settled
from pykube.exceptions import HTTPError
from sidelane import Client

if TYPE_CHECKING:
    from pathlib import Path

    from nodecluster import NodeCluster

LANE, NAME = "coco-1", "svc1-v1-coco-1"
VALUES = {
    "image": {"repository": "acme/svc1", "tag": "1.4.0"},
    "ports": [{"name": "http", "port": 8080, "containerPort": 8080}],
    "drainSeconds": 0,
    "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
}
AUTOSCALER = {"Impersonate-User": "system:serviceaccount:kube-system:horizontal-pod-autoscaler"}


def token(cluster: Cluster, namespace: str, role: str) -> Path:
    """Returns a kubeconfig of an account of the guard, with a token that expires."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{role}-guard-1/token"
    made = cluster.create(path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
    config = json.loads(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": made}
    target = cluster.kubeconfig.with_name(f"{role}-{secrets.token_hex(4)}")
    target.write_text(json.dumps(config))
    return target


def is_set(cluster: Cluster, namespace: str, mode: str | None) -> bool:
    """Sets the namespace's label, if the guard lets it."""
    try:
        cluster.patch(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {"sidelane.dev/guard": mode}}})
    except HTTPError:
        return False
    return True


def states(client: Client) -> list[Any]:
    return [(result.state, result.strangers, result.ran) for result in settled(client, LANE)]


@pytest.mark.parametrize("helm", ["helm4"], indirect=True)
def test_what_controllers_do_passes_under_the_guard(
    node: NodeCluster, cluster: Cluster, namespace: str, helm: Path
) -> None:
    administrator = Client(namespace="kube-system", kubeconfig=cluster.kubeconfig, helm=helm)
    administrator.install("guard", "guard-1", values={"namespaces": [namespace]})
    assert is_set(cluster, namespace, "deny")
    account = token(cluster, namespace, "deployer")
    deployer = Client(namespace=namespace, kubeconfig=account, helm=helm)
    observer = Client(namespace=namespace, kubeconfig=token(cluster, namespace, "observer"), helm=helm)
    assert deployer.guard_status()[0].enforced
    deployer.install(
        "service",
        LANE,
        values={**VALUES, "name": "svc1", "serviceVersion": "v1"},
        wait=True,
        timeout="90s",
        require_guard=True,
    )
    unchanged = [("unchanged", (), ())]
    assert states(observer) == unchanged
    # An administrator changes nothing, the autoscaler the number of pods.
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{NAME}"
    with pytest.raises(HTTPError, match=r"spec\.template"):
        cluster.patch(path, {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}})
    scale = cluster.get(f"{path}/scale")
    scale["spec"]["replicas"] = 3
    with pytest.raises(HTTPError, match="lane-scale"):
        cluster.request("PUT", f"{path}/scale", scale)
    cluster.request("PUT", f"{path}/scale", scale, **AUTOSCALER)
    cluster.until("3 pods are ready", lambda: len(cluster.ready_pods(namespace)) == 3, 90)
    assert states(observer) == unchanged
    # The kubelet ends an evicted pod, and controllers replace it.
    pod = cluster.ready_pods(namespace)[0]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    cluster.create(f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction", eviction)
    cluster.until("the pod is gone", lambda: pod not in cluster.names(f"/api/v1/namespaces/{namespace}/pods"), 90)
    cluster.until("3 pods are ready", lambda: len(cluster.ready_pods(namespace)) == 3, 90)
    # A rollout restart by the deployer: new ReplicaSets, and the garbage collector at work.
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-11-27T12:00:00Z"}
    before = set(cluster.names(f"/api/v1/namespaces/{namespace}/pods"))
    connect(account, node).patch(path, {"spec": {"template": {"metadata": {"annotations": restarted}}}})
    cluster.until(
        "every pod is new", lambda: not before & set(cluster.names(f"/api/v1/namespaces/{namespace}/pods")), 120
    )
    assert states(observer) == unchanged
    assert [len(state.restarts) for state in observer.verify(LANE)] == [1]
    deployer.retire(LANE, drain="0s")
    cluster.until("no pod is left", lambda: not cluster.names(f"/api/v1/namespaces/{namespace}/pods"), 90)
    administrator.uninstall("guard", "guard-1", delete_cluster_objects=True)
    # A moment later nothing holds the namespace.
    cluster.until("the guard lets the label go", lambda: is_set(cluster, namespace, None), 30)
