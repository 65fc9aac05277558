"""The owner of a release, on a real API server: releases of plain Helm stay, even if their names read like a lane's."""

from pathlib import Path

import pytest
from generated import tiny_chart
from sidelane import Lane
from sidelane.errors import NotOurs, StillHeld

pytestmark = pytest.mark.either_helm

CHARTS = Path(__file__).parents[2] / "charts"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def theirs(tmp_path):
    """Somebody's chart, as `helm create` begins one."""
    folder = tmp_path / "theirs"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: theirs\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("text: a\n")
    (folder / "templates" / "c.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\ndata: {text: {{ .Values.text }}}\n"
    )
    return folder


def names(client):
    return [release.name for release in client.list()]


def test_what_sidelane_did_not_make_is_neither_proposed_nor_removed(
    cluster, namespace, sidelane, client, plain, theirs, tmp_path
):
    for name in ("grafana-team-1", "postgres-db-1", "theirs-eu-2"):
        plain("install", name, theirs)
    tiny = tiny_chart(tmp_path / "tiny")
    client.install(tiny, "team-1", name="svc1", service_version="v1")
    lane = ["--set", "Version=coco", "--set", "Build=1"]
    plain("install", "zookeeper-coco-1", CHARTS / "zookeeper", *lane, "--set", "replicas=1")

    proposed = {str(proposal.lane): proposal.releases for proposal in client.outdated(0)}
    assert proposed == {"team-1": ("svc1-v1-team-1",), "coco-1": ("zookeeper-coco-1",)}
    with pytest.raises(NotOurs, match=r"postgres-db-1 has neither .*helm uninstall postgres-db-1 -n") as refused:
        client.retire("db-1", dry_run=True)
    assert refused.value.exit_code == 1
    with pytest.raises(NotOurs):
        client.retire("theirs", "eu-2")
    with pytest.raises(NotOurs, match="--foreign"):
        client.uninstall("theirs-eu-2")
    with pytest.raises(NotOurs, match="change it with Helm"):
        client.upgrade(theirs, "eu-2", values={})
    text = f"/api/v1/namespaces/{namespace}/configmaps/theirs-eu-2"
    cluster.patch(text, {"data": {"text": "drifted"}})
    for which in ("theirs-eu-2", Lane("eu", 2)):
        with pytest.raises(NotOurs, match="restore it with Helm"):
            client.repair(which)
    assert cluster.get(text)["data"] == {"text": "drifted"}

    gone = sidelane.json("retire", "--keep", "0", "--yes", "--kubeconfig", cluster.kubeconfig)
    assert {release["lane"]: release["gone"] for release in gone} == {"team-1": True, "coco-1": True}
    assert names(client) == ["grafana-team-1", "postgres-db-1", "theirs-eu-2"]

    # A flag that names it, and only what it names.
    client.install(tiny, "db-1", name="svc1", service_version="v1")
    assert client.retire("db-1", dry_run=True).staying == ("postgres-db-1",)
    gone = client.retire("db-1", foreign=["postgres-db-1"])
    assert (gone.releases, gone.staying) == (("postgres-db-1", "svc1-v1-db-1"), ())
    assert client.uninstall("theirs-eu-2", foreign=True).change == "uninstalled"
    assert names(client) == ["grafana-team-1"]


def test_a_release_of_somebody_is_not_finished_or_changed(client, plain, tmp_path):
    """The name that Sidelane wants is taken; with other content, and by one that failed with the same."""
    tiny = tiny_chart(tmp_path / "tiny")
    given = ["--set", "name=svc1", "--set-string", "Version=coco", "--set-string", "Build=1"]
    plain("install", "svc1-v1-coco-1", tiny, *given, "--set", "text=other")
    with pytest.raises(NotOurs):
        client.install(tiny, "coco-1", name="svc1", service_version="v1")
    (tmp_path / "lane.yaml").write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
        "releases: [{chart: ./tiny, name: svc1, serviceVersion: v1, values: {replicas: 3}}]\n"
    )
    (step,) = client.plan(tmp_path / "lane.yaml").steps
    assert step.action == "refused"
    assert "neither Sidelane's record nor the guard" in step.why[0]


def test_objects_outside_the_namespace_are_named_and_need_a_flag(cluster, namespace, client, plain, theirs):
    group = f"{namespace}.example.org"
    (theirs / "templates" / "crd.yaml").write_text(f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}}
  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: reader.{group}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: kept.{group}, annotations: {{helm.sh/resource-policy: keep}}}}
""")
    plain("install", "operator-team-1", theirs)
    widgets = f"/apis/{group}/v1/namespaces/default/widgets"
    cluster.until("widgets are served", lambda: cluster.api.session.get(cluster.api.url + widgets, timeout=10).ok)
    cluster.create(widgets, {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "one"}})

    expected = (
        f"operator-team-1: ClusterRole reader.{group}",
        f"operator-team-1: CustomResourceDefinition widgets.{group}, with the Widget objects default/one",
    )
    with pytest.raises(StillHeld, match="add --delete-cluster-objects") as held:
        client.retire("team-1", foreign=["operator-team-1"])
    assert sorted(held.value.held) == [f"{line} would be deleted, and is outside the namespace" for line in expected]
    with pytest.raises(StillHeld, match="default/one"):
        client.uninstall("operator-team-1", foreign=True)
    assert cluster.names(widgets) == ["one"]
    (proposed,) = client.outdated(0, foreign=["operator-team-1"])
    assert sorted(proposed.cluster_objects) == list(expected)
    assert len(proposed.held) == 2

    gone = client.retire("team-1", foreign=["operator-team-1"], delete_cluster_objects=True)
    assert sorted(gone.cluster_objects) == list(expected)
    assert f"widgets.{group}" not in cluster.names(DEFINITIONS)
    cluster.delete(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/kept.{group}")


def test_a_release_that_is_called_like_a_helper_stays(client, plain, theirs):
    """Claims go by a release that Sidelane makes for a moment: a service of claims is not that one."""
    plain("install", "claims-coco-1", theirs)
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    assert client.retire("coco-1", delete_claims=True).claims == ("data-zk-coco-1-0",)
    assert names(client) == ["claims-coco-1"]
