"""Whole lanes that are shifted in lockstep on a real API server: killed at any moment, continued, and taken back.

`make soak` plays a hundred kills. The moments are drawn with fixed seeds.
"""

import json
import os
import random
import time
from collections import Counter

import pytest
from command_line import CommandLine
from killing import descendants, kill
from mesh_kinds import PATHS
from sidelane import Lane
from sidelane.errors import GateFailed, Refused, RouteChanged, TargetNotReady
from sidelane.manifest import Manifest
from sidelane.releases import least_rights
from sidelane.releases.stores import many

OLD, NEW = Lane("2-coco", 1), Lane("2-coco", 2)
SERVICES = ("svc1", "svc2")
KILLS = int(os.environ.get("SIDELANE_SOAK_KILLED_SHIFTS", "4")) // 2
QUICK = {"every": "10ms", "between": "10ms"}


def put(cluster, namespace, service, lane, *, ready=True):
    """A version of a service as routes see it: a Service and its endpoints, without pods."""
    name = f"{service}-v1-{lane}"
    labels = {"app": f"{service}-{lane}", "version": "v1", "sidelane.dev/lane": str(lane)}
    metadata = {"name": name, "labels": labels}
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    cluster.create(PATHS["Service"].format(namespace), {"metadata": metadata, "spec": {"ports": ports}})
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    endpoint = {"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}
    ours = {"name": name, "labels": {"kubernetes.io/service-name": name}}
    slice_ports = [{"name": "http", "port": 8080}]
    cluster.create(slices, {"metadata": ours, "addressType": "IPv4", "endpoints": [endpoint], "ports": slice_ports})


@pytest.fixture
def lanes(cluster, namespace, meshes, client):
    """Two lanes of two services, and routes that lead to the old one: the specs of these."""
    return led(cluster, namespace, client, SERVICES)


@pytest.fixture
def small(cluster, namespace, meshes, client):
    """The same, of one service."""
    return led(cluster, namespace, client, SERVICES[:1])


def led(cluster, namespace, client, services):
    for service in services:
        for lane in (OLD, NEW):
            put(cluster, namespace, service, lane)
    done = client.routes.set_together(services, OLD, {"v1": 1}, mode="istio")
    assert done.seconds > 0
    return specs(cluster, namespace, services)


def specs(cluster, namespace, services=SERVICES):
    return {service: spec(cluster, namespace, service) for service in services}


def spec(cluster, namespace, service):
    return cluster.get(f"{PATHS['VirtualService'].format(namespace)}/{service}-{OLD}")["spec"]


def leads(cluster, namespace, services=SERVICES):
    """The percentage that leads to the new lane, of each route, as the API server has it."""
    percentages = []
    for service in services:
        (rule,) = spec(cluster, namespace, service)["http"]
        weights = {way["destination"]["host"].split(".")[0]: way["weight"] for way in rule["route"]}
        percentages.append(weights.get(f"{service}-v1-{NEW}", 0))
    return percentages


@pytest.mark.either_helm
def test_routes_are_read_at_once_by_set_shift_back_and_undo(cluster, namespace, client, counted, monkeypatch):
    monkeypatch.setattr(many, "FEW", 1)  # so many are read one by one
    names = SERVICES
    for service in names:
        for lane in (OLD, NEW):
            put(cluster, namespace, service, lane)
    counting, started = counted

    def reads():
        asked = started()
        assert asked["install"] + asked["upgrade"] >= len(names)
        return asked["status"], asked["history"]

    counting.routes.set_together(names, OLD, {"v1": 1})
    assert reads() == (0, 0)
    counting.shifts.start(OLD, NEW, steps=[100], **QUICK)
    assert reads() == (0, 0), "also the marks of the end"
    assert counting.shifts.status().shifts[0].ended
    asked = started()
    assert (asked["status"], asked["history"], asked["list"]) == (0, 0, 1)
    counting.routes.undo_together(names, OLD)
    assert reads() == (0, 0)
    assert {str(each.route) for each in client.routes.list()} == {"v1=1"}
    counting.shifts.start(OLD, NEW, steps=[100], **QUICK)
    reads()
    assert len(counting.shifts.back().routes) == len(names)
    assert reads() == (0, 0)
    assert {str(each.route) for each in client.routes.list()} == {"v1=1"}


@pytest.mark.either_helm
def test_the_rules_of_sessions_are_stored_in_both_modes_as_they_are_written(cluster, namespace, lanes, client):
    client.routes.set("svc2", OLD, mode="gateway")
    client.shifts.start(OLD, NEW, steps=[50], stay="cookie", **QUICK)
    named = f"sidelane-{{}}-{OLD}={NEW}/v1.{{}}; Path=/; Max-Age=10800; HttpOnly; SameSite=Lax"
    routes = spec(cluster, namespace, "svc1")["http"]
    assert [route["headers"]["response"]["add"]["set-cookie"] for route in routes[1]["route"]] == [
        named.format("svc1", 2)
    ]
    rules = cluster.get(f"{PATHS['HTTPRoute'].format(namespace)}/svc2-{OLD}")["spec"]["rules"]
    (filter_,) = rules[1]["backendRefs"][0]["filters"]
    assert filter_["responseHeaderModifier"] == {"add": [{"name": "set-cookie", "value": named.format("svc2", 3)}]}
    assert (len(routes), len(rules)) == (3, 3)
    for service in SERVICES:
        assert client.routes.set(service, OLD).change == "unchanged", "and not refused because of drift"


def events(cluster, namespace, kind, name):
    """The reasons, types and notes of an object's events, as `kubectl describe` finds them, the oldest first."""
    uid = cluster.get(f"{PATHS[kind].format(namespace)}/{name}")["metadata"]["uid"]
    selector = f"involvedObject.uid={uid},involvedObject.name={name},involvedObject.kind={kind}"
    path = f"/api/v1/namespaces/{namespace}/events?fieldSelector={selector}"
    shown = sorted(cluster.list(path), key=lambda event: event["eventTime"])
    assert {event["reportingComponent"] for event in shown} <= {"sidelane.dev"}
    return [(event["reason"], event["type"], event["message"].partition(": ")[2]) for event in shown]


@pytest.mark.either_helm
def test_a_lane_is_shifted_by_steps_and_taken_back_and_each_is_an_event_on_the_routes_objects(
    cluster, namespace, lanes, client
):
    seen = []
    done = client.shifts.start(
        OLD, NEW, steps=[25, 100], tell=lambda _: seen.append(leads(cluster, namespace)), **QUICK
    )
    assert (done.outcome, done.unsent, seen) == ("done", [], [[25, 25], [100, 100], [100, 100]])
    assert [entry.context.split(",")[1] for entry in client.routes.history("svc2", OLD)[1:]] == [
        " step 1 of 25",
        " step 2 of 25",
        " step 2 of 25",
    ], "the last one marks the end"
    client.shifts.back()
    assert specs(cluster, namespace) == lanes
    with pytest.raises(GateFailed):
        client.shifts.start(OLD, NEW, steps=[25, 100], gates=["command false"], **QUICK)
    failed = "a check failed at 25 %: command false: false exited with 1"
    for service in SERVICES:
        for kind in ("Service", "VirtualService"):
            assert events(cluster, namespace, kind, f"{service}-{OLD}") == [
                ("ShiftStep", "Normal", "step 1 of 2, 25 % of 2 routes"),
                ("ShiftStep", "Normal", "step 2 of 2, 100 % of 2 routes"),
                ("ShiftEnded", "Normal", "done"),
                ("ShiftReturned", "Normal", "back to what the route was before the shift"),
                ("ShiftStep", "Normal", "step 1 of 2, 25 % of 2 routes"),
                ("ShiftGateFailed", "Warning", failed),
                ("ShiftEnded", "Warning", "put back: command false: false exited with 1"),
            ]


@pytest.mark.either_helm
def test_a_shift_needs_exactly_its_rights_and_goes_on_without_the_one_to_write_events(
    cluster, namespace, small, client, limited
):
    manifest = client.render(
        "route", OLD, values={"name": "svc1", "mode": "istio", "targets": [{"serviceVersion": "v1", "weight": 1}]}
    )
    rights = least_rights.of_verb("shift", Manifest.read(manifest, namespace=namespace).objects, namespace)
    role = least_rights.role("limited", rights)
    each = limited(*role["rules"])
    assert each.shifts.start(OLD, NEW, steps=[100], **QUICK).unsent == []
    silent = [right for right in rights if right.resource != "events"]
    assert len(silent) == len(rights) - 1
    role = {**least_rights.role("limited", silent), "apiVersion": "rbac.authorization.k8s.io/v1"}
    cluster.request("PUT", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/limited", role)
    (line,) = each.shifts.back().unsent
    problem = f"no right to create events.events.k8s.io in namespace {namespace}, or to get the objects"
    assert line.startswith(f"no Kubernetes Event ShiftReturned: {problem}")
    done = each.shifts.start(OLD, NEW, steps=[100], **QUICK)
    assert (done.outcome, len(done.unsent)) == ("done", 1)
    assert leads(cluster, namespace, small) == [100]
    assert len(events(cluster, namespace, "VirtualService", f"svc1-{OLD}")) == 2


@pytest.mark.either_helm
def test_nothing_moves_before_every_target_is_ready_and_others_changes_stay(cluster, namespace, lanes, client):
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/svc2-v1-{NEW}"

    def turn(ready):
        cluster.patch(slices, {"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]})

    turn(ready=False)
    with pytest.raises(TargetNotReady, match="0 of 1 pods are ready, and its share needs 1"):
        client.shifts.start(OLD, NEW, steps=[25, 100], **QUICK)
    assert specs(cluster, namespace) == lanes
    turn(ready=True)

    def edit(shift):
        if len(shift.steps) == 1 and not shift.why:
            path = f"{PATHS['VirtualService'].format(namespace)}/svc2-{OLD}"
            edited = cluster.get(path)["spec"]
            edited["http"][0]["timeout"] = "7s"
            cluster.patch(path, {"spec": edited})

    with pytest.raises(RouteChanged, match="svc2-2-coco-1"):
        client.shifts.start(OLD, NEW, steps=[25, 100], tell=edit, every="0s", between="1ms")
    assert leads(cluster, namespace) == [25, 25]
    assert spec(cluster, namespace, "svc2")["http"][0]["timeout"] == "7s"
    with pytest.raises(RouteChanged):
        client.shifts.back()
    client.shifts.back(overwrite=True)
    assert specs(cluster, namespace) == lanes


@pytest.mark.either_helm
def test_a_shift_that_is_killed_in_its_last_step_has_not_ended(cluster, namespace, small, helm, client, tmp_path):
    sidelane = CommandLine(tmp_path, helm, place=("-n", namespace), KUBECONFIG=cluster.kubeconfig)
    pending = f"/api/v1/namespaces/{namespace}/secrets?labelSelector=owner=helm,status=pending-upgrade"
    with sidelane.begin("shift", "--from", OLD, "--to", NEW, "--steps", "100", "--every", "10m") as process:
        cluster.until("the step is written", lambda: leads(cluster, namespace, small) == [100])
        cluster.until("its write is done", lambda: not cluster.list(pending))
        kill([process.pid])
        process.communicate()
    (shift,) = client.shifts.status().in_progress
    assert (shift.mark.step, shift.is_held) == (1, False)
    with pytest.raises(Refused, match=r"is at step 1 of 1 \(100 %\)"):
        client.shifts.start(NEW, OLD, **QUICK)
    assert client.shifts.go_on(**QUICK).outcome == "done"
    assert leads(cluster, namespace, small) == [100]
    assert client.shifts.status().in_progress == ()
    client.shifts.back()
    assert specs(cluster, namespace, small) == small
    assert client.shifts.status().shifts == ()


def begun(cluster, namespace, begin, writes):
    """The process that ``begin`` starts, once it has begun so many writes of Helm, or has ended."""
    path = f"/api/v1/namespaces/{namespace}/secrets?labelSelector=owner=helm"
    before, process = set(cluster.names(path)), begin()
    enough = lambda: len(set(cluster.names(path)) - before) >= writes or process.poll() is not None  # noqa: E731
    cluster.until(f"{writes} writes", enough)
    return process


@pytest.mark.either_helm
def test_a_shift_that_is_killed_at_any_moment_goes_on_or_back(
    cluster, namespace, lanes, helm, client, tmp_path, record_property
):
    moments, left = random.Random(20261193), Counter()
    sidelane = CommandLine(tmp_path, helm, place=("-n", namespace), KUBECONFIG=cluster.kubeconfig)
    start = ("shift", "--from", OLD, "--to", NEW, "--steps", "50,100", "--every", "400ms", "--between", "200ms")
    for number in range(KILLS):
        writes = moments.randrange(3 * len(SERVICES))  # the end is a write, too
        process = begun(cluster, namespace, lambda: sidelane.begin(*start), writes)
        time.sleep(moments.uniform(0, 0.5))
        # The process alone, whose Helms the kernel then asks to end, or all at once, as when a machine goes.
        kill([process.pid] if moments.random() < 0.5 else descendants(process.pid))
        process.communicate()
        state = sidelane.json("shift", "status")
        running = [shift for shift in state["shifts"] if shift["step"] < len(shift["steps"])]
        left.update(f"{stand['at']}" for shift in state["shifts"] for stand in shift["routes"])
        left.update("incomplete" for _ in state["incomplete"])
        if number % 2 and state["shifts"]:
            done = sidelane("shift", "--continue", "--every", "10ms", "-o", "json").stdout.splitlines()[-1]
            assert json.loads(done)["data"]["shift"]["outcome"] == "done"
            assert leads(cluster, namespace) == [100, 100]
        if state["shifts"] or state["incomplete"]:
            sidelane("shift", "--back")
        assert specs(cluster, namespace) == lanes, (number, running)
        assert sidelane.json("shift", "status") == {"shifts": [], "incomplete": []}
    record_property("steps of the routes that the kills left", dict(left))
