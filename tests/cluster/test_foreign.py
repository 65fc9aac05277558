"""A chart that knows no lanes, as `helm create` writes it, in lanes by the preset `helm`: as it is, and immutable."""

import pytest
from forbidden import RESTRICTED
from generated import created_chart
from sidelane.errors import CheckFailed, ReleaseConflict, StillHeld

#: The values of `helm create` for a namespace with the restricted Pod Security Standard, as that of a test.
SECURE = {"securityContext": {**RESTRICTED, "runAsUser": 101}}


def test_a_chart_of_helm_create_lives_in_two_lanes(client, cluster, helm, namespace, tmp_path):
    """In one test, because its steps need the lanes of those before."""
    demo = created_chart(tmp_path / "demo", helm)
    # As in podinfo, no two renderings of a test are the same.
    test = demo / "templates" / "tests" / "test-connection.yaml"
    test.write_text(test.read_text().replace("-test-connection", "-{{ randAlphaNum 5 | lower }}"))
    with pytest.raises(CheckFailed, match="breaks the naming contract") as refused:
        client.install(demo, "coco-1")
    assert "add --preset helm" in refused.value.remedy
    for lane, tag in (("coco-1", "1.27"), ("coco-2", "1.28")):
        values = {**SECURE, "image": {"tag": tag}}
        made = client.install(demo, lane, conventions="helm", values=values, wait=True, timeout="2m")
        assert (made.name, made.change) == (f"demo-{lane}", "created")
    assert _is_as_helm_makes_it(cluster, namespace)
    _a_change_is_refused(client, demo)
    _the_two_are_compared_and_drawn(client)
    _a_route_leads_to_its_services(client, cluster, namespace)
    client.bundle("coco-1", tmp_path / "lane.tar.gz", charts=[demo])
    assert client.retire("coco-1").releases == ("demo-coco-1",)
    assert [release.name for release in client.list()] == ["demo-coco-2", "route-demo-live-0"]
    again = client.replay(tmp_path / "lane.tar.gz")
    assert [(release.name, release.change) for release in again.releases] == [("demo-coco-1", "created")]
    assert {result.state for result in client.verify("coco-1")} == {"unchanged"}


def _is_as_helm_makes_it(cluster, namespace):
    """Neither a name nor a label of a lane was added to the chart's own."""
    for kind, at in (("services", "api/v1"), ("deployments", "apis/apps/v1")):
        objects = cluster.list(f"/{at}/namespaces/{namespace}/{kind}")
        assert [item["metadata"]["name"] for item in objects] == ["demo-coco-1", "demo-coco-2"]
        assert not any("sidelane" in label for item in objects for label in item["metadata"]["labels"])
    return True


def _a_change_is_refused(client, demo):
    values = {**SECURE, "image": {"tag": "1.27"}}
    assert client.install(demo, "coco-1", conventions="helm", values=values).change == "unchanged"
    assert client.upgrade(demo, "coco-1", values=values).change == "unchanged"  # by the conventions of the record
    with pytest.raises(ReleaseConflict, match="these values must not change: replicaCount") as refused:
        client.upgrade(demo, "coco-1", values={**values, "replicaCount": 3})
    assert "--lane coco-3 --preset helm" in refused.value.remedy


def _the_two_are_compared_and_drawn(client):
    assert [(result.release, result.state, result.recorded) for result in client.verify("coco-1")] == [
        ("demo-coco-1", "unchanged", "there")
    ]
    statement = client.record("demo-coco-1").to_json()
    assert statement["predicate"]["buildDefinition"]["internalParameters"]["conventions"] == {"name": "helm"}
    different = {each.difference.path for each in client.diff("coco-1", "coco-2").differences}
    assert different == {"spec.template.spec.containers[demo].image"}
    assert client.status(lane="coco-2").releases[0].readiness.counted == "1 of 1 ready"
    assert [str(group.lane) for group in client.graph().groups] == ["coco-1", "coco-2"]


def _a_route_leads_to_its_services(client, cluster, namespace):
    client.routes.set("demo", "live-0", {"coco-1": 1})
    service = cluster.get(f"/api/v1/namespaces/{namespace}/services/demo-live-0")
    assert service["spec"]["selector"] == {
        "app.kubernetes.io/name": "demo",
        "app.kubernetes.io/instance": "demo-coco-1",
    }
    with pytest.raises(StillHeld, match="route-demo-live-0 leads to demo-coco-1"):
        client.retire("coco-1", drain="0s")
    assert client.routes.set("demo", "live-0", {"coco-2": 1}).backends["demo-coco-2"].ready == 1
    assert client.routes.undo("demo", "live-0").change == "undone"
    client.routes.set("demo", "live-0", {"coco-2": 1})
    service = cluster.get(f"/api/v1/namespaces/{namespace}/services/demo-live-0")
    assert service["spec"]["selector"]["app.kubernetes.io/instance"] == "demo-coco-2"
