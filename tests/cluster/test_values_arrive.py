"""Values of a length that Helm 4 drops without a line break (helm/helm#32506) arrive on every way that Helm is fed."""

import asyncio
import json

import pytest
from generated import tiny_service
from sidelane import Client, Lane
from sidelane.helm import values as helm_values
from sidelane.helm.client import Helm
from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import Query

LANE = Lane("coco", 1)
LENGTHS = [4096, 8192, 20480]


@pytest.fixture
def app(tmp_path):
    """A chart with one value that tells whether values were lost, and one that gives them their length."""
    folder = tmp_path / "app"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(
        "apiVersion: v2\nname: app\nversion: 0.1.0\nannotations: {sidelane.dev/operational-values: 'tag, pad'}\n"
    )
    (folder / "values.yaml").write_text("tag: default\npad: ''\n")
    labels = {
        "app": "app-coco-1",
        "sidelane.dev/version": "coco",
        "sidelane.dev/build": "1",
        "sidelane.dev/lane": "coco-1",
    }
    metadata = json.dumps({"name": "app-coco-1", "labels": labels})
    (folder / "templates" / "x.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\ndata: {{tag: {{{{ .Values.tag | quote }}}}}}\n"
    )
    return folder


def padded(values, length, key="pad"):
    """The values with a text that makes their document this long, less its line break."""
    short = len(helm_values.document({**values, key: ""})) - 1
    return {**values, key: "x" * (length - short)}


@pytest.mark.parametrize("helm", ["helm4"], indirect=True)
@pytest.mark.parametrize("length", [LENGTHS[0], LENGTHS[-1]])
def test_install_and_upgrade(cluster, namespace, client, app, length):
    lane = {"Version": "coco", "Build": "1"}
    path = f"/api/v1/namespaces/{namespace}/configmaps/app-coco-1"
    for tag, change in (("first", "created"), ("second", "upgraded")):
        values = padded({"tag": tag, **lane}, length)
        verb = client.install if change == "created" else client.upgrade
        assert verb(app, LANE, values=values).change == change
        assert cluster.get(path)["data"]["tag"] == tag


@pytest.mark.parametrize("helm", ["helm4"], indirect=True)
def test_a_reader_s_queries(cluster, namespace, helm):
    secret = {"metadata": {"name": "one"}, "data": {"a": "b"}}
    cluster.create(f"/api/v1/namespaces/{namespace}/configmaps", secret)
    query = Query("v1", "ConfigMap", "one")
    for length in LENGTHS:
        # A label that no object has makes the queries as long as they have to be.
        short = {"queries": [query.to_json(), Query("v1", "Secret", labels={"x": ""}).to_json()]}
        pad = "x" * (length - len(helm_values.document(short)) + 1)
        reader = ClusterReader(Helm(executable=helm, kubeconfig=cluster.kubeconfig), namespace)
        answers, none = asyncio.run(reader.read(query, Query("v1", "Secret", labels={"x": pad})))
        assert [item["data"] for item in answers] == [{"a": "b"}]
        assert none == ()


@pytest.mark.either_helm  # Sidelane feeds both alike
def test_whatever_feeds_helm_ends_with_a_line_break(cluster, namespace, helm, app, tmp_path):
    """Every verb, with a Helm that keeps what it is fed: values of releases and routes, claims, queries, facts."""
    fed = tmp_path / "fed"
    fed.mkdir()
    keeps = tmp_path / "helm"
    keeps.write_text(
        f'#!/bin/sh\ncase "$*" in\n*--values*) tee "$(mktemp {fed}/XXXXXXXX)" | {helm} "$@" ;;\n'
        f'*) exec {helm} "$@" ;;\nesac\n'
    )
    keeps.chmod(0o755)
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=keeps)
    client.install(app, LANE)
    client.upgrade(app, LANE, values={"tag": "second"})
    service = tiny_service(tmp_path / "tiny")
    for version in ("v1", "v2"):
        client.install(service, LANE, name="svc1", service_version=version)
    client.routes.set("svc1", LANE, {"v1": 1}, allow_unready=True)
    client.routes.set("svc1", LANE, {"v2": 1}, allow_unready=True)
    assert {result.state for result in client.verify(lane=LANE)} == {"unchanged"}
    client.bundle(LANE, tmp_path / "lane.tar.gz", charts=[app, service])
    claim = {
        "metadata": {"name": "data-zk-coco-1-0", "labels": {"sidelane.dev/lane": "coco-1"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    cluster.create(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", claim)
    client.uninstall("route-svc1", LANE)
    assert client.retire(LANE, drain="0s", delete_claims=True).claims == ("data-zk-coco-1-0",)
    documents = [file.read_bytes() for file in fed.iterdir()]
    keys = {key for text in documents for key in json.loads(text)}
    assert {"tag", "targets", "queries", "claims", "objects"} <= keys
    assert [text for text in documents if not text.endswith(b"}\n") or text.count(b"\n") > 1] == []


def test_values_that_helm_writes_otherwise_are_not_taken_for_others(client, app):
    """Nulls, empty mappings and lists, numbers and every kind of text come back in Helm's answer as the same values."""
    odd = {
        "none": None,
        "empty": {"map": {}, "list": [], "text": ""},
        "list": [None, {}, [], "", 0, False, {"none": None}],
        "default": None,
        "nested": {"default": None, "deeper": {"none": None, "kept": 1}},
        "numbers": [0.1, 1e-7, -2.5e-300, 1.0, -0.0, 123456789.125, 2**53 - 1, 1 / 3, 5e-324, 1.7e15],
        "text": "ünï\u2028\ufeff\x85\x00\x1b \t\n'\"\\/<>& 😀 {{ no }}",
        "global": {"none": None, "kept": "x"},
        "true": True,
        "1": "1",
    }
    (app / "values.yaml").write_text("tag: default\npad: ''\ndefault: 1\nnested: {default: 1, deeper: {none: 2}}\n")
    assert client.install(app, LANE, values={**odd, "tag": "first"}).change == "created"
    assert client.upgrade(app, LANE, values={**odd, "tag": "second"}).change == "upgraded"
    (result,) = client.verify(lane=LANE)
    assert (result.changed, result.state) == ((), "unchanged")
