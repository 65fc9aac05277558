"""Moving requests step by step: gates that really ask, and where a shift stands when it is interrupted."""

import asyncio
import functools
import http.server
import json
import os
import signal
import threading
import time

import pytest
from command_line import CommandLine
from routed_directory import LANE, put, written
from sidelane import Client, Lane
from sidelane.errors import GateFailed, InvalidInput, Refused, RouteChanged
from sidelane.routes.gates import Gate
from web_server import serving


class Answers(http.server.BaseHTTPRequestHandler):
    """A server whose answers a test chooses: by path, a status and a body."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, body, seconds = self.server.answers
        time.sleep(seconds)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with serving(Answers) as made:
        made.asked, made.answers = [], (200, "", 0.0)
        yield made


def ask(text, **environment):
    """A gate's answer when it is asked once."""
    gate = Gate.parse(text)
    passed = asyncio.run(gate.passes(environment))
    assert passed is (gate.said == "")
    return gate.said


def test_a_command(tmp_path):
    assert ask("command true") == ""
    assert ask("command false") == "false exited with 1"
    assert ask("command[limit=100ms] sleep 5") == "sleep did not end within 0.1 s"
    assert ask("command ./not-there") == "./not-there cannot be run: No such file or directory"
    # No shell reads it, and it is told what it is asked about.
    script = tmp_path / "check"
    script.write_text(f'#!/bin/sh\necho "$SIDELANE_TARGET $1" > {tmp_path}/said\n')
    script.chmod(0o755)
    assert ask(f"command {script} '$HOME; rm'", SIDELANE_TARGET="v2") == ""
    assert (tmp_path / "said").read_text() == "v2 $HOME; rm\n"


def test_an_answer_by_http(server):
    assert ask(f"http {server.url}/healthz") == ""
    server.answers = (503, "", 0.0)
    assert ask(f"http {server.url}") == "the answer was 503"
    server.answers = (200, "", 1.0)
    assert ask(f"http[limit=100ms] {server.url}").startswith("no answer")
    assert ask("http http://127.0.0.1:1").startswith("no answer: ")


def vector(*values):
    result = [{"metric": {}, "value": [1.5, value]} for value in values]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})


@pytest.mark.parametrize(
    ("options", "body", "said"),
    [
        ("limit=0.01", vector("0.01"), ""),
        ("limit=0.01", vector("0.001", "0.02"), "the query gives 0.02, above the limit 0.01"),
        ("least=0.99", vector("1", "0.5"), "the query gives 0.5, below the least 0.99"),
        ("limit=1", vector(), "the query gives no number"),
        ("limit=1", vector("NaN"), "the query gives no number"),
        ("limit=1", json.dumps({"data": {"resultType": "scalar", "result": [1, "0.5"]}}), ""),
        ("limit=1", "no JSON", "Prometheus' answer has no numbers"),
    ],
)
def test_a_query_to_prometheus(server, monkeypatch, options, body, said):
    monkeypatch.setenv("SIDELANE_PROMETHEUS_TOKEN", "s3cret")
    server.answers = (200, body, 0.0)
    assert ask(f'prometheus[{options},at={server.url}] sum(rate(x{{a="b"}}[1m]))') == said
    ((path, token),) = server.asked
    assert path.startswith("/api/v1/query?query=sum%28rate%28x%7Ba%3D%22b%22%7D%5B1m%5D%29%29")
    assert token == "Bearer s3cret"
    monkeypatch.setenv("PROMETHEUS_URL", "http://127.0.0.1:1")
    assert ask("prometheus[limit=1] up").startswith("Prometheus does not respond")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a valid check"),
        ("ping somewhere", "is not a valid check"),
        ("http", "is not a valid check"),
        ("http ftp://host/", "is not an http or https address"),
        ("http[limit=soon] http://host/", "not a duration"),
        ("http[limit=0s] http://host/", "must be greater than 0"),
        ("http[failures=0] http://host/", "failures=0"),
        ("http[latency=1s] http://host/", "no option latency"),
        ("http[failures] http://host/", "has no value"),
        ("command 'unclosed", "is invalid"),
        ("prometheus[limit=1] up", "no Prometheus address"),
        ("prometheus[at=http://p] up", "either limit"),
        ("prometheus[limit=1,least=1,at=http://p] up", "either limit"),
        ("prometheus[limit=x,at=http://p] up", "not a number"),
    ],
)
def test_what_is_no_check(text, says, monkeypatch):
    monkeypatch.delenv("PROMETHEUS_URL", raising=False)
    with pytest.raises(InvalidInput, match=says):
        Gate.parse(text)


def test_a_password_in_an_address_is_not_repeated():
    assert "hunter2" not in Gate.parse("http http://user:hunter2@127.0.0.1:1/").text
    asked = Gate.parse("http[limit=1s] http://127.0.0.1:1/ready?token=hunter2")
    assert asked.text == "http[limit=1s] http://127.0.0.1:1/ready?(hidden)"
    assert ask("http http://127.0.0.1:1/ready?token=hunter2").startswith("no answer: ")
    with pytest.raises(InvalidInput) as refused:
        Gate.parse("http ftp://user:hunter2@host/")
    assert "hunter2" not in str(refused.value)


def test_bad_answers_close_a_gate_when_enough_come_in_a_row(server):
    gate = Gate.parse(f"http[failures=3] {server.url}")

    async def answers(*good):
        for answer in good:
            server.answers = (200 if answer else 500, "", 0.0)
            yield await gate.passes({})

    async def collect(*good):
        return [answer async for answer in answers(*good)]

    assert asyncio.run(collect(False, False, True, False, False, False)) == [True] * 5 + [False]
    assert (gate.asked, gate.failed) == (6, 5)
    gate.anew()
    assert asyncio.run(collect(False)) == [True]


NAME = f"svc1-{LANE}"
# -- Shifts ----------------------------------------------------------------------------------------------------------


def shift(client, to="v2", **how):
    return client.routes.shift("svc1", LANE, to, **{"every": "50ms", "between": "20ms", **how})


@pytest.fixture
def root(tmp_path):
    for version in ("v1", "v2", "v3"):
        put(tmp_path, version)
    return tmp_path


@pytest.fixture
def routed(root, helm):
    """A client whose route leads to v1 and a little to v3."""
    client = Client(directory=root, helm=helm)
    client.routes.set("svc1", LANE, {"v1": 3, "v3": 1}, mode="istio")
    return client


def test_a_shift_moves_step_by_step_and_keeps_the_others_proportion(routed, server):
    seen = []
    done = shift(routed, steps=[20, 100], checks=[f"http {server.url}"], tell=lambda s: seen.append(len(s.steps)))
    assert (done.outcome, done.before) == ("done", {NAME: {"v1": 3, "v3": 1}})
    assert done.now == {NAME: {"v1": 0, "v3": 0, "v2": 100}}
    assert [(step.percent, step.weights[NAME], step.outcome) for step in done.steps] == [
        (20, {"v1": 60, "v3": 20, "v2": 20}, "passed"),
        (100, {"v1": 0, "v3": 0, "v2": 100}, "passed"),
    ]
    assert seen == [1, 2, 2]
    assert done.gates[0].text == "the target exists (nothing runs in a directory)"
    assert len(server.asked) == done.gates[1].asked >= 2
    assert json.loads(json.dumps(done.to_json()))["checks"][1]["failed"] == 0
    assert routed.routes.shift_back("svc1", LANE).to_json()["weights"] == {"v1": 3, "v3": 1}
    with pytest.raises(Refused, match="no shift is in progress"):
        routed.routes.shift_back("svc1", LANE)


def test_a_failed_check_puts_back_what_was(routed, root, server):
    before = written(root)

    def fail(shift):
        if len(shift.steps) == 2:
            server.answers = (500, "", 0.0)

    with pytest.raises(
        GateFailed, match=r"failed at 50 % for v2, and v1=3, v3=1 is restored.*the answer was 500"
    ) as failed:
        shift(routed, steps=[5, 50, 100], checks=[f"http {server.url}"], tell=fail)
    assert written(root) == before
    assert [step.outcome for step in failed.value.shift.steps] == ["passed", "failed"]
    last = routed.routes.history("svc1", LANE)[-1]
    assert (last.leads, last.restores) == ("v1=3, v3=1", 1)


def test_somebody_elses_change_ends_a_shift_and_stays(routed, root, helm):
    other = Client(directory=root, helm=helm)

    def change(shift):
        if len(shift.steps) == 1:
            thread = threading.Thread(target=other.routes.set, args=("svc1", LANE, {"v3": 1}))
            thread.start()
            thread.join()

    with pytest.raises(RouteChanged):
        shift(routed, steps=[5, 100], tell=change)
    assert routed.routes.show("svc1", LANE).to_json()["weights"] == {"v3": 1}


@pytest.mark.parametrize("steps", [[], [0], [101], [50, 5], [5, 5]])
def test_steps_rise(routed, steps):
    with pytest.raises(InvalidInput, match="must rise, within 1 to 100"):
        shift(routed, steps=steps)


def interrupted(root, helm, number):
    """A shift on the command line that is ended by a signal in its first step."""
    sidelane = CommandLine(root, helm)
    steps = ("--steps", "5,50,100", "--every", "60s", "--between", "1s", "--directory", root)
    with sidelane.begin("route", "shift", "svc1", "--lane", LANE, "--to", "v2", *steps) as process:
        deadline = time.monotonic() + 30
        while [way["weight"] for way in written(root)["spec"]["http"][0]["route"]] == [3, 1]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.2)
        os.kill(process.pid, number)
        out, error = process.communicate(timeout=30)
    return process.returncode, out, error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_shift_goes_on_or_back(routed, root, helm, number):
    code, out, error = interrupted(root, helm, number)
    if number == signal.SIGINT:
        assert code == 130
        assert "the shift to v2 is interrupted; it leads to v1=57, v3=19, v2=4" in out
        assert "continue it with --go-on" in out
        assert "SIGINT" in error
    with pytest.raises(Refused, match=r"shift \w+ to v2 is at step 1 of 3 \(5 %\), by \S+"):
        shift(routed, steps=[5, 50, 100])
    with pytest.raises(Refused, match="no matching shift is in progress"):
        shift(routed, to="v3", steps=[5, 50, 100], go_on=True)
    done = shift(routed, steps=[5, 50, 100], go_on=True)
    assert [step.percent for step in done.steps] == [5, 50, 100]
    assert (done.before, done.outcome) == ({NAME: {"v1": 3, "v3": 1}}, "done")
    assert routed.routes.shift_back("svc1", LANE).to_json()["weights"] == {"v1": 3, "v3": 1}


def test_the_command_line_prints_a_summary_and_puts_back(routed, root, helm, tmp_path):
    sidelane = CommandLine(root, helm, SIDELANE_DIRECTORY=root)
    shifts = functools.partial(sidelane, "route", "shift", "svc1", "--lane", LANE)
    quick = ("--to", "v2", "--steps", "10,100", "--every", "50ms", "--between", "20ms")
    failed = shifts(*quick, "--check", "command false", code=1)
    assert "10       2         0 s     " in failed.stdout
    assert "the shift to v2 is put back; it leads to v1=3, v3=1" in failed.stdout
    assert (
        "Error: a check failed at 10 % for v2, and v1=3, v3=1 is restored: command false: false exited with 1"
        in failed.stderr
    )
    events = [json.loads(line) for line in shifts(*quick, "--check", "command true", "-o", "json").stdout.splitlines()]
    assert [event["type"].rpartition(".")[2] for event in events] == ["step", "step", "ended"]
    assert events[-1]["data"]["shift"]["outcome"] == "done"
    shifts("--back")
    shifts("--back", "--to", "v2", code=2)


@pytest.mark.parametrize(("mode", "steps"), [("service", [100]), ("istio", [5, 25, 50, 100])])
def test_the_steps_that_nobody_gives_fit_the_mode(root, helm, mode, steps):
    client = Client(directory=root, helm=helm)
    client.routes.set("svc1", LANE, {"v1": 1}, mode=mode)
    done = shift(client)
    assert ([step.percent for step in done.steps], done.outcome) == (steps, "done")


def test_a_step_that_is_refused_is_no_interruption(root, helm):
    client = Client(directory=root, helm=helm)
    client.routes.set("svc1", LANE, {"v1": 1})
    collected = []
    with pytest.raises(Refused, match="mode service sends all traffic to one target"):
        shift(client, steps=[5, 100], tell=collected.append)
    assert (collected[-1].outcome, collected[-1].steps) == ("refused", [])
    assert "mode service sends all traffic to one target" in collected[-1].why
    shifts = ("route", "shift", "svc1", "--lane", LANE, "--to", "v2", "--steps", "5,100", "--directory", root)
    done = CommandLine(root, helm)(*shifts, code=1)
    assert done.stdout == "", "nothing was changed, so there is nothing to go on with"
    assert "mode service sends all traffic to one target" in done.stderr


def test_lanes_are_targets_too(routed, root):
    put(root, "v1", "2-coco-2")
    done = shift(routed, to="2-coco-2/v1", steps=[100])
    assert done.now == {NAME: {"v1": 0, "v3": 0, "2-coco-2/v1": 100}}
    assert routed.routes.list(Lane("2-coco", 1))[0].to_json()["weights"] == done.now[NAME]
