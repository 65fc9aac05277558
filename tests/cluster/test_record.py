"""The record on a real API server: made with the release, kept through upgrades, gone with it; readable by anybody."""

import base64
import json
import subprocess
from pathlib import Path

import pytest
from clusters import settled
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from pykube.exceptions import HTTPError
from sidelane import Client
from sidelane.errors import NotSigned, ReleaseNotFound
from sidelane.releases.provenance import signing
from sidelane.releases.provenance.carried import apart

pytestmark = pytest.mark.either_helm

ZOOKEEPER = Path(__file__).parents[2] / "charts" / "zookeeper"
ONE = {"replicas": 1}
PIPELINE = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://git.example",
    "GITHUB_REPOSITORY": "acme/streams",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
    "RUNNER_ENVIRONMENT": "self-hosted",
}


@pytest.fixture
def foreign(tmp_path):
    """A chart that knows nothing of Sidelane, packaged, with a secret among its values."""
    folder = tmp_path / "foreign"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: foreign\nversion: 0.3.0\n")
    (folder / "values.yaml").write_text("adminPassword: ''\nVersion: ''\nBuild: ''\ncolour: red\n")
    (folder / "templates" / "c.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c-{{ .Values.Version }}-{{ .Values.Build }}\n  labels:\n"
        "    app: c-{{ .Values.Version }}-{{ .Values.Build }}\n    sidelane.dev/version: {{ .Values.Version }}\n"
        "    sidelane.dev/build: {{ .Values.Build | quote }}\n"
        "    sidelane.dev/lane: {{ .Values.Version }}-{{ .Values.Build }}\n"
        "data:\n  colour: {{ toJson .Values.colour }}\n  url: db://admin:{{ .Values.adminPassword }}@db\n"
    )
    return folder


def config_map(cluster, namespace, release):
    return cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/record-{release}")


def valid(statement):
    """The statement, held against in-toto's and SLSA's own definitions: an unknown field is an error to these."""
    message = json_format.ParseDict(statement, StatementMessage())
    Statement.copy_from_pb(message).validate()
    provenance = json_format.ParseDict(statement["predicate"], provenance_pb2.Provenance())
    assert provenance.build_definition.build_type
    assert provenance.run_details.builder.id
    for resource in provenance.build_definition.resolved_dependencies:
        assert resource.name or resource.uri or resource.digest
    return statement


def test_a_record_is_made_with_the_release_and_gone_with_it(cluster, namespace, client, plain, monkeypatch):
    for key, value in PIPELINE.items():
        monkeypatch.setenv(key, value)
    cluster.create(f"/api/v1/namespaces/{namespace}/resourcequotas", {
        "metadata": {"name": "room"}, "spec": {"hard": {"pods": "30"}},
    })  # fmt: skip
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    record = config_map(cluster, namespace, "zookeeper-coco-1")
    assert record["immutable"] is True
    statement = valid(json.loads(record["data"]["statement.json"]))
    assert statement == client.record("zookeeper", "coco-1").to_json()
    build, run = statement["predicate"]["buildDefinition"], statement["predicate"]["runDetails"]
    assert build["externalParameters"] == {
        "release": "zookeeper-coco-1",
        "namespace": namespace,
        "Version": "coco",
        "Build": "1",
        "chart": {"name": "zookeeper", "version": "0.1.0"},
        "values": {"replicas": 1, "Version": "coco", "Build": "1"},
    }
    facts = build["internalParameters"]["cluster"]
    assert facts["uid"] == cluster.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    assert facts["kubernetes"] == cluster.get("/version")["gitVersion"]
    assert facts["namespaceLabels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert facts["namespaceQuotas"] == {"room": {"pods": "30"}}
    assert facts["apiVersions"] == ["apps/v1", "policy/v1", "v1"]
    assert run["builder"]["id"] == "https://github.com/actions/runner/self-hosted"
    assert run["metadata"]["invocationId"] == "https://git.example/acme/streams/actions/runs/7/attempts/2"
    commit = next(dependency for dependency in build["resolvedDependencies"] if dependency["name"] == "git")
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert commit["digest"] == {"gitCommit": head}
    plain("uninstall", "zookeeper-coco-1")
    with pytest.raises(HTTPError, match="not found"):
        config_map(cluster, namespace, "zookeeper-coco-1")


@pytest.mark.both_helms
def test_the_manifest_is_the_same_whoever_installs(client, plain):
    client.install("zookeeper", "coco-1")
    made, record, _ = apart(plain("get", "manifest", "zookeeper-coco-1").stdout, "zookeeper-coco-1")
    assert record == client.record("zookeeper", "coco-1").text
    client.uninstall("zookeeper", "coco-1")
    plain("install", "zookeeper-coco-1", ZOOKEEPER, "--set-string", "Version=coco,Build=1")
    assert plain("get", "manifest", "zookeeper-coco-1").stdout == made
    with pytest.raises(ReleaseNotFound, match="has no record"):
        client.record("zookeeper", "coco-1")
    assert client.install("zookeeper", "coco-1").change == "unchanged"


def test_a_record_can_t_be_changed(cluster, namespace, client):
    client.install("zookeeper", "coco-1")
    path = f"/api/v1/namespaces/{namespace}/configmaps/record-zookeeper-coco-1"
    with pytest.raises(HTTPError, match="immutable"):
        cluster.patch(path, {"data": {"statement.json": "{}"}})


def test_a_signature_is_of_the_record_that_the_cluster_keeps(cluster, namespace, client, foreign):
    """Byte for byte, through Helm's storage and the API server, whatever characters its values have."""
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate().public_key()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public, other = (
        each.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for each in (key.public_key(), other)
    )
    for lane in ("coco-1", "coco-2"):
        client.install(foreign, lane, values={"colour": "naïve 😀 <&> {{ x }}\n"})
    envelope = signing.sign(client.record("foreign", "coco-1"), private)
    (result,) = client.verify("foreign", "coco-1")
    assert result.state == "unchanged"
    signing.check(envelope, result.record, public)
    payload = base64.b64decode(json.loads(envelope)["payload"]).decode()
    assert payload == config_map(cluster, namespace, "foreign-coco-1")["data"]["statement.json"]
    for record, by in ((result.record, other), (client.record("foreign", "coco-2"), public)):
        with pytest.raises(NotSigned):
            signing.check(envelope, record, by)


@pytest.mark.both_helms
def test_upgrades_keep_the_record(cluster, namespace, client, plain):
    client.install("zookeeper", "coco-1", values=ONE)
    before = config_map(cluster, namespace, "zookeeper-coco-1")
    on = {**ONE, "networkPolicy": {"enabled": True}}
    assert client.upgrade("zookeeper", "coco-1", values=on).change == "upgraded"
    plain("upgrade", "zookeeper-coco-1", ZOOKEEPER, "--reuse-values", "--set", "podDisruptionBudget.enabled=false")
    assert config_map(cluster, namespace, "zookeeper-coco-1") == before
    assert client.record("zookeeper", "coco-1").text == before["data"]["statement.json"]
    client.upgrade("zookeeper", "coco-1", values=ONE)
    client.uninstall("zookeeper", "coco-1")
    assert "record-zookeeper-coco-1" not in cluster.names(f"/api/v1/namespaces/{namespace}/configmaps")


def test_finishing_what_a_killed_process_left_makes_its_record_too(cluster, namespace, client, plain):
    """A release that was left half-made is finished by a rollback to its own revision."""
    client.install("zookeeper", "coco-1", values=ONE)
    path = f"/api/v1/namespaces/{namespace}/configmaps/record-zookeeper-coco-1"
    before = cluster.get(path)["data"]
    cluster.delete(path)
    plain("rollback", "zookeeper-coco-1", "1")
    assert cluster.get(path)["data"] == before
    assert [(result.state, result.recorded) for result in settled(client, lane="coco-1")] == [("unchanged", "there")]


def test_a_record_goes_with_its_release_whoever_upgraded_it(cluster, namespace, client, plain):
    client.install("zookeeper", "coco-1")
    plain("upgrade", "zookeeper-coco-1", ZOOKEEPER, "--reuse-values")
    plain("uninstall", "zookeeper-coco-1")
    assert cluster.names(f"/api/v1/namespaces/{namespace}/configmaps") == ["kube-root-ca.crt"]
    client.install("zookeeper", "coco-1", values={"replicas": 5})
    assert client.record("zookeeper", "coco-1").values["replicas"] == 5


@pytest.mark.both_helms
def test_a_record_that_an_upgrade_took_away_is_read_from_helm_s_history(cluster, namespace, client, plain, foreign):
    """A chart that knows nothing of records, upgraded with Helm alone."""
    client.install(foreign, "coco-1")
    record = client.record("foreign", "coco-1").text
    plain("upgrade", "foreign-coco-1", foreign, "--reuse-values")
    assert "record-foreign-coco-1" not in cluster.names(f"/api/v1/namespaces/{namespace}/configmaps")
    assert client.record("foreign", "coco-1").text == record
    assert client.upgrade(foreign, "coco-1", reuse_values=True).change in ("unchanged", "upgraded")


@pytest.mark.parametrize("packaged", [False, True], ids=["folder", "package"])
def test_a_chart_that_knows_nothing_of_it_leaves_one_too_and_no_secret(
    cluster, namespace, client, plain, foreign, packaged, tmp_path
):
    chart = foreign
    if packaged:
        plain("package", foreign, "-d", tmp_path)
        chart = tmp_path / "foreign-0.3.0.tgz"
    digests = []
    for lane, password in (("coco-1", "hunter2"), ("coco-1", "Tr0ub4dor")):
        client.install(chart, lane, values={"adminPassword": password, "colour": '{{ bl`ue }} \\ "ü'})
        record = config_map(cluster, namespace, f"foreign-{lane}")["data"]["statement.json"]
        valid(json.loads(record))
        assert password not in record
        assert json.loads(record)["predicate"]["buildDefinition"]["externalParameters"]["values"] == {
            "adminPassword": "(hidden)", "colour": "{{ bl`ue }} \\ \"ü", "Version": "coco", "Build": "1",
        }  # fmt: skip
        digests.append((client.record("foreign", lane).digest, client.record("foreign", lane).objects))
        assert [result.state for result in client.verify(lane=lane)] == ["unchanged"]
        client.uninstall("foreign", lane)
    # No digest tells one password from another: it could be guessed by it.
    assert digests[0] == digests[1]


def test_who_may_not_read_namespaces_deploys_all_the_same(cluster, namespace, helm, foreign, unavailable):
    """A deployer of one namespace: the record says what it could see."""
    if cluster.plane is None:
        unavailable("credentials with few rights are made on our own control plane; run without --kubeconfig")
    rules = [{"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["*"]}]
    roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    cluster.create(f"{roles}/roles", {"metadata": {"name": "deployer"}, "rules": rules})
    cluster.create(f"{roles}/rolebindings", {
        "metadata": {"name": "deployer"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "powerless"}],
    })  # fmt: skip
    kubeconfig = cluster.plane.kubeconfig_for(cluster.plane.powerless_token)
    client = Client(namespace=namespace, kubeconfig=kubeconfig, helm=helm)
    client.install(foreign, "coco-1")
    facts = client.record("foreign", "coco-1").to_json()["predicate"]["buildDefinition"]["internalParameters"][
        "cluster"
    ]
    assert set(facts) == {"kubernetes", "apiVersions"}


@pytest.mark.both_helms
def test_the_namespace_that_helm_chooses_is_recorded(cluster, namespace, helm, tmp_path):
    config = json.loads(cluster.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = namespace
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(json.dumps(config))
    client = Client(kubeconfig=kubeconfig, helm=helm)
    client.install("zookeeper", "coco-1", values=ONE)
    record = client.record("zookeeper", "coco-1")
    assert record.namespace == namespace
    assert f"StatefulSet.apps/{namespace}/zk-coco-1" in record.objects
    assert [result.state for result in settled(client, lane="coco-1")] == ["unchanged"]


@pytest.mark.both_helms
def test_both_helms_record_the_same_objects(cluster, namespace, client, tmp_path):
    """A digest is of the objects alone, so any Helm, and the directory target, gives the same."""
    client.install("zookeeper", "coco-1")
    offline = Client(namespace=namespace, directory=tmp_path)
    offline.install("zookeeper", "coco-1")
    recorded = json.loads(Path(tmp_path, namespace, "zookeeper-coco-1", "record.json").read_text())
    assert client.record("zookeeper", "coco-1").to_json()["subject"] == valid(recorded)["subject"]
    assert "cluster" not in recorded["predicate"]["buildDefinition"]["internalParameters"]
