"""The chart guard on a real API server: nobody changes a deployed lane, and pipelines and controllers still work.

Each attempt of the table is first made with `dryRun` in a namespace that is not guarded, where it must succeed, so that
a refusal is the guard's and not that of an invalid request.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import typed
from clusters import Cluster, alone, connect
from forbidden import DEPLOYMENT, LOCKED, POD, ROUTE, STATEFULSET, Attempt, delete, lane_names, patch
from generated import created_chart
from pykube.exceptions import HTTPError
from sidelane import Client
from sidelane.errors import ClusterDenied, Refused
from sidelane.releases.guarding import POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACES = "/api/v1/namespaces"
WORKLOADS = "/apis/apps/v1/namespaces"


class Guarded(NamedTuple):
    """A namespace with a lane: ZooKeeper, a version of a service and its route, installed by the deployer."""

    cluster: Cluster  # as an administrator, who is in no break-glass group
    namespace: str
    deployer: Client
    router: Client
    names: dict[str, str]  # for the paths of the attempts

    def identity(self, role: str) -> Cluster:
        return connect(credentials(self.cluster, self.namespace, role), self.cluster.plane)

    def label(self, mode: str | None) -> None:
        """Sets the mode as a member of the break-glass group."""
        body = {"metadata": {"labels": {"sidelane.dev/guard": mode}}}
        headers = {"Content-Type": "application/merge-patch+json", **BREAK_GLASS}
        self.cluster.request("PATCH", f"{NAMESPACES}/{self.namespace}", body, **headers)

    def attempt(self, attempt: Attempt, query: str = "", by: Cluster | None = None, **headers: str) -> str:
        """Makes the attempt; returns the refusal, empty if there was none."""
        return attempt.made(by or self.cluster, self.namespace, self.names, query, **headers)


BREAK_GLASS = {"Impersonate-User": "on-call", "Impersonate-Group": "sidelane:break-glass"}


def credentials(cluster: Cluster, namespace: str, role: str) -> Path:
    """Returns a kubeconfig with a token of the namespace's own service account, which expires."""
    path = f"{NAMESPACES}/{namespace}/serviceaccounts/{role}-guard-1/token"
    token = cluster.create(path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
    config = json.loads(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    target = cluster.kubeconfig.with_name(f"{role}-{secrets.token_hex(4)}")
    target.write_text(json.dumps(config))
    return target


@pytest.fixture(autouse=True)
def only_guard() -> Iterator[None]:
    """The chart's objects have no namespace."""
    with alone(typed.ROOT / "charts" / "guard"):
        yield


@pytest.fixture
def guarded(cluster: Cluster, namespace: str, helm: Path, client: Client) -> Iterator[Guarded]:
    """A lane in a namespace that is not labelled yet, installed by the guard's own service accounts."""
    administrator = Client(namespace="kube-system", kubeconfig=cluster.kubeconfig, helm=helm)
    # kwok plays the kubelets.
    administrator.install("guard", "guard-1", values={"namespaces": [namespace], "controllers": {"users": ["kwok"]}})
    deployer, router = (
        Client(namespace=namespace, kubeconfig=credentials(cluster, namespace, role), helm=helm)
        for role in ("deployer", "router")
    )
    (warning,) = deployer.install("zookeeper", "coco-1", values={"replicas": 1}).warnings
    assert f"the namespace {namespace} has no label sidelane.dev/guard=deny" in warning
    image = {"repository": "acme/svc1", "tag": "1"}
    values = {"image": image, "replicas": 1}
    deployer.install("service", "coco-1", name="svc1", service_version="v1", values=values)
    deployer.wait("coco-1")
    router.routes.set("svc1", "coco-1", {"v1": 1})
    cluster.create(f"{NAMESPACES}/{namespace}/pods", {"metadata": {"name": "bystander"}, "spec": POD})
    group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "sidelane:break-glass"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    binding = {"metadata": {"name": "break-glass"}, "roleRef": role, "subjects": [group]}
    cluster.create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", binding)
    guarded = Guarded(cluster, namespace, deployer, router, lane_names(cluster, namespace))
    yield guarded
    # Whatever the label of the namespace is.
    administrator.uninstall("guard", "guard-1", delete_cluster_objects=True)


@pytest.mark.either_helm
def test_nobody_changes_a_lane_under_the_guard(guarded: Guarded, plain: Any, helm: Path, tmp_path: Path) -> None:
    """In one test, because a lane under the guard takes most of the time."""
    guarded.deployer.install(created_chart(tmp_path / "demo", helm), "coco-1", conventions="helm")
    _every_attempt_is_refused(guarded)
    _helm_alone_and_other_charts_change_nothing_either(guarded, plain, tmp_path)
    _the_label_and_the_namespace_stay_until_break_glass(guarded)
    _break_glass_deletes_the_namespace(guarded)


def _every_attempt_is_refused(guarded: Guarded) -> None:
    assert len({attempt.id for attempt in LOCKED}) == len(LOCKED) > 80
    invalid = {a.id: refusal for a in LOCKED if (refusal := guarded.attempt(a, "dryRun=All"))}
    assert invalid == {}
    before = _specs(guarded)
    guarded.label("deny")
    refusals = {a.id: guarded.attempt(a) for a in LOCKED}
    assert [name for name, refusal in refusals.items() if "guard-1" not in refusal] == []
    unclear = [name for name, refusal in refusals.items() if "failed expression" in refusal]
    assert unclear == []
    for role, may in {"router": {"route-by-hand", f"delete-{ROUTE}"}, "observer": set[str]()}.items():
        who = guarded.identity(role)
        assert [a.id for a in LOCKED if a.id not in may and not guarded.attempt(a, by=who)] == []
    assert _specs(guarded) == before


def _specs(guarded: Guarded) -> list[Any]:
    return [
        (item["metadata"]["name"], item["metadata"].get("labels"), item["spec"])
        for kind in (
            "/apis/apps/v1/namespaces/{}/deployments",
            "/apis/apps/v1/namespaces/{}/statefulsets",
            "/api/v1/namespaces/{}/services",
        )
        for item in guarded.cluster.list(kind.format(guarded.namespace))
    ]


def test_what_is_legitimate_passes_under_the_guard(guarded: Guarded) -> None:
    cluster, namespace, deployer, router = guarded.cluster, guarded.namespace, guarded.deployer, guarded.router
    (before,) = router.guard_status()
    assert (before.mode, before.enforced) == ("none", False)
    assert f"`kubectl label namespace {namespace} sidelane.dev/guard=deny --overwrite`" in before.gaps[0]
    with pytest.raises(Refused, match=f"the namespace {namespace} is not guarded"):
        deployer.install("zookeeper", "coco-1", values={"replicas": 1}, require_guard=True)
    guarded.label("deny")
    assert [(state.namespace, state.policies, state.gaps) for state in deployer.guard_status()] == [
        (namespace, POLICIES, ())
    ]
    image = {"repository": "acme/svc1", "tag": "1"}
    # The deployer: the same again, an upgrade that removes an object, a new version, a rollout restart, verify.
    values: dict[str, Any] = {"image": image, "replicas": 1}
    again = deployer.install("service", "coco-1", name="svc1", service_version="v1", values=values)
    assert again.change == "unchanged"
    values |= {"replicas": 2, "podDisruptionBudget": {"enabled": False}}
    upgrade = deployer.upgrade("service", "coco-1", name="svc1", service_version="v1", values=values, wait=True)
    assert upgrade.change == "upgraded"
    on = {"image": {**image, "tag": "2"}, "autoscaling": {"enabled": True, "minReplicas": 1}}
    made = deployer.install(
        "service", "coco-1", name="svc1", service_version="v2", values=on, wait=True, require_guard=True
    )
    assert made.warnings == ()
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-11-27T12:00:00Z"}
    restart = patch("restart", "apps/v1", STATEFULSET, spec={"template": {"metadata": {"annotations": restarted}}})
    assert guarded.attempt(restart, by=guarded.identity("deployer")) == ""
    by_hand = restart._replace(body=json.loads(json.dumps(restart.body).replace("T12", "T13")))
    assert "spec.template" in guarded.attempt(by_hand)
    deployer.wait("coco-1", timeout="3m")
    assert {verified.state for verified in deployer.verify("coco-1")} == {"unchanged"}
    # The router changes the route and nothing else. The deployer does not change it.
    router.routes.set("svc1", "coco-1", {"v2": 1})
    assert router.routes.undo("svc1", "coco-1").change == "undone"
    with pytest.raises(ClusterDenied, match="only the router changes"):
        deployer.routes.set("svc1", "coco-1", {"v2": 1})
    with pytest.raises(ClusterDenied, match="router-guard-1' has no right to"):
        router.install("zookeeper", "coco-2", values={"replicas": 1})
    # Everyone with the right: foreign annotations, an eviction, what has no lane.
    note = patch("note", "apps/v1", DEPLOYMENT, metadata={"annotations": {"example.com/note": "x"}})
    assert guarded.attempt(note) == ""
    assert guarded.attempt(delete("v1", "pods/bystander")) == ""
    pod = lane_names(cluster, namespace)["pod"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    cluster.create(f"{NAMESPACES}/{namespace}/pods/{pod}/eviction", eviction)
    # Break-glass passes.
    image_changed = next(attempt for attempt in LOCKED if attempt.id == "environment")
    assert guarded.attempt(image_changed, **BREAK_GLASS) == ""
    # The deployer removes the lane, and the garbage collector its pods.
    deployer.retire("coco-1", drain="0s", delete_claims=True)
    cluster.until("nothing of the lane is left", lambda: not cluster.list(f"{NAMESPACES}/{namespace}/pods"), 60)


def _helm_alone_and_other_charts_change_nothing_either(guarded: Guarded, plain: Any, tmp_path: Path) -> None:
    """A chart without Sidelane's guard, a rollback, an uninstallation and a take-over, by an administrator."""
    before = _specs(guarded)
    chart = tmp_path / "own"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: own\nversion: 0.1.0\n")
    (chart / "templates" / "all.yaml").write_text(plain("get", "manifest", "zookeeper-coco-1").stdout)
    for command in (
        ("upgrade", "zookeeper-coco-1", chart),
        ("rollback", "zookeeper-coco-1", "1"),
        ("uninstall", "zookeeper-coco-1"),
        ("install", "mine", chart, "--take-ownership"),
    ):
        refused = plain(*command, check=False)
        assert refused.returncode
        if command[0] != "uninstall":  # Helm does not say why
            assert "guard-1" in refused.stderr, command
    assert _specs(guarded) == before
    assert [release.status for release in guarded.deployer.list()] == ["deployed"] * 4


def _the_label_and_the_namespace_stay_until_break_glass(guarded: Guarded) -> None:
    path = f"{NAMESPACES}/{guarded.namespace}"
    for change in ({"sidelane.dev/guard": None}, {"sidelane.dev/guard": "audit"}):
        with pytest.raises(HTTPError, match="keeps its label"):
            guarded.cluster.patch(path, {"metadata": {"labels": change}})
    with pytest.raises(HTTPError, match="deleted by break-glass alone"):
        guarded.cluster.delete(path)
    guarded.cluster.patch(path, {"metadata": {"labels": {"other": "x"}}})
    guarded.label("warn")
    image = next(attempt for attempt in LOCKED if attempt.id == "image")
    assert guarded.attempt(image) == ""


def _break_glass_deletes_the_namespace(guarded: Guarded) -> None:
    """The namespace controller deletes what is in it, lanes included, and is refused nothing."""
    guarded.label("deny")
    guarded.cluster.request("DELETE", f"{NAMESPACES}/{guarded.namespace}", **BREAK_GLASS)
    names = guarded.cluster.names
    guarded.cluster.until("the namespace is gone", lambda: guarded.namespace not in names(NAMESPACES), 120)


@pytest.mark.parametrize("helm", ["helm3"], indirect=True)
def test_the_charts_readme_works_in_order(cluster: Cluster, helm: Path, tmp_path: Path, unavailable: Any) -> None:
    if not typed.has_kubectl():
        unavailable("the README uses kubectl, and there is none on PATH")
    shell = typed.shell(tmp_path, helm, cluster.kubeconfig)
    cluster.create(NAMESPACES, {"metadata": {"name": "pipelines"}})
    try:
        for _, block in typed.blocks(typed.ROOT / "charts" / "guard" / "README.md"):
            for command, _ in typed.dialogue(block):
                shell(command, cwd=typed.ROOT)
        assert cluster.get(f"{NAMESPACES}/pipelines")["metadata"]["labels"]["sidelane.dev/guard"] == "audit"
    finally:
        cluster.delete(f"{NAMESPACES}/pipelines")
        shell("helm uninstall guard-guard-1 --namespace kube-system", cwd=typed.ROOT)
        cluster.until("the namespace is gone", lambda: "pipelines" not in cluster.names(NAMESPACES), 60)
