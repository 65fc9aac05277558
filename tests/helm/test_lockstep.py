"""Whole lanes that are shifted in lockstep, in a directory: every step is written to all routes or to none."""

import http.server
import json
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import yaml
from command_line import CommandLine
from routed_directory import LANE, leading, put
from sidelane import Client, Lane
from sidelane.errors import GateFailed, InvalidRoute, Refused, RouteChanged, TargetBusy, TargetNotReady
from sidelane.releases.stores.holding import holder
from sidelane.routes.marks import Mark, Member, read, short
from sidelane.routes.model import Route
from sidelane.routes.moving import ToLane
from soaking import TIMES
from web_server import serving

NEW = Lane("2-coco", 2)
SERVICES = ("svc1", "svc2", "svc3")
QUICK = {"every": "20ms", "between": "10ms"}


@pytest.fixture
def root(tmp_path):
    for service in SERVICES:
        for lane in (LANE, NEW):
            put(tmp_path / "releases", "v1", str(lane), service)
    return tmp_path / "releases"


@pytest.fixture
def client(root, helm):
    """A client whose three routes lead to the old lane."""
    return leading(root, helm, SERVICES)


def weights(client):
    """The weights of all routes, of which there are as many sets as routes that differ."""
    return {routed.route.service: routed.route.split.to_json() for routed in client.routes.list()}


def wait_for(client, expected):
    deadline = time.monotonic() + 30
    while weights(client) != expected:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def in_a_thread(work, *arguments, **named):
    """The result of a verb that is called while another one of this process runs."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work, *arguments, **named).result()


def all_have(**shares):
    named = {key.replace("new", f"{NEW}/v1"): weight for key, weight in shares.items()}
    return dict.fromkeys(SERVICES, named)


def test_a_lane_is_shifted_and_taken_back(client):
    seen = []
    done = client.shifts.start(
        LANE, NEW, steps=[25, 100], tell=lambda _: seen.append(in_a_thread(weights, client)), **QUICK
    )
    assert seen[0] == all_have(v1=75, new=25)
    assert seen[1] == all_have(v1=0, new=100)
    assert (done.outcome, [step.outcome for step in done.steps]) == ("done", ["passed", "passed"])
    assert all(step.apart > 0 for step in done.steps)
    assert json.loads(json.dumps(done.to_json()))["routes"][2]["before"] == {"v1": 1}
    (standing,) = client.shifts.status().shifts
    assert (standing.ended, standing.mark.id) == (True, done.id)
    assert len(client.shifts.back().require_all()) == 3
    assert weights(client) == all_have(v1=1)
    assert client.shifts.status().shifts == ()
    with pytest.raises(Refused, match="no shift is in progress"):
        client.shifts.back()
    with pytest.raises(Refused, match="no route has requests to move from 2-coco-2"):
        client.shifts.start(NEW, LANE, **QUICK)


def test_a_gate_that_fails_takes_all_routes_back(client, tmp_path):
    gate = tmp_path / "gate"
    gate.write_text(
        f'#!/bin/sh\necho "$1 $SIDELANE_PERCENT" >> {tmp_path}/asked\n[ "$1$SIDELANE_PERCENT" != svc250 ]\n'
    )
    gate.chmod(0o755)
    with pytest.raises(
        GateFailed, match=r"at 50 % from 2-coco-1 to 2-coco-2, and each of 3 routes is restored"
    ) as failed:
        client.shifts.start(LANE, NEW, steps=[5, 50, 100], gates=[f"command {gate} {{service}}"], **QUICK)
    assert weights(client) == all_have(v1=1)
    assert failed.value.shift.outcome == "put back"
    assert [gate.text.split()[-1] for gate in failed.value.shift.gates[1:]] == list(SERVICES)
    asked = set((tmp_path / "asked").read_text().splitlines())
    assert asked == {f"{service} {percent}" for service in SERVICES for percent in (5, 50)}
    assert client.shifts.status().shifts == ()


def test_nothing_is_written_when_one_route_is_refused(client, root, helm):
    before = {service: len(client.routes.history(service, LANE)) for service in SERVICES}
    put(root, "v2")
    put(root, "v2", service="svc3")
    with pytest.raises(TargetNotReady, match="svc2-v2-2-coco-1 is missing"):
        client.routes.set_together(SERVICES, LANE, {"v2": 1})
    with pytest.raises(InvalidRoute, match="must rise"):
        client.shifts.start(LANE, NEW, steps=[50, 5])
    client.routes.set("svc2", LANE, mode="service")
    with pytest.raises(Refused, match="mode service sends all traffic to one target"):
        client.shifts.start(LANE, NEW, steps=[50, 100], **QUICK)
    now = {service: len(client.routes.history(service, LANE)) for service in SERVICES}
    assert now == {**before, "svc2": before["svc2"] + 1}
    assert [step.percent for step in client.shifts.start(LANE, NEW, **QUICK).steps] == [100], "a Service cannot split"


def test_somebody_elses_change_stops_a_shift_and_stays(client, root, helm):
    other = Client(directory=root, helm=helm)
    others = {"svc1": {f"{NEW}/v1": 5, "v1": 95}, "svc3": {f"{NEW}/v1": 5, "v1": 95}}

    def interfere(shift):
        if len(shift.steps) == 1 and not shift.why:
            put(root, "v2", service="svc2")
            in_a_thread(other.routes.set, "svc2", LANE, {"v2": 7}, by="bob")

    with pytest.raises(RouteChanged, match="route-svc2"):
        client.shifts.start(LANE, NEW, steps=[5, 50, 100], tell=interfere, **QUICK)
    assert weights(client) == {**others, "svc2": {"v2": 7}}
    (standing,) = client.shifts.status().shifts
    states = {stand.member.service: str(stand) for stand in standing.routes}
    assert states["svc1"] == states["svc3"] == "at step 1"
    assert states["svc2"].startswith("bob changed it at ")
    with pytest.raises(RouteChanged, match="bob changed it"):
        client.shifts.go_on(**QUICK)
    undone = client.shifts.back()
    assert list(undone.changed) == [f"svc2-{LANE}"]
    assert weights(client) == {**all_have(v1=1), "svc2": {"v2": 7}}


def test_the_second_of_two_shifts_is_told_who_holds_the_first(client):
    collected = []

    def second(shift):
        if len(shift.steps) == 1 and not shift.why and not collected:
            in_a_thread(attempt)

    def attempt():
        for work in (
            lambda: client.shifts.start(LANE, NEW, **QUICK),
            lambda: client.routes.shift("svc2", LANE, f"{NEW}/v1", **QUICK),
        ):
            with pytest.raises(Refused) as refused:
                work()
            collected.append(str(refused.value))

    client.shifts.start(LANE, NEW, steps=[5, 100], by="alice@laptop", tell=second, **QUICK)
    assert len(collected) == 2
    for text in collected:
        assert "from 2-coco-1 to 2-coco-2 is at step 1 of 2 (5 %), by alice@laptop" in text
    with pytest.raises(Refused, match="is one of 3 routes of shift"):
        client.routes.shift_back("svc1", LANE)


def killed(sidelane, root, after):
    """Starts a shift as a process, and kills it so many seconds after its first write."""
    how = ("--steps", "5,50,100", "--every", "300ms", "--between", "50ms", "--directory", root)
    with sidelane.begin("shift", "--from", LANE, "--to", NEW, *how) as process:
        history = root / "default" / ".routes"
        before = {path: path.stat().st_mtime_ns for path in history.iterdir()}
        deadline = time.monotonic() + 30
        while all(path.stat().st_mtime_ns == before.get(path) for path in history.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(after)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_shift_that_is_killed_goes_on_or_back(client, root, helm):
    moments = random.Random(20261127)
    sidelane = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)
    for number in range(2 * TIMES):
        killed(sidelane, root, moments.uniform(0, 1.5))
        shifts = client.shifts.status().shifts
        if not shifts:  # killed before the first write took effect
            assert weights(client) == all_have(v1=1)
            continue
        (standing,) = shifts
        assert not standing.is_held
        assert all(stand.at is not None for stand in standing.routes)
        shown = sidelane("shift", "status").stdout
        if not standing.ended:
            assert f"shift {standing.mark.id} from 2-coco-1 to 2-coco-2 is at step" in shown
            assert "its process has ended" in shown
        if number % 2:
            sidelane("shift", "--continue", "--every", "10ms", "--between", "10ms")
            assert weights(client) == all_have(v1=0, new=100)
        sidelane("shift", "--back")
        assert weights(client) == all_have(v1=1)


@pytest.mark.parametrize("end", ["--continue", "--back"])
def test_a_shift_that_is_killed_in_its_last_step_has_not_ended(client, root, helm, end):
    sidelane = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)
    with sidelane.begin("shift", "--from", LANE, "--to", NEW, "--steps", "100", "--every", "60s") as process:
        wait_for(client, all_have(v1=0, new=100))
        process.kill()
        process.communicate()
    assert "from 2-coco-1 to 2-coco-2 is at step 1 of 1 (100 %)" in sidelane("shift", "status").stdout
    sidelane("shift", end, *(("--every", "10ms", "--between", "10ms") if end == "--continue" else ()))
    assert weights(client) == (all_have(v1=0, new=100) if end == "--continue" else all_have(v1=1))
    assert client.shifts.status().in_progress == ()
    assert sidelane("shift", "status").stdout == ""


def test_a_shift_whose_process_lives_is_not_continued(client, root, helm):
    sidelane = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)
    with sidelane.begin("shift", "--from", LANE, "--to", NEW, "--steps", "5,100", "--every", "60s") as process:
        wait_for(client, all_have(v1=95, new=5))
        with pytest.raises(TargetBusy, match="that process is still running"):
            client.shifts.go_on(**QUICK)
        assert "its process is running" in sidelane("shift", "status").stdout
        picture = sidelane("graph").stdout
        assert picture.count("│ shift from 2-coco-1 to 2-coco-2: step 1 of 2, 5 %, next 100 % after its gates") == 3
        watching = sidelane.begin("shift", "--watch")
        assert watching.stdout is not None
        first = watching.stdout.readline()  # the picture of the first step is drawn before the shift moves on
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "continue it with --continue, or undo it with --back" in out
    assert client.shifts.go_on(**QUICK).outcome == "done"
    with watching:
        watched = first + watching.stdout.read()  # `communicate` would lose what readline has buffered
    assert watching.returncode == 0
    assert "svc3-2-coco-1 (istio)\n│ shift from 2-coco-1 to 2-coco-2: step 1 of 2" in watched
    assert watched.rstrip().endswith("no shift is in progress")
    assert "shift" not in sidelane("graph").stdout


def test_the_command_line_sets_and_undoes_several_routes_together(client, root, helm):
    sidelane = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)
    for service in SERVICES:
        put(root, "v2", service=service)
    done = sidelane("route", "set", *SERVICES, "--lane", LANE, "--to", "v1=1", "--to", "v2=1")
    assert "first to last write: " in done.stdout
    assert weights(client) == all_have(v1=1, v2=1)
    undone = sidelane.json("route", "undo", *SERVICES, "--lane", LANE)
    assert [route["change"] for route in undone["routes"]] == ["undone"] * 3
    assert weights(client) == all_have(v1=1)
    sidelane("route", "undo", *SERVICES, "--lane", LANE, "--to", "1", code=2)
    sidelane("shift", code=2)
    sidelane("shift", "--from", LANE, code=2)
    sidelane("shift", "--back", "--continue", code=2)


def test_the_services_of_a_shift_can_be_chosen(client, root, helm):
    file = root.parent / "lane.yaml"
    routes = [{"service": service, "weights": {"v1": 1}} for service in ("svc1", "svc3")]
    head = {
        "apiVersion": "sidelane.dev/v1alpha1",
        "kind": "LaneDeployment",
        "lane": {"Version": "2-coco", "Build": "1"},
    }
    file.write_text(yaml.safe_dump({**head, "releases": [{"chart": "zookeeper"}], "routes": routes}))
    sidelane = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)
    shift = ("shift", "--from", LANE, "--to", NEW, "--steps", "100", "--every", "10ms", "--between", "10ms")
    done = json.loads(sidelane(*shift, "--file", file, "-o", "json").stdout.splitlines()[-1])["data"]["shift"]
    assert [route["route"] for route in done["routes"]] == [f"svc1-{LANE}", f"svc3-{LANE}"]
    assert weights(client)["svc2"] == {"v1": 1}
    assert "no route of svc9" in sidelane(*shift, "--service", "svc9", code=1).stderr
    sidelane(*shift, "--service", "svc2")
    assert weights(client)["svc2"] == {"v1": 0, f"{NEW}/v1": 100}


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps each CloudEvent that is posted to it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["Content-Type"], json.loads(body)))
        self.send_response(500 if self.path == "/full" else 202)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with serving(Receiver) as made:
        made.got = []
        yield made


def test_events_are_posted_and_a_receiver_that_fails_stops_nothing(client, receiver, root, helm):
    file = root.parent / "gates.yaml"
    file.write_text("gates:\n- command true {service}\n- command false\n")
    sidelane = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)
    shift = ("shift", "--from", LANE, "--to", NEW, "--steps", "50,100", "--every", "10ms", "--between", "10ms")
    refused = ("--notify", f"{receiver.url}/full", "--notify", "http://127.0.0.1:1/secret-path")
    failed = sidelane(*shift, "--gate-file", file, "--notify", receiver.url, "-o", "json", code=1)
    shown = [json.loads(line) for line in failed.stdout.splitlines()]
    assert [body for _, body in receiver.got] == shown
    assert {kind for kind, _ in receiver.got} == {"application/cloudevents+json; charset=utf-8"}
    assert [event["type"] for event in shown] == [f"dev.sidelane.shift.{kind}" for kind in ("step", "failed", "ended")]
    assert len({event["id"] for event in shown}) == 3
    texts = [event["data"]["text"].partition(": ")[2] for event in shown]
    assert texts[:2] == ["step 1 of 2, 50 % of 3 routes", "a check failed at 50 %: command false: false exited with 1"]
    assert texts[2].startswith("put back: ")
    sidelane(*shift, "--notify", "ftp://host", code=2)
    done = sidelane(*shift, *refused)
    assert "not notified: 127.0.0.1 did not accept event 1: the answer was 500" in done.stderr
    assert "not notified: 127.0.0.1 did not accept event 3: no answer" in done.stderr
    assert "secret-path" not in done.stderr + done.stdout
    assert weights(client) == all_have(v1=0, new=100)
    file.write_text("gates: command true\n")
    assert "is not a file of gates" in sidelane(*shift, "--gate-file", file, code=2).stderr


# -- Without Helm ----------------------------------------------------------------------------------------------------


def test_a_move_from_lane_to_lane_keeps_what_leads_elsewhere():
    values = {
        "name": "svc1",
        "mode": "istio",
        "targets": [
            {"serviceVersion": "v1", "weight": 6},
            {"serviceVersion": "v2", "weight": 2},
            {"serviceVersion": "v1", "lane": "coco-7", "weight": 2},
            {"serviceVersion": "v3", "weight": 0},
        ],
        "matches": [{"path": {"prefix": "/x"}, "targets": [{"serviceVersion": "v2", "weight": 1}]}],
        "mirror": {"serviceVersion": "v1", "lane": "", "percent": 50},
    }
    route, move = Route.from_values(values, LANE), ToLane(LANE, NEW)
    assert move.moves(route)
    assert not ToLane(NEW, LANE).moves(route)
    for percent in (5, 50, 99, 100):
        moved = move.values(route, values, percent)
        after = Route.from_values({**values, **moved}, LANE)
        shares = {str(way.to): way.share for way in after.ways() if way.how.startswith("weight")}
        assert shares["coco-7/v1"] == pytest.approx(0.2)
        for version, share in (("v1", 0.6), ("v2", 0.2)):
            assert shares[f"{NEW}/{version}"] == pytest.approx(share * percent / 100)
            assert shares[version] == pytest.approx(share * (100 - percent) / 100)
        assert f"{NEW}/v3" not in shares
        assert moved["matches"][0]["path"] == {"prefix": "/x"}
        assert str(after.mirror) == (f"{NEW}/v1" if percent == 100 else "v1")
    back = ToLane(NEW, LANE).values(after, {**values, **moved}, 100)
    whole = Route.from_values({**values, **moved, **back}, LANE)
    assert {str(to): weight for to, weight in whole.split.weights.items() if weight} == {
        "v1": 60,
        "v2": 20,
        "coco-7/v1": 20,
    }


def test_a_mark_is_read_again():
    members = (Member("svc1", LANE, 3), Member("svc-2", NEW, 12))
    mark = Mark("4f1c9a", ToLane(LANE, NEW), 2, (5, 25, 100), members, holder().token, 1764260000)
    assert read(mark.text) == mark
    assert read(mark._replace(promoted=True).text) == mark._replace(promoted=True)
    last = mark._replace(step=3, promoted=True, ended=True)
    assert read(last.text) == last
    assert short(last.text) == "shift 4f1c9a from 2-coco-1 to 2-coco-2, step 3 of 3, promoted, ended"
    assert read(last._replace(step=2).text) is None
    assert read(mark._replace(stay="none").text) == mark._replace(stay="none")
    assert read(mark._replace(promoted=True, stay="cookie").text) == mark._replace(promoted=True, stay="cookie")
    assert short(mark.text) == "shift 4f1c9a from 2-coco-1 to 2-coco-2, step 2 of 3"
    assert short("anything else") == "anything else"
    for broken in (mark.text.replace("step 2", "step 4"), mark.text.replace("@3", ""), mark.text.replace("5,", "x,")):
        assert read(broken) is None


@pytest.mark.parametrize("percents", [(5, 25, 50, 100)])
def test_the_share_of_the_new_lane_rises(percents):
    values = {"name": "svc1", "mode": "istio", "targets": [{"serviceVersion": "v1", "weight": 1}]}
    route, move = Route.from_values(values, LANE), ToLane(LANE, NEW)
    shares = []
    for percent in percents:
        split = Route.from_values({**values, **move.values(route, values, percent)}, LANE).split
        shares.append(next(weight for to, weight in split.weights.items() if to.lane == NEW) / split.total)
    assert shares == [percent / 100 for percent in percents]
    assert all(one < other for one, other in pairwise(shares))
