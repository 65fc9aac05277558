"""A picture of what is on a real API server, as Helm lists it."""

import pytest
from sidelane import Client
from sidelane.charts import sources

pytestmark = pytest.mark.either_helm

LANE = "2-coco-1"


def test_a_graph_of_a_cluster(cluster, namespace, helm):
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    for version in ("v1", "v2"):
        image = {"repository": "acme/svc1", "tag": "1.4.0"}
        client.install("service", LANE, name="svc1", service_version=version, values={"image": image})
    client.routes.set("svc1", LANE, {"v1": 100}, allow_unready=True)
    graph = client.graph()
    assert graph.summary == f"namespace {namespace}: 1 lane, 2 releases, 1 route"
    chart = f"service-{sources.find('service').version}"
    assert [(node.name, node.chart, node.status, node.version) for node in graph.nodes] == [
        ("svc1-v1-2-coco-1", chart, "deployed", "v1"),
        ("svc1-v2-2-coco-1", chart, "deployed", "v2"),
    ]
    assert [edge.to_json() for edge in graph.routes[0].edges] == [
        {"to": "svc1-v1-2-coco-1", "kind": "weight", "share": 1.0}
    ]
    assert client.graph("coco-1").summary == f"there is no release and no route of lane coco-1 in namespace {namespace}"
