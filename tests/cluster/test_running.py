"""`verify` names every attempt that changed what runs, where there is no guard, and nothing before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from clusters import settled
from forbidden import HELM_FORGETS, LOCKED, NOTHING_RUNS, POD, RESTRICTED, SEEN, lane_names
from generated import created_chart

if TYPE_CHECKING:
    from pathlib import Path

    from clusters import Cluster
    from sidelane import Client

ATTEMPTS = {attempt.id: attempt for attempt in LOCKED}
IMAGE = {"repository": "acme/svc1", "tag": "1"}


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
