"""The state of a release, on a real API server: changes are found, and the server's own defaults are not changes."""

import json
import os
import shutil
from pathlib import Path

import helm_secrets
import pytest
import yaml
from clusters import alone, settled
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from edits import EDITS, JSON, KINDS, MERGE, STRATEGIC, define
from forbidden import POD
from generated import tiny_chart
from sidelane.errors import ReleaseNotFound
from sidelane.releases.provenance import signing

pytestmark = pytest.mark.either_helm

CHARTS = Path(__file__).parents[2] / "charts"
ZOOKEEPER = CHARTS / "zookeeper"
#: The charts' values files. The pipeline's have those of its parts, and the minimal ones no object that others lack.
CI = sorted(
    file
    for file in CHARTS.glob("*/ci/*-values.yaml")
    if file.parents[1].name not in ("zookeeper", "nimbus", "supervisor", "ui")
    and file.name not in ("minimal-values.yaml", "foreign-values.yaml")
    and file.parts[-3:] != ("guard", "ci", "default-values.yaml")
)
#: The kinds of somebody else's in the charts; without definitions of meshes they may have any field.
FOREIGN = (
    ("monitoring.coreos.com", "v1", "PodMonitor"),
    ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
    ("networking.istio.io", "v1", "VirtualService"),
    ("networking.istio.io", "v1", "DestinationRule"),
)


@pytest.fixture
def edit(cluster, namespace):
    """Somebody edits an object, as `kubectl edit` does."""

    def patch(kind, name, body, content_type=STRATEGIC, subresource=""):
        root = f"/api/v1/namespaces/{namespace}" if "/" not in kind else f"/apis/{kind.rpartition('/')[0]}"
        if "/" in kind and not kind.startswith("scheduling.k8s.io"):
            root = f"{root}/namespaces/{namespace}"
        path = f"{root}/{kind.rpartition('/')[2]}/{name}{subresource}?fieldManager=kubectl-edit"
        return cluster.request("PATCH", path, body, **{"Content-Type": content_type})

    return patch


def difference_of(drift):
    as_json = drift.to_json()
    return drift.path, as_json.get("expected"), as_json.get("actual")


def plural(kind):
    return kind.lower().removesuffix("y") + ("ies" if kind.endswith("y") else "es" if kind.endswith("s") else "s")


def tells(drifted, kind, name, _, expected):
    """Return True if this drift is that of the edit, with its author where the API server knows one."""
    path, want, have = difference_of(drifted)
    if isinstance(have, dict) and isinstance(expected[2], str):  # what the server fills in is not the test's matter
        have = have.get("image")
    known = (plural(drifted.identity.kind), drifted.identity.name) == (kind.rpartition("/")[2], f"{name}-coco-1")
    authored = drifted.by or drifted.actual is None or expected[2] is None
    return known and authored and (path, want, have) == expected


def test_many_kinds_are_as_they_were_asked_for_and_what_is_edited_is_found(client, edit, priority):
    """One release, edited in every way: each edit is told, nothing of an object before its first, and nothing else."""
    client.install(KINDS, "coco-1", values=priority)
    (before,) = settled(client, lane="coco-1")
    assert before.to_json() | {"namespace": ""} == {
        "release": "kinds-coco-1", "namespace": "", "state": "unchanged", "status": "deployed", "record": "there",
        "changed": [], "missing": [], "drift": [], "operational": [], "ran": [], "foreign": [], "notes": [],
        "restarts": [], "rolling": [], "degraded": [], "unready": [],
    }  # fmt: skip
    known = ()
    for names in ([name for name in EDITS if name != "settings-gone"], ["settings-gone"]):  # two are of one field
        for name in names:
            kind, obj, body, _ = EDITS[name]
            edit(kind, f"{obj}-coco-1", body, JSON if isinstance(body, list) else STRATEGIC)
        (now,) = client.verify("kinds", "coco-1")
        assert now.state == "drifted"
        new = [drifted for drifted in now.drift if drifted not in known]
        known = now.drift
        assert [name for name in names if not any(tells(drifted, *EDITS[name]) for drifted in new)] == []
        touched = {(EDITS[name][0].rpartition("/")[2], f"{EDITS[name][1]}-coco-1") for name in names}
        assert {(plural(drifted.identity.kind), drifted.identity.name) for drifted in new} == touched
        assert {drifted.by for drifted in new} <= {("kubectl-edit",), ()}
    assert "hunter2" not in json.dumps(now.to_json())
    assert "letmein" not in str(now)


@pytest.mark.parametrize("ci", CI, ids=lambda ci: f"{ci.parents[1].name}-{ci.stem}")
def test_what_the_api_server_fills_in_is_no_drift_for_any_chart(request, cluster, namespace, client, ci):
    values = yaml.safe_load(ci.read_text())
    if "namespaces" in values:  # those of the file are not here
        values["namespaces"] = [namespace]
    lane = values if "Version" in values else values["global"]
    lane = f"{lane['Version']}-{lane['Build']}"
    if "SIDELANE_TEST_CRDS" in os.environ:
        request.getfixturevalue("meshes")
    for kind in FOREIGN:
        define(cluster, *kind)
    chart = ci.parents[1]
    with alone(chart):
        client.install(chart, lane, values=values)
        (result,) = client.verify(lane=lane)
        if chart.name == "guard":
            client.uninstall("guard", lane, delete_cluster_objects=True)
    assert (result.changed, result.missing, result.drift, result.operational) == ((), (), (), ())


def test_what_is_gone_is_named(cluster, namespace, client):
    for lane in ("coco-1", "coco-2"):
        client.install("zookeeper", lane, values={"replicas": 1})
    cluster.delete(f"/api/v1/namespaces/{namespace}/services/zk-cs-coco-1")
    cluster.delete(f"/api/v1/namespaces/{namespace}/configmaps/record-zookeeper-coco-1")
    (gone,) = client.verify(lane="coco-1")
    assert gone.state == "missing"
    assert [str(identity) for identity in gone.missing] == ["Service zk-cs-coco-1", "ConfigMap record-zookeeper-coco-1"]
    assert [result.state for result in settled(client, lane="coco-2")] == ["unchanged"]


def test_a_record_that_somebody_replaced_is_found_out(cluster, namespace, client):
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    cluster.delete(f"{path}/record-zookeeper-coco-1")
    forged = client.record("zookeeper", "coco-1").text.replace("by-hand", "by-the-pipeline")
    cluster.create(path, {
        "metadata": {"name": "record-zookeeper-coco-1"}, "immutable": True, "data": {"statement.json": forged},
    })  # fmt: skip
    (result,) = client.verify(lane="coco-1")
    assert (result.state, [drift.path for drift in result.drift]) == ("drifted", ["data[statement.json]"])


@pytest.mark.both_helms
def test_a_change_that_plain_helm_made_is_found(cluster, namespace, client, plain):
    client.install(KINDS, "coco-1")
    plain("upgrade", "kinds-coco-1", KINDS, "--reuse-values", "--set", "web.password=other")
    (result,) = client.verify(lane="coco-1")
    assert result.state == "changed"
    assert result.changed[0] == 'values: web.password: "" → (hidden)'
    plain("upgrade", "kinds-coco-1", KINDS, "--reset-values", "--set-string", "Version=coco,Build=1", "--set",
          "web.replicas=3")  # fmt: skip
    counts = ("replicas", "updatedReplicas", "readyReplicas")
    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/web-coco-1"
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def is_over():
        status = cluster.get(deployment)["status"]
        there = {status.get(counted, 0) for counted in counts} == {3}
        return there and sum(name.startswith("web-") for name in cluster.names(pods)) == 3

    cluster.until("the pods of the earlier template are gone", is_over, seconds=120)
    (result,) = settled(client, lane="coco-1")
    assert (result.state, result.operational) == ("unchanged", ("values: web.replicas: 2 → 3",))


@pytest.mark.both_helms
def test_a_release_of_plain_helm_is_held_against_the_cluster_all_the_same(client, plain, edit):
    plain("install", "zookeeper-coco-1", ZOOKEEPER, "--set-string", "Version=coco,Build=1", "--set", "replicas=1")
    (result,) = client.verify(lane="coco-1")
    assert (result.state, result.recorded) == ("unrecorded", "none")
    edit("apps/v1/statefulsets", "zk-coco-1", {"spec": {"replicas": 0}})
    (result,) = client.verify(lane="coco-1")
    assert (result.state, [difference_of(drift) for drift in result.drift]) == ("drifted", [("spec.replicas", 1, 0)])


def test_scaling_is_operational_where_it_may_be_done(cluster, namespace, client, edit):
    client.install(KINDS, "coco-1")  # replicas are among its operational values
    edit("apps/v1/deployments", "web-coco-1", {"spec": {"replicas": 3}}, MERGE, "/scale")
    (result,) = settled(client, lane="coco-1")
    assert (result.state, result.operational) == (
        "unchanged", ("Deployment web-coco-1: spec.replicas: 2 → 3 (by kubectl-edit)",),
    )  # fmt: skip
    client.install("zookeeper", "coco-2", values={"replicas": 1})  # and not among these
    edit("apps/v1/statefulsets", "zk-coco-2", {"spec": {"replicas": 2}}, MERGE, "/scale")
    assert [result.state for result in client.verify(lane="coco-2")] == ["drifted"]
    cluster.create(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers", {
        "metadata": {"name": "zk"},
        "spec": {
            "minReplicas": 2, "maxReplicas": 3,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "zk-coco-2"},
        },
    })  # fmt: skip
    # An autoscaler of somebody else's makes nothing operational.
    assert [result.state for result in client.verify(lane="coco-2")] == ["drifted"]


def test_one_operational_number_excuses_no_other_of_its_release(client, edit):
    """An outer deployment, of whose stateful sets the supervisors alone may be scaled."""
    client.install("pipeline", "coco-1", values={"zookeeper": {"replicas": 1}})
    edit("apps/v1/statefulsets", "supervisor-coco-1", {"spec": {"replicas": 3}}, MERGE, "/scale")
    assert [result.state for result in settled(client, lane="coco-1")] == ["unchanged"]
    edit("apps/v1/statefulsets", "zk-coco-1", {"spec": {"replicas": 0}}, MERGE, "/scale")
    edit("apps/v1/statefulsets", "nimbus-coco-1", {"spec": {"replicas": 0}}, MERGE, "/scale")
    (result,) = client.verify(lane="coco-1")
    assert result.state == "drifted"
    assert [str(drift) for drift in result.drift] == [
        "StatefulSet nimbus-coco-1: spec.replicas: 2 → 0",
        "StatefulSet zk-coco-1: spec.replicas: 1 → 0",
    ]  # fmt: skip


def test_a_workload_without_its_pods_is_degraded(cluster, namespace, client, edit):
    values = {"image": {"repository": "acme/svc1", "tag": "1"}, "replicas": 1}
    client.install("service", "coco-1", name="svc1", service_version="v1", values=values, wait=True)
    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/svc1-v1-coco-1"

    def scale(replicas):
        edit("apps/v1/deployments", "svc1-v1-coco-1", {"spec": {"replicas": replicas}}, MERGE, "/scale")

    scale(0)
    cluster.until("the pod is gone", lambda: not cluster.names(f"/api/v1/namespaces/{namespace}/pods"))
    cluster.until("the Deployment says so", lambda: "readyReplicas" not in cluster.get(deployment)["status"])
    (result,) = client.verify(lane="coco-1")
    assert (result.state, result.degraded) == ("degraded", ("Deployment svc1-v1-coco-1: 0 of 1 pods are ready",))
    assert result.operational == ("Deployment svc1-v1-coco-1: spec.replicas: 1 → 0",)
    scale(1)
    assert [result.state for result in settled(client, lane="coco-1")] == ["unchanged"]
    # A pod that nobody may create.
    cluster.create(f"/api/v1/namespaces/{namespace}/resourcequotas", {
        "metadata": {"name": "full"}, "spec": {"hard": {"pods": "1"}},
    })  # fmt: skip
    scale(2)
    failed = lambda: [each["type"] for each in cluster.get(deployment)["status"]["conditions"]]  # noqa: E731
    cluster.until("a pod is refused", lambda: "ReplicaFailure" in failed())
    (result,) = client.verify(lane="coco-1")
    assert (result.state, result.degraded) == ("degraded", ("Deployment svc1-v1-coco-1: 1 of 2 pods are ready",))
    assert "exceeded quota" in result.unready[0].cause


def test_a_rollout_restart_is_told_and_is_no_drift(client, edit):
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    restart = {"spec": {"template": {"metadata": {"annotations": {
        "kubectl.kubernetes.io/restartedAt": "2026-11-26T09:00:00Z",
    }}}}}  # fmt: skip
    edit("apps/v1/statefulsets", "zk-coco-1", restart)
    (result,) = settled(client, lane="coco-1")
    assert result.state == "unchanged"
    assert [str(restart) for restart in result.restarts] == [
        "StatefulSet zk-coco-1: was restarted at 2026-11-26T09:00:00Z by kubectl-edit"
    ]  # fmt: skip
    (restart_,) = result.to_json()["restarts"]
    assert (restart_["at"], restart_["by"]) == ("2026-11-26T09:00:00Z", ["kubectl-edit"])


def test_a_lane_without_releases_is_no_unchanged_lane(client):
    with pytest.raises(ReleaseNotFound, match="no release of lane coco-9 in namespace"):
        client.verify(lane="coco-9")


def test_the_command(client, edit, sidelane):
    client.install("zookeeper", "coco-1", values={"replicas": 1}, wait=True)
    done = sidelane("verify", "--lane", "coco-1")
    assert done.stdout == "RELEASE           STATE      RECORD\nzookeeper-coco-1  unchanged  there\n"
    edit("apps/v1/statefulsets", "zk-coco-1", {"spec": {"replicas": 2}})
    done = sidelane("verify", "zookeeper-coco-1", code=1)
    assert "  StatefulSet zk-coco-1: spec.replicas: 1 → 2 (by kubectl-edit)\n" in done.stdout
    (report,) = sidelane.json("verify", "zookeeper", "--lane", "coco-1", code=1)
    assert report["drift"][0]["actual"] == 2
    sidelane("verify", "--lane", "coco-9", code=1)
    sidelane("verify", code=2)


@pytest.fixture
def signed(client, tmp_path):
    """Installs ZooKeeper with a signed record. Returns the options of `verify` that hold a release against it."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    (tmp_path / "key.pub.pem").write_bytes(public)
    (tmp_path / "envelope.json").write_text(signing.sign(client.record("zookeeper-coco-1"), private))
    return ["--signature", tmp_path / "envelope.json", "--key", tmp_path / "key.pub.pem"]


def test_with_a_signature_an_operational_change_is_excused_and_another_of_the_manifest_is_not(
    client, sidelane, plain, edit, signed, tmp_path
):
    def verified(code=0):
        done = sidelane("verify", "zookeeper-coco-1", *signed, code=code)
        assert done.stderr == ""
        return done.stdout.splitlines()[1].split()[1:], done.stdout

    client.upgrade("zookeeper", "coco-1", values={"networkPolicy": {"enabled": True}}, reuse_values=True, wait=True)
    state, said = verified()
    assert state == ["unchanged", "signed"]
    assert "values: networkPolicy.enabled: false → true (operational)" in said
    # The same values, and another operational one, by a chart that somebody edited.
    shutil.copytree(ZOOKEEPER, tmp_path / "zookeeper")
    template = tmp_path / "zookeeper" / "templates" / "service-client.yaml"
    template.write_text(template.read_text().replace("spec:\n", "spec:\n  sessionAffinity: ClientIP\n"))
    plain(
        "upgrade", "zookeeper-coco-1", tmp_path / "zookeeper", "--reuse-values", "--set", "networkPolicy.enabled=false"
    )
    state, said = verified(code=1)
    assert state == ["changed", "signed"]
    (line,) = [line.strip() for line in said.splitlines() if "(in Helm)" in line]
    assert "Service" in line
    assert "zk-cs-coco-1" in line
    # What somebody edits in the cluster is drift, whoever signed the record.
    plain("rollback", "zookeeper-coco-1", "2")
    assert verified()[0] == ["unchanged", "signed"]
    edit("services", "zk-cs-coco-1", {"spec": {"sessionAffinity": "ClientIP"}})
    assert verified(code=1)[0] == ["drifted", "signed"]


def test_a_signature_of_another_release_is_refused_on_a_cluster(namespace, client, sidelane, signed):
    client.install("zookeeper", "coco-2", values={"replicas": 1})
    done = sidelane("verify", "zookeeper-coco-2", *signed, code=1)
    assert done.stdout == ""
    assert f"holds the record of {namespace}/zookeeper-coco-1, and not the record of " in done.stderr


def test_a_route_that_leads_to_another_lane_is_unchanged(client):
    """Its Service selects pods of the other lane, which a workload of the other lane's release created."""
    values = {"image": {"repository": "acme/svc1", "tag": "1.4.0"}, "replicas": 1}
    for lane in ("coco-1", "coco-2"):
        client.install("service", lane, name="svc1", service_version="v1", values=values)
    client.routes.set("svc1", "coco-1", {"coco-2/v1": 1}, allow_unready=True)
    assert {result.state for result in settled(client, lane="coco-1")} == {"unchanged"}
    assert [result.state for result in client.verify("route-svc1-coco-1")] == ["unchanged"]


#: ConfigMaps, so that nothing has to run.
HOOKS = """\
{{- $lane := printf "%s-%s" .Values.Version .Values.Build }}
{{- range $event := list "pre-delete" "test" }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $.Values.name }}-{{ $event }}-{{ $lane }}
  annotations: {helm.sh/hook: {{ $event }}}
  labels:
    app: {{ $.Values.name }}-{{ $lane }}
    version: {{ $.Values.serviceVersion }}
    sidelane.dev/version: {{ $.Values.Version | quote }}
    sidelane.dev/build: {{ $.Values.Build | quote }}
    sidelane.dev/lane: {{ $lane | quote }}
data: {for: {{ $event }}}
{{- end }}
"""


@pytest.mark.both_helms
def test_hooks_that_somebody_edits_in_helms_secret_are_found(cluster, namespace, client, tmp_path):
    """The manifests by which Helm makes them, and Helm's own fields by which it runs them."""
    chart = tiny_chart(tmp_path / "tiny")
    (chart / "templates" / "hooks.yaml").write_text(HOOKS)
    client.install(chart, "coco-1", name="svc1")
    secret = f"/api/v1/namespaces/{namespace}/secrets/sh.helm.release.v1.svc1-v1-coco-1.v1"
    release = helm_secrets.content(cluster.get(secret))
    before, after = sorted(release["hooks"], key=lambda hook: hook["name"])

    def verified(*hooks):
        cluster.patch(secret, {"data": helm_secrets.data({**release, "hooks": hooks})})
        (result,) = client.verify("svc1-v1-coco-1")
        return result.state, result.changed

    def edited(hook):
        return {**hook, "manifest": hook["manifest"].replace("data: {for: ", "data: {for: not-")}

    at = f"ConfigMap/{namespace}/svc1"
    extra = {**after, "name": "more", "manifest": after["manifest"].replace("name: svc1-test-", "name: more-test-")}
    assert verified(before, after) == ("unchanged", ())
    assert verified(edited(before), edited(after)) == (
        "changed",
        (f"{at}-pre-delete-coco-1 is changed", f"{at}-test-coco-1 is changed"),
    )
    assert verified(after) == ("changed", (f"{at}-pre-delete-coco-1 is gone",))
    assert verified(before, after, extra) == ("changed", (f"ConfigMap/{namespace}/more-test-coco-1 is new",))
    assert verified({**before, "events": ["post-rollback"]}, after) == (
        "changed",
        ("the hook svc1-pre-delete-coco-1: Helm has the events post-rollback, and its manifest pre-delete",),
    )


#: Each keeps pods of the earlier template: by the partition, and because no node takes the first new pod.
ROLLING = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: &db {app: db}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}
  template:
    metadata: {labels: *db, annotations: {number: {{ .Values.number | quote }}}}
    spec: {{ .Values.pod | toJson }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: &web {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: *web}
    spec: {{ merge (dict "nodeSelector" .Values.nodes) .Values.pod | toJson }}
"""


def test_a_rollout_in_progress_is_told_as_one_and_is_no_drift(cluster, namespace, client, plain, sidelane, tmp_path):
    chart = tmp_path / "rolling"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: rolling\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text(json.dumps({"pod": POD, "nodes": {}, "number": "1"}))
    (chart / "templates" / "all.yaml").write_text(ROLLING)
    plain("install", "rolling-coco-1", chart)
    cluster.until("its pods are ready", lambda: len(cluster.ready_pods(namespace)) == 5)
    plain("upgrade", "rolling-coco-1", chart, "--set-string", "number=2", "--set", "nodes.nowhere=yes")
    states = []

    def rolling():
        (result,) = client.verify("rolling-coco-1")
        states.append((result.state, result.drift, result.ran))
        return sorted(result.rolling) == [
            "Deployment web: rollout in progress: 1 of 3 pods have the present template",
            "StatefulSet db: rollout in progress: 1 of 3 pods have the present template",
        ]

    cluster.until("both rollouts stand still", rolling, seconds=120)
    assert {(drift, ran) for _, drift, ran in states} == {((), ())}
    assert states[-1][0] == "rolling"
    shown = sidelane("verify", "rolling-coco-1", code=1).stdout
    assert "  Deployment web: rollout in progress: 1 of 3 pods have the present template\n" in shown
    (pod, *_) = [name for name in cluster.ready_pods(namespace) if name.startswith("web-")]
    image = [{"op": "replace", "path": "/spec/containers/0/image", "value": "example.com/other:2"}]
    cluster.request(
        "PATCH", f"/api/v1/namespaces/{namespace}/pods/{pod}", image, **{"Content-Type": "application/json-patch+json"}
    )
    (result,) = client.verify("rolling-coco-1")
    assert (result.state, [(each.identity.name, each.path) for each in result.ran]) == (
        "drifted", [(pod, "spec.containers[a].image")],
    )  # fmt: skip
