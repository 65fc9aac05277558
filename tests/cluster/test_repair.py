"""`repair` on a real API server: exactly what is deployed comes back, and what may differ stays."""

import pytest
from clusters import settled
from edits import EDITS, JSON, KINDS, MERGE, STRATEGIC, define
from sidelane.errors import Refused

pytestmark = pytest.mark.either_helm

SVC1 = {"image": {"repository": "acme/svc1", "tag": "1"}}


@pytest.fixture
def edit(cluster, namespace):
    """Somebody edits an object, as `kubectl edit` does."""

    def patch(path, body, content_type=STRATEGIC, by="kubectl-edit"):
        cluster.request("PATCH", f"{path.format(namespace)}?fieldManager={by}", body, **{"Content-Type": content_type})

    return patch


APPS = "/apis/apps/v1/namespaces/{}"
CORE = "/api/v1/namespaces/{}"


def state(client, lane="coco-1"):
    return [(result.state, *map(str, result.drift), *result.changed) for result in settled(client, lane=lane)]


def test_every_edit_of_many_kinds_is_put_back(cluster, namespace, client, priority):
    """Fields changed, added and removed, by somebody who owns them now; Helm's own state stays what it was."""
    client.install(KINDS, "coco-1", values=priority)
    for kind, name, body, _ in EDITS.values():
        group, _, plural = kind.rpartition("/")
        root = f"/apis/{group}" if group else "/api/v1"
        root += "" if group.startswith("scheduling") else f"/namespaces/{namespace}"
        how = JSON if isinstance(body, list) else STRATEGIC
        path = f"{root}/{plural}/{name}-coco-1?fieldManager=kubectl-edit"
        cluster.request("PATCH", path, body, **{"Content-Type": how})
    (before,) = client.verify(lane="coco-1")
    assert len(before.drift) > len(EDITS) - 3
    (looked,) = client.repair(lane="coco-1", dry_run=True)
    assert (looked.drift, looked.done) == (before.drift, False)
    (done,) = client.repair(lane="coco-1")
    assert (done.drift, done.done) == (before.drift, True), "nothing was put back before"
    assert state(client) == [("unchanged",)]
    assert client.record("kinds", "coco-1").text == before.record.text
    assert client.install(KINDS, "coco-1", values=priority).change == "unchanged"


def test_what_is_gone_is_made_again_and_numbers_of_pods_stay(cluster, namespace, client, edit, plain):
    client.install("service", "coco-1", name="svc1", service_version="v1", values=SVC1)
    edit(f"{APPS}/deployments/svc1-v1-coco-1", {"spec": {"replicas": 3}}, MERGE)
    edit(f"{APPS}/deployments/svc1-v1-coco-1", {"metadata": {"labels": {"team": "x"}}})
    edit(f"{APPS}/deployments/svc1-v1-coco-1", {"spec": {"template": {"metadata": {"annotations": {
        "kubectl.kubernetes.io/restartedAt": "2026-11-26T09:00:00Z",
    }}}}}, by="kubectl-rollout")  # fmt: skip
    cluster.delete(f"/api/v1/namespaces/{namespace}/services/svc1-v1-coco-1")
    for name in cluster.names(f"/api/v1/namespaces/{namespace}/configmaps"):
        if name != "kube-root-ca.crt":
            cluster.delete(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
    path = f"/apis/apps/v1/namespaces/{namespace}"

    def is_over():
        status = cluster.get(f"{path}/deployments/svc1-v1-coco-1")["status"]
        return {status.get(counted, 0) for counted in ("replicas", "updatedReplicas", "readyReplicas")} == {3}

    cluster.until("the rollout is over", is_over)
    sets = cluster.names(f"{path}/replicasets")
    (done,) = client.repair("svc1-v1", "coco-1")
    assert [identity.kind for identity in done.missing] == ["ConfigMap", "Service", "ConfigMap"] or done.missing
    assert done.allowed
    (result,) = settled(client, lane="coco-1")
    assert (result.state, result.missing, result.drift, result.recorded) == ("unchanged", (), (), "there")
    web = cluster.get(f"{path}/deployments/svc1-v1-coco-1")
    assert web["spec"]["replicas"] == 3
    assert len(result.restarts) == 1
    assert cluster.names(f"{path}/replicasets") == sets  # no pod was made anew
    # Plain Helm goes on with it.
    plain("upgrade", "svc1-v1-coco-1", KINDS.parents[2] / "charts" / "service", "--reuse-values", "--set", "replicas=2")
    assert cluster.get(f"{path}/deployments/svc1-v1-coco-1")["spec"]["replicas"] == 2


def test_a_custom_resource_and_a_forged_record_are_put_back(cluster, namespace, client, edit, tmp_path):
    define(cluster, "repair.example", "v1", "Thing")
    chart = tmp_path / "thing"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: thing\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text("Version: ''\nBuild: ''\n")
    labels = "{app: thing-coco-1, sidelane.dev/version: coco, sidelane.dev/build: '1', sidelane.dev/lane: coco-1}"
    (chart / "templates" / "thing.yaml").write_text(
        f"apiVersion: repair.example/v1\nkind: Thing\nmetadata: {{name: thing-coco-1, labels: {labels}}}\n"
        "spec: {a: 1, list: [1, 2], text: '{{ \"{{ x }}\" }}'}\n"
    )
    client.install(chart, "coco-1")
    thing = f"/apis/repair.example/v1/namespaces/{namespace}/things/thing-coco-1"
    before = cluster.get(thing)["spec"]
    edit(thing, {"spec": {"a": 2, "list": [1], "more": {"x": 1}}}, MERGE)
    record = f"/api/v1/namespaces/{namespace}/configmaps/record-thing-coco-1"
    genuine = cluster.get(record)
    cluster.delete(record)
    forged = genuine["data"]["statement.json"].replace("by-hand", "by-the-pipeline")
    cluster.create(record.rpartition("/")[0], {
        "metadata": {"name": "record-thing-coco-1"}, "immutable": True, "data": {"statement.json": forged},
    })  # fmt: skip
    client.repair("thing", "coco-1")
    assert cluster.get(thing)["spec"] == before
    assert cluster.get(record)["data"] == genuine["data"]
    assert cluster.get(record)["metadata"]["labels"] == genuine["metadata"]["labels"]
    assert state(client) == [("unchanged",)]


def test_what_was_changed_in_helm_is_refused(cluster, namespace, client, plain, edit):
    client.install(KINDS, "coco-1")
    plain("upgrade", "kinds-coco-1", KINDS, "--reuse-values", "--set", "web.password=s3cret-2")
    cluster.delete(f"/api/v1/namespaces/{namespace}/services/web-coco-1")
    with pytest.raises(Refused, match="kinds-coco-1 was changed in Helm") as refused:
        client.repair("kinds", "coco-1")
    assert "web.password" in refused.value.problem
    assert "s3cret-2" not in refused.value.problem
    assert "web-coco-1" not in cluster.names(f"/api/v1/namespaces/{namespace}/services")


def test_a_repair_that_was_ended_half_way_is_taken_up(cluster, namespace, client, edit, monkeypatch):
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    edit(f"{CORE}/services/zk-cs-coco-1", {"spec": {"selector": {"app": "other"}}})
    before = client.record("zookeeper", "coco-1").text
    from sidelane.helm.client import Helm  # noqa: PLC0415

    async def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Helm, "rollback", killed)
        with pytest.raises(KeyboardInterrupt):
            client.repair("zookeeper", "coco-1")
    assert client.verify("zookeeper", "coco-1")[0].state == "changed"
    (done,) = client.repair("zookeeper", "coco-1")
    assert [drifted.path for drifted in done.drift] == ["spec.selector.app"]
    assert state(client) == [("unchanged",)]
    assert client.record("zookeeper", "coco-1").text == before


def test_drift_is_named_where_nothing_else_is_to_do(cluster, namespace, client, tmp_path):
    """install, plan and apply of what is deployed: unchanged, and not all of it is there."""
    file = tmp_path / "lane.yaml"
    file.write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
        f"namespace: {namespace}\nreleases:\n- {{chart: zookeeper, values: {{replicas: 1}}}}\n"
    )
    (made,) = client.apply(file).releases
    assert (made.change, made.drift) == ("created", ())
    cluster.delete(f"/api/v1/namespaces/{namespace}/services/zk-cs-coco-1")
    gone = ("Service zk-cs-coco-1: is missing",)
    plan = client.plan(file)
    assert (plan.steps[0].action, plan.steps[0].why) == ("unchanged", gone)
    assert f"`sidelane repair zookeeper-coco-1 -n {namespace} --kubeconfig {cluster.kubeconfig}`" in plan.remedy
    for result in (client.apply(file).releases[0], client.install("zookeeper", "coco-1", values={"replicas": 1})):
        assert (result.change, result.drift) == ("unchanged", gone)
        assert result.to_json()["drift"] == list(gone)


def test_the_command(namespace, client, edit, sidelane):
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    edit(f"{CORE}/services/zk-cs-coco-1", {"spec": {"selector": {"app": "other"}}})
    line = 'Service zk-cs-coco-1: spec.selector.app: "zk-coco-1" → "other" (by kubectl-edit)'
    assert f"  {line}: drifted\n" in sidelane("repair", "zookeeper-coco-1", "--dry-run").stdout
    verified = sidelane("verify", "zookeeper-coco-1", code=1).stdout
    assert f"`sidelane repair zookeeper-coco-1 -n {namespace}`" in verified
    # In a terminal it only looks, until it is told --yes.
    shown = sidelane.on_a_terminal("repair", "--lane", "coco-1")
    assert "drifted" in shown
    assert shown.endswith("add --yes to repair\n")
    again = sidelane("install", "zookeeper", "--lane", "coco-1", "--set", "replicas=1").stdout
    assert f"  {line}\n" in again
    assert f"`sidelane repair zookeeper-coco-1 -n {namespace}`" in again
    (report,) = sidelane.json("repair", "--lane", "coco-1")
    assert (report["change"], report["drift"][0]["by"]) == ("repaired", ["kubectl-edit"])
    assert "unchanged" in sidelane("repair", "--lane", "coco-1").stdout
