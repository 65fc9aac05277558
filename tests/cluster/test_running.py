"""`verify` names every attempt that changed what runs, where there is no guard, and nothing before it."""

from __future__ import annotations

import contextlib
import http.server
import json
from typing import TYPE_CHECKING, Any

import pytest
from clusters import settled
from forbidden import HELM_FORGETS, LOCKED, NOTHING_RUNS, POD, RESTRICTED, SEEN, lane_names
from generated import created_chart
from sidelane import Client
from web_server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from clusters import Cluster

ATTEMPTS = {attempt.id: attempt for attempt in LOCKED}
IMAGE = {"repository": "acme/svc1", "tag": "1"}


@contextlib.contextmanager
def acting_before(cluster: Cluster, kind: str, act: Callable[[], None], folder: Path) -> Iterator[Path]:
    """A kubeconfig of the cluster, for reading. kind: `/pods`; act: what happens before the first answer about it."""
    acted: list[str] = []

    class Between(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0].endswith(kind) and not acted:
                acted.append(self.path)
                act()
            answer = cluster.api.session.get(cluster.api.url + self.path)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Between) as server:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps({
            "clusters": [{"name": "c", "cluster": {"server": server.url}}],
            "contexts": [{"name": "c", "context": {"cluster": "c"}}],
            "current-context": "c",
        }))  # fmt: skip
        yield kubeconfig
    assert acted


@pytest.fixture
def lane(cluster: Cluster, namespace: str, client: Client, helm: Path, tmp_path: Path) -> dict[str, str]:
    """A lane without a guard: ZooKeeper, a version of a service and its route, and a chart that knows no lanes.

    Returns names for attempts.
    """
    secure = {"securityContext": RESTRICTED, "podSecurityContext": {"runAsNonRoot": True}}
    client.install(created_chart(tmp_path / "demo", helm), "coco-1", conventions="helm", values=secure)
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    client.install("service", "coco-1", name="svc1", service_version="v1", values={"image": IMAGE}, wait=True)
    client.wait("coco-1")
    client.routes.set("svc1", "coco-1", {"v1": 1})
    cluster.create(f"/api/v1/namespaces/{namespace}/pods", {"metadata": {"name": "bystander"}, "spec": POD})
    return lane_names(cluster, namespace)


def lines(client: Client) -> list[str]:
    """Returns all that verify says about the lane."""
    return [
        line
        for result in client.verify("coco-1")
        for line in (
            *result.odd, *map(str, result.ran), *map(str, result.strangers),
            *result.notes, *result.operational, *result.changed,
            f"its status is {result.status}",
        )
    ]  # fmt: skip


def rolled_out(cluster: Cluster, namespace: str, deployment: str) -> bool:
    body = cluster.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
    status, wanted = body["status"], body["spec"]["replicas"]
    if status["observedGeneration"] < body["metadata"]["generation"]:
        return False
    return bool([status.get(count) for count in ("replicas", "updatedReplicas", "availableReplicas")] == [wanted] * 3)


@pytest.mark.either_helm
def test_every_attempt_that_changes_what_runs_is_named(
    cluster: Cluster, namespace: str, client: Client, lane: dict[str, str]
) -> None:
    known = {*NOTHING_RUNS, *HELM_FORGETS, *(name for each in SEEN for name in each)}
    assert known == ATTEMPTS.keys()
    assert [(result.state, result.notes) for result in settled(client, "coco-1")] == [("unchanged", ())] * 4
    unnamed: dict[str, Any] = {}
    for number, each in enumerate(SEEN):
        refused = {name: ATTEMPTS[name].made(cluster, namespace, lane) for name in each}
        # The garbage collector, or an attempt before, may have deleted it.
        assert [why for why in refused.values() if why and "not found" not in why] == []
        if "replica-set-image" in each:  # during a rollout the pods are named, and the ReplicaSet after it
            cluster.until("the rollout is over", lambda: rolled_out(cluster, namespace, "demo-coco-1"))
        said = lines(client)
        wanted = {name: line.format_map(lane) for name, line in each.items()}
        unnamed |= {name: (number, line) for name, line in wanted.items() if not any(line in part for part in said)}
        if "finalizer" in each:
            for path in (
                "/apis/apps/v1/namespaces/{}/statefulsets/zk-coco-1",
                "/api/v1/namespaces/{}/services/zk-cs-coco-1",
            ):
                cluster.patch(path.format(namespace), {"metadata": {"finalizers": None}})
    assert unnamed == {}, "\n".join(map(str, unnamed.items()))
    for name in HELM_FORGETS:
        assert not ATTEMPTS[name].made(cluster, namespace, lane)
        said = lines(client)
        gone = "Service zk-hs-coco-1: it has the labels of lane coco-1, and says that it is of zookeeper-coco-1"
        assert any(gone in line for line in said), name


#: Its rollout to other nodes waits until a node has the label, and then replaces the pod at once.
ROLLING = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  revisionHistoryLimit: {{ .Values.history }}
  selector: {matchLabels: &web {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: *web}
    spec: {{ merge (dict "nodeSelector" .Values.nodes) .Values.pod | toJson }}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.mark.parametrize("history", [10, 0])
@pytest.mark.either_helm
def test_a_rollout_that_ends_while_verify_reads_is_no_drift(
    history: int, cluster: Cluster, namespace: str, plain: Callable[..., Any], helm: Path, tmp_path: Path
) -> None:
    chart = tmp_path / "rolling"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: rolling\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text(json.dumps({"pod": POD, "nodes": {}, "history": history}))
    (chart / "templates" / "all.yaml").write_text(ROLLING)
    plain("install", "rolling-coco-1", chart)
    cluster.until("its pod is ready", lambda: cluster.ready_pods(namespace))
    plain("upgrade", "rolling-coco-1", chart, "--set", f"nodes.{namespace}=free")
    pods = f"/api/v1/namespaces/{namespace}/pods"
    revisions = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
    cluster.until("both revisions have a pod", lambda: len(cluster.names(pods)) == 2)

    def end() -> None:
        node = f"/api/v1/nodes/{cluster.names('/api/v1/nodes')[0]}"
        cluster.patch(node, {"metadata": {"labels": {namespace: "free"}}})
        cluster.until("the rollout has ended", lambda: rolled_out(cluster, namespace, "web"), seconds=120)
        cluster.until("its pods are gone", lambda: len(cluster.names(pods)) == 1)
        if not history:
            cluster.until("its revision is gone", lambda: len(cluster.names(revisions)) == 1)
        cluster.patch(node, {"metadata": {"labels": {namespace: None}}})

    with acting_before(cluster, "/replicasets", end, tmp_path) as kubeconfig:  # after the answer about pods
        (result,) = Client(namespace=namespace, kubeconfig=kubeconfig, helm=helm).verify("rolling-coco-1")
    assert (result.state, result.ran, result.strangers) == ("unrecorded", (), ())


@pytest.mark.either_helm
def test_a_route_that_changes_while_verify_reads_is_no_drift(
    cluster: Cluster, namespace: str, client: Client, helm: Path, tmp_path: Path
) -> None:
    for version in ("v1", "v2"):
        client.install("service", "coco-1", name="svc1", service_version=version, values={"image": IMAGE}, wait=True)
    client.routes.set("svc1", "coco-1", {"v1": 1})
    changed: list[str] = []

    def change() -> None:
        changed.append(client.routes.set("svc1", "coco-1", {"v2": 1}).change)

    with acting_before(cluster, "/services", change, tmp_path) as kubeconfig:  # after Helm's releases
        results = Client(namespace=namespace, kubeconfig=kubeconfig, helm=helm).verify("coco-1")
    assert changed == ["changed"]
    assert {result.state for result in results} == {"unchanged"}
