"""Reading objects of a cluster through Helm, under Helm 3 and Helm 4."""

import asyncio

import pytest
from sidelane.errors import ClusterDenied, ClusterUnreachable, KindNotServed
from sidelane.helm.client import Helm
from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import Query


@pytest.fixture
def read(cluster, namespace, helm):
    """Calls a method of a reader of the test's namespace and waits for its result."""

    def call(method, *arguments, kubeconfig=cluster.kubeconfig, **more):
        reader = ClusterReader(Helm(executable=helm, kubeconfig=kubeconfig), namespace)
        return asyncio.run(getattr(reader, method)(*arguments, **more))

    return call


def config_map(cluster, namespace, name, **labels):
    text = "NEL \u0085, LS \u2028, and what YAML lacks: \x7f\x80\x9f\xa0\ufeff\ufffd\ufffe\uffff\U0001f600; "
    text += "quotes \" ' and <html> & ümlauts,\n{{ no template }}\n---\n  answers: none"
    body = {"metadata": {"name": name, "labels": labels}, "data": {"text": text}}
    return cluster.create(f"/api/v1/namespaces/{namespace}/configmaps", body)


def test_objects_are_read_as_the_api_server_has_them(cluster, namespace, read):
    made = config_map(cluster, namespace, "one", **{"sidelane.dev/lane": "2-coco-1"})
    config_map(cluster, namespace, "two", **{"sidelane.dev/lane": "2-coco-2"})
    made["metadata"].pop("managedFields")
    single = read("get", "v1", "ConfigMap", "one")
    assert (single["data"], single["metadata"]) == (made["data"], made["metadata"])
    assert read("get", "v1", "ConfigMap", "three") is None
    everything = read("list", "v1", "ConfigMap")
    assert sorted(item["metadata"]["name"] for item in everything) == ["kube-root-ca.crt", "one", "two"]
    labelled = read("list", "v1", "ConfigMap", labels={"sidelane.dev/lane": "2-coco-2"})
    assert [item["metadata"]["name"] for item in labelled] == ["two"]
    assert read("list", "v1", "Pod") == ()


def test_many_questions_are_one_call_and_go_beyond_the_namespace(cluster, namespace, read):
    config_map(cluster, namespace, "one")
    (system,), nodes, mine, nothing, maps = read(
        "read",
        Query("v1", "Namespace", "kube-system", ""),
        Query("v1", "Node", namespace=""),
        Query("v1", "ConfigMap", "one"),
        Query("v1", "ConfigMap", "one", "default"),
        Query("v1", "ConfigMap", namespace=""),
    )
    assert system["metadata"]["uid"] == cluster.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    assert len(nodes) == len(cluster.list("/api/v1/nodes"))
    assert (len(mine), nothing) == (1, ())
    assert {namespace, "kube-system"} <= {item["metadata"]["namespace"] for item in maps}
    assert read("read") == ()


def test_what_can_not_be_read_says_why(cluster, namespace, read, powerless, tmp_path):
    with pytest.raises(KindNotServed, match=r"the cluster does not serve example\.org/v1, Kind=Nothing"):
        read("list", "example.org/v1", "Nothing")
    with pytest.raises(ClusterDenied, match="no right to list configmaps"):
        read("list", "v1", "ConfigMap", kubeconfig=powerless)
    with pytest.raises(ClusterUnreachable):
        read("list", "v1", "ConfigMap", kubeconfig=tmp_path / "no-kubeconfig")


def test_nothing_is_written(cluster, namespace, read):
    before = cluster.names(f"/api/v1/namespaces/{namespace}/configmaps")
    read("list", "v1", "Secret")
    assert cluster.names(f"/api/v1/namespaces/{namespace}/configmaps") == before
    assert cluster.names(f"/api/v1/namespaces/{namespace}/secrets") == []
