"""Routes on a real API server: every mode as a hand would write it; changed, undone and raced, under Helm 3 and 4."""

import asyncio
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import helm_secrets
import pytest
import toolchain
from clusters import WITHOUT_SCHEMAS
from mesh_kinds import PATHS
from routes_by_hand import CASES, in_namespace
from sidelane import AsyncClient, Client, Lane
from sidelane.errors import GateFailed, Refused, RouteChanged, TargetBusy, TargetNotReady
from sidelane.helm.client import Helm
from sidelane.releases.stores.cluster import ClusterTarget
from sidelane.routes.leads import leads_to, unrouted_since

pytestmark = pytest.mark.either_helm

CHART = Path(__file__).parents[2] / "charts" / "route"
LANE = "2-coco-1"
RESTRICTED = {
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


@pytest.fixture
def plain(cluster, namespace, helm):
    """Plain Helm on the route's release, as somebody runs it who never heard of the SDK."""

    def run(verb, *arguments, values=None, check=True, name="route-svc1-2-coco-1"):
        command = [helm, verb, name, *arguments, "--namespace", namespace]
        command += ["--kubeconfig", cluster.kubeconfig]
        if verb in ("install", "upgrade"):
            command.append(WITHOUT_SCHEMAS)
        text = None
        if values is not None:
            command += ["--values", "-"]
            text = json.dumps({"Version": "2-coco", "Build": "1", **values})
        done = subprocess.run(command, capture_output=True, text=True, check=False, input=text)
        assert done.returncode == 0 or not check, done.stderr
        return done

    return run


@pytest.fixture
def version(cluster, namespace):
    """Puts a version of a service into a lane: its own Service and endpoints, and with ``pods`` their Deployment."""

    def make(version, lane=LANE, *, service="svc1", replicas=2, ready=True, labels=None, pods=False):
        own = {"version": version} if version else {}
        labels = {"app": f"{service}-{lane}", **own, "sidelane.dev/lane": lane} | (labels or {})
        name = f"{service}-{version}-{lane}" if version else f"{service}-{lane}"
        metadata = {"name": name, "labels": labels}
        ports = [{"name": "http", "port": 80, "targetPort": "http"}]
        spec = {"ports": ports, **({"selector": labels} if pods else {})}
        cluster.create(PATHS["Service"].format(namespace), {"metadata": metadata, "spec": spec})
        if not pods:
            put_endpoints(cluster, namespace, name, replicas, ready=ready)
            return
        container = {"name": "app", "image": "example.org/app:1", "securityContext": RESTRICTED}
        container |= {"ports": [{"name": "http", "containerPort": 8080}]}
        pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pod}
        cluster.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", {"metadata": metadata, "spec": spec})
        cluster.until(f"{name} is ready", lambda: endpoints(cluster, namespace, name) == [True] * replicas)

    return make


def put_endpoints(cluster, namespace, service, number, *, ready):
    """Gives a Service without a selector the endpoints that a controller would."""
    each = [{"addresses": [f"10.0.0.{index}"], "conditions": {"ready": ready}} for index in range(1, number + 1)]
    body = {"metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}}, "addressType": "IPv4"}
    body |= {"endpoints": each, "ports": [{"name": "http", "port": 8080}]}
    cluster.create(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", body)


def endpoints(cluster, namespace, service):
    """Return True if every endpoint of a Service is ready."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    slices = cluster.list(f"{path}?labelSelector=kubernetes.io/service-name={service}")
    return [endpoint["conditions"].get("ready") for item in slices for endpoint in item["endpoints"] or []]


def live(cluster, namespace, kind, name="svc1-2-coco-1"):
    return cluster.get(f"{PATHS[kind].format(namespace)}/{name}")


def specs(cluster, namespace):
    """The spec of each object of the route, by kind."""
    specs = {}
    for kind, path in PATHS.items():
        for item in cluster.list(f"{path.format(namespace)}?labelSelector=app.kubernetes.io/name=route"):
            assert kind not in specs
            specs[kind] = as_written(kind, item["spec"])
    return specs


def as_written(kind, spec):
    """A spec without what the API server adds to that of every Service."""
    if kind == "Service":
        for counted in ("clusterIP", "clusterIPs", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy"):
            spec.pop(counted)
        if spec["sessionAffinity"] == "None":
            spec.pop("sessionAffinity")
    return spec


def weights(cluster, namespace, kind):
    rule = live(cluster, namespace, kind)["spec"]["http" if kind == "VirtualService" else "rules"][-1]
    if kind == "VirtualService":
        return {way["destination"]["host"].split("-")[1]: way["weight"] for way in rule["route"]}
    return {way["name"].split("-")[1]: way["weight"] for way in rule["backendRefs"]}


@pytest.mark.parametrize("helm", ["helm3"], indirect=True)
def test_helm4_sets_and_overwrites_a_route_that_helm3_made(cluster, namespace, meshes, client, version):
    version("v1")
    version("v2")
    client.routes.set("svc1", LANE, {"v1": 1}, mode="istio")
    newer = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=toolchain.folder() / "helm")
    assert newer.routes.set("svc1", LANE, {"v2": 1}).change == "changed"
    for kind, body in (("Service", {"selector": {"version": "v3"}}), ("VirtualService", {"hosts": ["elsewhere"]})):
        cluster.patch(f"{PATHS[kind].format(namespace)}/svc1-2-coco-1", {"spec": body})
    with pytest.raises(RouteChanged):
        newer.routes.set("svc1", LANE, {"v1": 1})
    assert newer.routes.set("svc1", LANE, {"v1": 1}, overwrite=True).change == "changed"
    # Not refused because of drift.
    assert (client.routes.set("svc1", LANE, {"v2": 1}).change, newer.routes.undo("svc1", LANE).change) == (
        "changed",
        "undone",
    )
    assert {release.status for release in client.list()} == {"deployed"}


def test_a_route_is_not_taken_by_another_release(cluster, namespace, client, plain, version):
    version("v1")
    client.routes.set("svc1", LANE, {"v1": 1})
    before = live(cluster, namespace, "Service")
    values = {"Version": "2-coco", "Build": "1", "name": "svc1", "targets": [{"serviceVersion": "v2", "weight": 1}]}
    said = plain("install", CHART, "--take-ownership", values=values, check=False, name="taker")
    assert "the release 'taker' can't have the Service svc1-2-coco-1" in said.stderr
    assert "it belongs to the release 'route-svc1-2-coco-1'" in said.stderr
    assert live(cluster, namespace, "Service") == before


#: Changes of mode to and from each, with most of the fields.
IN_PLACE = (
    *("service single", "istio everything", "gateway everything", "service with affinity", "gateway stay by header"),
    *("istio stay in matches", "istio affinity", "istio mirror"),
)


def test_a_route_that_changes_in_place_is_stored_as_a_hand_would_write_it(cluster, namespace, meshes, plain):
    """One after the other in one release; the charts' tests hold what all cases render."""
    for name in IN_PLACE:
        plain("upgrade", CHART, "--install", values=CASES[name].values)
        assert specs(cluster, namespace) == in_namespace(CASES[name], namespace).specs, name
    plain("rollback", "1")
    assert specs(cluster, namespace) == CASES[IN_PLACE[0]].specs


def test_the_api_server_takes_every_route_as_a_hand_would_write_it(cluster, namespace, meshes):
    for name, case in CASES.items():
        for kind, spec in case.specs.items():
            path = PATHS[kind].format(namespace)
            api_version = "/".join(path.split("/")[2:4]) if path.startswith("/apis/") else "v1"
            body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "route"}, "spec": spec}
            taken = cluster.create(f"{path}?dryRun=All&fieldValidation=Strict", body)
            assert as_written(kind, taken["spec"]) == spec, name


def test_a_service_is_switched_and_switched_back(cluster, namespace, client, version):
    version("v1")
    version("v2", pods=True)
    made = client.routes.set("svc1", LANE, {"v1": 100}, by="alice@laptop")
    assert (made.change, made.revision, made.release.name) == ("created", 1, "route-svc1-2-coco-1")
    assert client.routes.set("svc1", LANE, {"v1": 100}).change == "unchanged"
    switched = client.routes.set("svc1", Lane("2-coco", 1), {"v2": 100}, by="bob")
    assert (switched.change, switched.revision) == ("changed", 2)
    assert live(cluster, namespace, "Service")["spec"]["selector"]["version"] == "v2"
    cluster.until(
        "its pods are v2's, as v1 has none", lambda: endpoints(cluster, namespace, "svc1-2-coco-1") == [True, True]
    )
    back = client.routes.undo("svc1", LANE, by="carol")
    assert (back.change, back.revision, str(back.route)) == ("undone", 3, "v1=100")
    assert live(cluster, namespace, "Service")["spec"]["selector"]["version"] == "v1"
    history = client.routes.history("svc1", LANE)
    assert [(entry.by, entry.leads, entry.restores) for entry in history] == [
        ("alice@laptop", "v1=100", None),
        ("bob", "v2=100", None),
        ("carol", "v1=100", 1),
    ]
    assert all(entry.when and abs((datetime.now(UTC) - entry.when).total_seconds()) < 300 for entry in history)
    with pytest.raises(Refused, match="no earlier revision to return to"):
        client.routes.undo("svc1", LANE)
    assert client.routes.undo("svc1", LANE, to=2).to_json()["weights"] == {"v2": 100}
    (listed,) = client.routes.list()
    assert (listed.route.name, listed.revision) == ("svc1-2-coco-1", 4)
    assert client.routes.list("2-coco-2") == ()


def test_a_mesh_splits_matches_mirrors_and_goes_back(cluster, namespace, meshes, client, version):
    kind = "VirtualService"
    version("v1")
    version("v2")
    client.routes.set("svc1", LANE, {"v1": 90, "v2": 10}, mode="istio")
    split = live(cluster, namespace, kind)["spec"]
    assert weights(cluster, namespace, kind) == {"v1": 90, "v2": 10}
    matches = [{"headers": [{"name": "x-canary", "value": "true"}], "targets": [{"serviceVersion": "v2", "weight": 1}]}]
    client.routes.set("svc1", LANE, {"v1": 1}, values={"matches": matches, "mirror": {"serviceVersion": "v2"}})
    everything = live(cluster, namespace, kind)["spec"]
    shown = client.routes.show("svc1", LANE)
    assert str(shown.route) == "v1=1, 1 match, mirror v2"
    assert [(target["how"], target["ready"]) for target in shown.to_json()["targets"]] == [
        ("weight 1 of 1", 2),
        ("matches[0], weight 1 of 1", 2),
        ("mirror", 2),
    ]
    client.routes.set("svc1", LANE, {"v2": 100}, values={"matches": [], "mirror": None})
    assert weights(cluster, namespace, kind) == {"v2": 100}
    client.routes.undo("svc1", LANE)
    assert live(cluster, namespace, kind)["spec"] == everything
    client.routes.undo("svc1", LANE)
    assert live(cluster, namespace, kind)["spec"] == split


def test_a_target_has_to_be_there_of_its_lane_and_ready(cluster, namespace, meshes, client, version):
    version("v1")
    version("v2", ready=False)
    version("v3", labels={"sidelane.dev/lane": "2-coco-2"})
    version(None, "2-coco-2", service="ui")
    client.routes.set("svc1", LANE, {"v1": 100}, mode="istio")
    before = specs(cluster, namespace)
    for targets, said in (
        ({"v1": 90, "v4": 10}, "the Service svc1-v4-2-coco-1 is missing"),
        ({"v1": 100, "v4": 0}, "the Service svc1-v4-2-coco-1 is missing"),
        ({"2-coco-2/v1": 1}, "the Service svc1-v1-2-coco-2 is missing"),
        ({"v3": 1}, "are not those of lane 2-coco-1"),
        ({"v1": 95, "v2": 5}, "0 of 2 pods are ready, and its share needs 1"),
    ):
        with pytest.raises(TargetNotReady) as refused:
            client.routes.set("svc1", LANE, targets)
        assert said in refused.value.problem
    with pytest.raises(TargetNotReady, match=r"has no port 81, the route's port \(it has 80\)"):
        client.routes.set("svc1", LANE, values={"port": 81})
    with pytest.raises(TargetNotReady, match=r"mirror.*svc1-v4"):
        client.routes.set("svc1", LANE, values={"mirror": {"serviceVersion": "v4"}})
    assert specs(cluster, namespace) == before
    assert client.routes.set("svc1", LANE, {"v1": 100, "v2": 0}).change == "changed"
    assert client.routes.set("svc1", LANE, {"v2": 100}, allow_unready=True).change == "changed"
    # From a version that fails to one that works: only what gets more has to be ready.
    assert client.routes.set("svc1", LANE, {"v1": 50, "v2": 50}).change == "changed"
    with pytest.raises(TargetNotReady):
        client.routes.set("svc1", LANE, {"v1": 49, "v2": 51})
    assert client.routes.undo("svc1", LANE, to=1).change == "undone"
    # A route's own name is no target of another.
    with pytest.raises(TargetNotReady, match="is a route itself; name the version"):
        client.routes.set("svc1", "live-1", {LANE: 1})
    assert client.routes.set("ui", "live-1", {"2-coco-2": 1}).change == "created"


def test_from_lane_to_lane(cluster, namespace, client, version):
    version("v1")
    version("v1", "2-coco-2", replicas=1, pods=True)
    client.routes.set("svc1", LANE, {"v1": 1})
    client.routes.set("svc1", LANE, {"2-coco-2/v1": 1})
    selector = live(cluster, namespace, "Service")["spec"]["selector"]
    assert selector == {"app": "svc1-2-coco-2", "version": "v1", "sidelane.dev/lane": "2-coco-2"}
    cluster.until("it leads to the other lane", lambda: endpoints(cluster, namespace, "svc1-2-coco-1") == [True])


def test_what_somebody_else_changed_is_noticed_and_not_overwritten(cluster, namespace, meshes, client, plain, version):
    version("v1")
    version("v2")
    client.routes.set("svc1", LANE, {"v1": 100}, mode="istio")
    path = f"{PATHS['VirtualService'].format(namespace)}/svc1-2-coco-1"
    edited = cluster.get(path)["spec"]
    edited["http"][0]["fault"] = {"abort": {"httpStatus": 500, "percentage": {"value": 1}}}
    cluster.patch(path, {"spec": edited})
    for change in (
        lambda **how: client.routes.set("svc1", LANE, {"v2": 100}, **how),
        lambda **how: client.routes.set("svc1", LANE, {"v1": 100}, **how),
    ):
        with pytest.raises(RouteChanged, match=r"VirtualService svc1-2-coco-1: spec\.http\[default\]\.fault"):
            change()
        assert "fault" in cluster.get(path)["spec"]["http"][0]
    assert len(client.routes.show("svc1", LANE).drift) == 1
    assert client.routes.set("svc1", LANE, {"v1": 100}, overwrite=True).change == "changed"
    assert "fault" not in cluster.get(path)["spec"]["http"][0]
    service = f"{PATHS['Service'].format(namespace)}/svc1-2-coco-1"
    cluster.patch(service, {"spec": {"selector": {"version": "v2", "tier": "a"}}})
    with pytest.raises(RouteChanged, match=r"Service svc1-2-coco-1: spec\.selector"):
        client.routes.undo("svc1", LANE)
    assert client.routes.set("svc1", LANE, {"v1": 100}, overwrite=True).change == "changed"
    assert "tier" not in cluster.get(service)["spec"]["selector"]
    cluster.delete(service)
    with pytest.raises(RouteChanged, match="Service svc1-2-coco-1: is missing"):
        client.routes.set("svc1", LANE, {"v2": 100})


def test_a_write_in_between_is_noticed_at_the_last_moment(cluster, namespace, helm, plain, version):
    """Somebody writes after all has been looked at, and before this write: the chart itself refuses it."""
    version("v1")
    version("v2")
    telling = []

    def between(step):
        if step.startswith("changing") and telling:
            telling.pop()
            values = {"name": "svc1", "targets": [{"serviceVersion": "v1", "weight": 7}]}
            plain("upgrade", CHART, values=values)

    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm, progress=between)
    client.routes.set("svc1", LANE, {"v1": 100})
    telling.append(True)
    with pytest.raises(RouteChanged, match="another process changed route-svc1-2-coco-1"):
        client.routes.set("svc1", LANE, {"v2": 100})
    assert live(cluster, namespace, "Service")["spec"]["selector"]["version"] == "v1"
    history = client.routes.history("svc1", LANE)
    assert [entry.leads for entry in history if entry.held] == ["v1=100", "v1=7"]
    assert client.routes.set("svc1", LANE, {"v2": 100}).change == "changed"
    assert client.routes.undo("svc1", LANE).to_json()["weights"] == {"v1": 7}


def test_of_two_changes_at_once_one_is_made(cluster, namespace, helm, version):
    version("v1")
    version("v2")

    async def race():
        client = AsyncClient(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
        await client.routes.set("svc1", LANE, {"v1": 1})
        for weight in range(2, 5):
            both = [client.routes.set("svc1", LANE, {version: weight}, values={"port": 80}) for version in ("v1", "v2")]
            results = await asyncio.gather(*both, return_exceptions=True)
            errors = [result for result in results if isinstance(result, BaseException)]
            # One may come after the other, and then both are made; what may not be is that both looked at the same.
            assert all(isinstance(error, (RouteChanged, TargetBusy)) for error in errors), results
            assert len(errors) < 2
            revisions = [result.revision for result in results if not isinstance(result, BaseException)]
            assert len(revisions) == len(set(revisions))

    asyncio.run(race())


def test_a_change_that_a_dead_process_left_can_be_undone(cluster, namespace, client, version):
    version("v1")
    version("v2")
    client.routes.set("svc1", LANE, {"v1": 1})
    revision = client.routes.set("svc1", LANE, {"v2": 1}).revision
    for written, why in ((True, "another Helm is changing"), (False, "the last change of .* incomplete")):
        leave_pending(cluster, namespace, revision, written=written)
        with pytest.raises(TargetBusy, match=why):
            client.routes.set("svc1", LANE, {"v1": 1})
        with pytest.raises(TargetBusy, match="another process is changing"):
            client.routes.undo("svc1", LANE)
        undone = client.routes.undo("svc1", LANE, overwrite=True)
        assert undone.change == "undone"
        assert live(cluster, namespace, "Service")["spec"]["selector"]["version"] == "v2"
        revision = undone.revision
    assert client.routes.set("svc1", LANE, {"v1": 1}).change == "changed"


def leave_pending(cluster, namespace, revision, *, written):
    """Leaves what Helm does when it is killed between its two writes. written: it had changed the objects."""
    path, name = f"/api/v1/namespaces/{namespace}/secrets", "sh.helm.release.v1.route-svc1-2-coco-1.v"
    secret = cluster.get(f"{path}/{name}{revision}")
    release = helm_secrets.content(secret)
    release["version"] = revision + 1
    release["info"]["status"] = "pending-upgrade"
    if not written:
        release["manifest"] = release["manifest"].replace("v2", "v1")
    labels = {**secret["metadata"]["labels"], "version": str(revision + 1), "status": "pending-upgrade"}
    metadata = {"name": f"{name}{revision + 1}", "labels": labels}
    cluster.create(path, {"metadata": metadata, "type": secret["type"], "data": helm_secrets.data(release)})


def test_what_leads_to_a_lane_is_known_to_who_would_retire_it(cluster, namespace, meshes, helm, client, version):
    version("v1")
    version("v2")
    version("v1", "2-coco-2")
    client.routes.set("svc1", LANE, {"v1": 1}, mode="istio", values={"mirror": {"serviceVersion": "v2"}})
    client.routes.set("svc1", "live-1", {"2-coco-1/v1": 9, "2-coco-2/v1": 0}, mode="istio")

    def ask(question, **what):
        target = ClusterTarget(Helm(executable=helm, kubeconfig=cluster.kubeconfig), namespace)
        return asyncio.run(question(target, **what))

    one, two = Lane("2-coco", 1), Lane("2-coco", 2)
    assert sorted(map(str, ask(leads_to, lane=one))) == [
        "route-svc1-2-coco-1 leads to svc1-v1-2-coco-1 (weight 1 of 1)",
        "route-svc1-2-coco-1 leads to svc1-v2-2-coco-1 (mirror)",
        "route-svc1-live-1 leads to svc1-v1-2-coco-1 (weight 9 of 9)",
    ]
    assert [lead.how for lead in ask(leads_to, lane=two)] == ["weight 0 of 9"]
    assert [lead.how for lead in ask(leads_to, lane=one, release="svc1-v2-2-coco-1")] == ["mirror"]
    assert ask(leads_to, lane=Lane("2-coco", 3)) == ()
    assert ask(unrouted_since, lane=two) is None
    client.routes.set("svc1", "live-1", {"2-coco-1/v1": 1})
    client.routes.set("svc1", LANE, values={"mirror": None})
    changes = {route: client.routes.history("svc1", route) for route in ("live-1", LANE)}
    assert ask(leads_to, lane=two) == ()
    assert ask(unrouted_since, lane=two) == changes["live-1"][-1].when
    assert ask(unrouted_since, lane=one, release="svc1-v2-2-coco-1") == changes[LANE][-1].when


def test_a_version_that_is_killed_in_a_shift_loses_its_requests_again(cluster, namespace, meshes, helm, version):
    version("v1")
    version("v2", pods=True)
    steps = []

    def kill(shift):
        steps.append([step.percent for step in shift.steps])
        if len(steps) == 1:  # it receives 5 %
            assert weights(cluster, namespace, "VirtualService") == {"v1": 95, "v2": 5}
            deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/svc1-v2-2-coco-1"
            cluster.patch(deployment, {"spec": {"replicas": 0}})

    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    client.routes.set("svc1", LANE, {"v1": 100}, mode="istio")
    before = live(cluster, namespace, "VirtualService")["spec"]
    with pytest.raises(GateFailed, match=r"at 5 % for v2, and v1=100 is restored: .* pods are ready") as failed:
        client.routes.shift("svc1", LANE, "v2", every="60s", between="200ms", tell=kill)
    assert live(cluster, namespace, "VirtualService")["spec"] == before
    assert failed.value.shift.outcome == "put back"
    assert failed.value.shift.steps[0].seconds < 60
    assert [entry.leads for entry in client.routes.history("svc1", LANE)] == ["v1=100", "v1=95, v2=5", "v1=100"]


def test_a_shift_to_the_end(cluster, namespace, meshes, helm, client, version):
    version("v1")
    version("v2")
    client.routes.set("svc1", LANE, {"v1": 100}, mode="gateway")
    shift = client.routes.shift("svc1", LANE, "v2", steps=[10, 100], every="10ms", between="10ms")
    assert (shift.outcome, shift.now) == ("done", {"svc1-2-coco-1": {"v1": 0, "v2": 100}})
    assert weights(cluster, namespace, "HTTPRoute") == {"v1": 0, "v2": 100}
    assert client.routes.shift_back("svc1", LANE).to_json()["weights"] == {"v1": 100}


def test_a_way_back_stays_open_when_the_chart_has_changed(cluster, namespace, client, plain, version, tmp_path):
    """An older chart made the first revision, of values that the chart of today does not take."""
    version("v1")
    version("v2")
    older = tmp_path / "route"
    shutil.copytree(CHART, older)
    service = older / "templates" / "service.yaml"
    service.write_text(service.read_text().replace("      protocol: TCP", "      nodePort: null\n      protocol: TCP"))
    schema = json.loads((older / "values.schema.json").read_text())
    schema["properties"]["old"] = {"type": "boolean"}
    (older / "values.schema.json").write_text(json.dumps(schema))
    plain("install", older, values={"name": "svc1", "targets": [{"serviceVersion": "v1", "weight": 1}], "old": True})
    client.routes.set("svc1", LANE, {"v2": 1}, values={"old": None})
    back = client.routes.undo("svc1", LANE)
    assert (back.change, str(back.route)) == ("undone", "v1=1")
    assert live(cluster, namespace, "Service")["spec"]["selector"]["version"] == "v1"
    assert client.routes.history("svc1", LANE)[-1].restores == 1


def test_versions_by_the_chart_service_are_targets(cluster, namespace, client):
    image = {"repository": "example.org/svc1", "tag": "1"}
    for version in ("v1", "v2"):
        values = {"image": image, "replicas": 1}
        client.install("service", LANE, name="svc1", service_version=version, values=values, wait=True, timeout="60s")
    assert client.routes.set("svc1", LANE, {"v1": 100}).change == "created"
    assert client.routes.set("svc1", LANE, {"v2": 100}).change == "changed"
    cluster.until("it leads to v2's pods", lambda: endpoints(cluster, namespace, "svc1-2-coco-1") == [True])
    assert client.routes.undo("svc1", LANE).change == "undone"
