"""A release's life under Helm 3 and Helm 4 in turn, and fields that others have set: scaled, patched, taken over."""

import sysconfig
from pathlib import Path

import pytest
import toolchain
from sidelane import Client
from sidelane.errors import ReleaseConflict

VALUES = {"image": {"repository": "acme/svc1", "tag": "1.4.0"}, "replicas": 1}


@pytest.fixture
def helms(cluster, namespace, unavailable):
    """A client for each Helm, by its major version."""
    programs = {3: Path(sysconfig.get_path("scripts")) / "helm", 4: toolchain.folder() / "helm"}
    for helm in programs.values():
        if not helm.is_file():
            unavailable(f"no Helm at {helm}")
    return {
        major: Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm) for major, helm in programs.items()
    }


@pytest.fixture
def deployment(cluster, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/svc1-v1-coco-1"

    class Deployment:
        @property
        def replicas(self):
            return cluster.get(path)["spec"]["replicas"]

        def scale(self, replicas):
            cluster.patch(f"{path}/scale", {"spec": {"replicas": replicas}})

        def patch(self, **spec):
            cluster.patch(path, {"spec": spec})

    return Deployment()


def upgrade(client, **values):
    return client.upgrade("service", "coco-1", name="svc1", values=values, reuse_values=True)


@pytest.mark.parametrize(("first", "second"), [(3, 4), (4, 3)])
def test_a_release_lives_on_under_the_other_helm(cluster, namespace, helms, deployment, first, second):
    one, other = helms[first], helms[second]
    one.install("service", "coco-1", name="svc1", values=VALUES)
    assert other.install("service", "coco-1", name="svc1", values=VALUES).change == "unchanged"
    assert (upgrade(other, replicas=2).change, deployment.replicas) == ("upgraded", 2)
    deployment.scale(1)
    assert (upgrade(one, replicas=3).change, deployment.replicas) == ("upgraded", 3)
    deployment.scale(1)
    assert (upgrade(other, networkPolicy={"enabled": True}).change, deployment.replicas) == ("upgraded", 3)
    deployment.patch(minReadySeconds=7)
    (repaired,) = other.repair("svc1-v1", "coco-1")
    assert ([drift.path for drift in repaired.drift], deployment.replicas) == (["spec.minReadySeconds"], 3)
    assert one.install("service", "coco-1", name="svc1", values={"image": VALUES["image"]}).change == "unchanged"
    (verified,) = other.verify(lane="coco-1")
    assert (verified.state, verified.status, verified.drift) == ("unchanged", "deployed", ())
    other.retire("coco-1")
    assert cluster.names(f"/apis/apps/v1/namespaces/{namespace}/deployments") == []


def test_an_upgrade_takes_over_a_number_that_was_scaled_by_hand(client, deployment):
    client.install("service", "coco-1", name="svc1", values=VALUES)
    deployment.scale(3)
    assert (upgrade(client, replicas=2).change, deployment.replicas) == ("upgraded", 2)
    deployment.scale(3)
    upgrade(client, networkPolicy={"enabled": True})
    assert deployment.replicas == 2


def test_fields_of_others_that_are_not_operational_stop_an_upgrade_before_it_changes_anything(client, deployment):
    client.install("service", "coco-1", name="svc1", values=VALUES)
    deployment.patch(minReadySeconds=7)
    deployment.scale(3)
    with pytest.raises(ReleaseConflict) as refused:
        upgrade(client, replicas=2)
    assert refused.value.differences == ("Deployment svc1-v1-coco-1: spec.minReadySeconds: 0 → 7 (by pykube-ng)",)
    (release,) = client.list()
    assert (release.status, release.revision, deployment.replicas) == ("deployed", 1, 3)
    deployment.patch(minReadySeconds=0)
    assert (upgrade(client, replicas=2).change, deployment.replicas) == ("upgraded", 2)


def test_a_failed_upgrade_of_what_was_scaled_by_hand_is_undone(client, plain, deployment):
    """By plain Helm 4 it fails on the number that was set by hand; by Helm 3 it succeeds."""
    client.install("service", "coco-1", name="svc1", values=VALUES)
    deployment.scale(3)
    chart = Path(__file__).parents[2] / "charts" / "service"
    plain("upgrade", "svc1-v1-coco-1", chart, "--reuse-values", "--set", "replicas=4", check=False)
    upgraded = upgrade(client, replicas=2)
    assert (upgraded.change, upgraded.status, deployment.replicas) == ("upgraded", "deployed", 2)
