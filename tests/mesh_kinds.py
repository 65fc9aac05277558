"""The definitions of Istio and the Gateway API on a cluster, without a mesh."""

import os
from pathlib import Path

import pytest
import yaml
from clusters import locked

#: Where the objects of a route are, by their kinds.
PATHS = {
    "Service": "/api/v1/namespaces/{}/services",
    "VirtualService": "/apis/networking.istio.io/v1/namespaces/{}/virtualservices",
    "DestinationRule": "/apis/networking.istio.io/v1/namespaces/{}/destinationrules",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes",
}


@pytest.fixture(scope="session")
def meshes(cluster, unavailable):
    """The definitions of Istio and of the Gateway API, installed on the cluster."""
    folder = os.environ.get("SIDELANE_TEST_CRDS")
    files = [Path(folder or "") / name for name in ("istio.yaml", "gateway-api.yaml")]
    if not folder or not all(file.is_file() for file in files):
        unavailable("no definitions of Istio and the Gateway API here; SIDELANE_TEST_CRDS names their folder")
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    with locked(cluster.kubeconfig):
        there = cluster.names(path)
        for text in (file.read_text() for file in files):
            for body in filter(None, yaml.load_all(text, Loader=yaml.CSafeLoader)):
                if body["kind"] == "CustomResourceDefinition" and body["metadata"]["name"] not in there:
                    cluster.create(path, body)
    for kind in PATHS.values():
        cluster.until(f"{kind} is served", lambda kind=kind: answers(cluster, kind.format("default")))


def answers(cluster, path):
    return cluster.api.session.get(cluster.api.url + path, timeout=10).status_code == 200
