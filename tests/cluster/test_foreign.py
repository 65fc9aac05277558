"""A chart that knows no lanes, as `helm create` writes it, in lanes by the preset `helm`: as it is, and immutable."""

import itertools
import json
import threading

import pytest
from forbidden import RESTRICTED
from generated import created_chart
from sidelane.errors import CheckFailed, GateFailed, InvalidRoute, ReleaseConflict, StillHeld, TargetNotReady

#: The values of `helm create` for a namespace with the restricted Pod Security Standard, as that of a test.
SECURE = {"securityContext": {**RESTRICTED, "runAsUser": 101}}


@pytest.mark.either_helm
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


def _chart_with_a_service_of_its_own_name(folder, helm):
    """A chart as many are: its release is `demo-coco-1`, and its Service `demo-coco-1-api`."""
    demo = created_chart(folder, helm)
    for path in (demo / "templates" / "service.yaml", demo / "templates" / "tests" / "test-connection.yaml"):
        path.write_text(path.read_text().replace('include "demo.fullname" . }}', 'include "demo.fullname" . }}-api', 1))
    return demo


@pytest.mark.either_helm
def test_a_route_leads_to_services_that_a_chart_names_in_its_own_way(
    client, sidelane, cluster, namespace, helm, tmp_path
):
    """In one test, because its steps need the routes of those before."""
    demo = _chart_with_a_service_of_its_own_name(tmp_path / "demo", helm)
    for lane in ("coco-1", "coco-2"):
        client.install(demo, lane, conventions="helm", values=SECURE, wait=True, timeout="2m")
    with pytest.raises(TargetNotReady, match="the Service demo-coco-1 is missing"):
        client.routes.set("demo", "live-0", {"coco-1": 1})
    with pytest.raises(InvalidRoute, match=r"has no placeholder {lane}"):
        client.routes.set("demo", "live-0", {"coco-1": 1}, target_service="demo-api")
    sidelane("route", "set", "demo", "--lane", "live-0", "--to", "coco-1", "--target-service", "{name}-{lane}-api")
    assert _selected(cluster, namespace) == _selected(cluster, namespace, "demo-coco-1-api")
    _it_is_shown_drawn_and_kept(client, sidelane)
    client.routes.set("demo", "live-0", {"coco-2": 1})
    assert _selected(cluster, namespace) == _selected(cluster, namespace, "demo-coco-2-api")
    assert client.routes.undo("demo", "live-0").change == "undone"
    assert _selected(cluster, namespace) == _selected(cluster, namespace, "demo-coco-1-api")
    _a_restart_of_its_pods_takes_a_shift_back(client, cluster, namespace)
    _it_is_shifted_there_and_back(client, cluster, namespace)
    _a_file_creates_another(client, cluster, namespace, tmp_path)


def _selected(cluster, namespace, service="demo-live-0"):
    return cluster.get(f"/api/v1/namespaces/{namespace}/services/{service}")["spec"]["selector"]


def _it_is_shown_drawn_and_kept(client, sidelane):
    shown = json.loads(sidelane("route", "show", "demo", "--lane", "live-0", "-o", "json").stdout)
    assert shown["targetService"] == "{name}-{lane}-api"
    assert [(each["service"], each["ready"]) for each in shown["targets"]] == [("demo-coco-1-api", 1)]
    assert "SERVICES:  {name}-{lane}-api" in sidelane("route", "show", "demo", "--lane", "live-0").stdout
    (change,) = client.routes.history("demo", "live-0")
    assert change.leads == "coco-1=100, Service {name}-{lane}-api"
    graph = client.graph("coco-1")
    assert [edge.to for route in graph.routes for edge in route.edges] == ["demo-coco-1-api"]
    assert [(str(group.lane), len(group.nodes)) for group in graph.groups] == [("coco-1", 2)]
    for what in ("coco-1", "demo-coco-1"):
        with pytest.raises(StillHeld, match="route-demo-live-0 leads to demo-coco-1-api"):
            client.retire(what, drain="0s")


def _a_restart_of_its_pods_takes_a_shift_back(client, cluster, namespace):
    """Its pods are those that the Service selects, with labels of the chart's own."""
    pods = f"/api/v1/namespaces/{namespace}/pods"
    (pod,) = (
        pod
        for pod in cluster.list(pods)
        if pod["metadata"]["labels"].get("app.kubernetes.io/instance") == "demo-coco-2"
    )
    name, (status,) = pod["metadata"]["name"], pod["status"]["containerStatuses"]
    ended = threading.Event()

    def crash():
        for count in itertools.count(1):
            if ended.wait(0.2):
                return
            restarted = {"containerStatuses": [{**status, "restartCount": count}]}
            cluster.patch(f"{pods}/{name}/status", {"status": restarted})

    crashing = threading.Thread(target=crash)
    crashing.start()
    try:
        with pytest.raises(GateFailed, match=f"no container of the targets restarts: {name} restarted"):
            client.routes.shift("demo", "live-0", "coco-2", every="60s", between="500ms")
    finally:
        ended.set()
        crashing.join()
    assert _selected(cluster, namespace) == _selected(cluster, namespace, "demo-coco-1-api")


def _it_is_shifted_there_and_back(client, cluster, namespace):
    one = client.routes.shift("demo", "live-0", "coco-2", every="100ms", between="50ms")
    assert one.outcome == "done"
    assert all("not checked" not in gate.text for gate in one.gates)
    assert _selected(cluster, namespace) == _selected(cluster, namespace, "demo-coco-2-api")
    all_ = client.shifts.start("coco-2", "coco-1", every="100ms", between="50ms")
    assert (all_.outcome, list(all_.before)) == ("done", ["demo-live-0"])
    assert _selected(cluster, namespace) == _selected(cluster, namespace, "demo-coco-1-api")
    client.shifts.back()
    assert _selected(cluster, namespace) == _selected(cluster, namespace, "demo-coco-2-api")
    client.routes.set("demo", "live-0", {"coco-2": 1})
    assert client.retire("coco-1", drain="0s").releases == ("demo-coco-1",)


def _a_file_creates_another(client, cluster, namespace, tmp_path):
    file = tmp_path / "lane.yaml"
    release = json.dumps({"chart": "./demo", "conventions": "helm", "values": SECURE})
    route = json.dumps({"service": "web", "weights": {"coco-2": 1}, "targetService": "demo-{lane}-api"})
    file.write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '3'}\n"
        f"releases: [{release}]\nroutes: [{route}]\n"
    )
    assert [step.action for step in client.plan(file).routes] == ["create"]
    assert [routed.change for routed in client.apply(file, timeout="2m").routes] == ["created"]
    assert _selected(cluster, namespace, "web-coco-3") == _selected(cluster, namespace, "demo-coco-2-api")
