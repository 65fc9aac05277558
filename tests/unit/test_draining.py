"""Counts of open connections from what Envoy or a program answers, and the wait that they end."""

import asyncio
import http.server
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sidelane.errors import InvalidInput
from sidelane.lanes.retire import connections, draining
from sidelane.lanes.retire.connections import Removed, counted, parsed, total
from sidelane.lanes.retire.draining import Drain
from sidelane.routes.asking import ANSWER, Problem
from sidelane.routes.gates import Gate
from sidelane.routes.notices import Notices, event
from web_server import serving

STAT = "upstream_rq_active"
GONE = Removed("svc1-v1-2-coco-1", ("svc1-v1-2-coco-1",))
OURS = "outbound|80||svc1-v1-2-coco-1.streams.svc.cluster.local"
OTHERS = ("outbound|80||svc1-v1-2-coco-10.streams.svc.cluster.local", "x-svc1-v1-2-coco-1", "svc1-v2-2-coco-1")


def as_json(counts, stat=STAT):
    stats = [{"name": f"cluster.{cluster}.{stat}", "value": value} for cluster, value in counts.items()]
    return json.dumps({"stats": [*stats, {"name": "server.live", "value": 1}, {"histograms": {"x": []}}]})


def as_text(counts, stat=STAT):
    return "\n".join([*(f"cluster.{cluster}.{stat}: {value}" for cluster, value in counts.items()), "server.live: 1"])


def as_prometheus(counts, stat=STAT):
    lines = ["# TYPE envoy_cluster gauge", "", "envoy_server_live{} 1"]
    for cluster, value in counts.items():
        escaped = cluster.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'envoy_cluster_{stat}{{a="b",envoy_cluster_name="{escaped}"}} {value}')
    return "\n".join(lines)


FORMS = [as_json, as_text, as_prometheus]


@pytest.mark.parametrize("form", FORMS)
def test_the_clusters_of_the_removed_services_are_added_up(form):
    counts = {OURS: 2, "svc1-v1-2-coco-1": 3, **dict.fromkeys(OTHERS, 40)}
    assert counted(form(counts), STAT, GONE.clusters) == 5
    assert counted(form(counts), STAT, r"coco-10\.") == 40
    assert counted(form({OURS: 0}), STAT, GONE.clusters) == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bad", ["-1", "NaN", "1.5", "1e3", "true", "", "9" * 5000, "0x1", "١"])
def test_a_count_that_is_not_a_whole_number_is_unknown(form, bad):
    assert isinstance(counted(form({OURS: bad}), STAT, GONE.clusters), Problem)


@pytest.mark.parametrize("value", [-1, 1.5, True, None, [], {}, 2**53, float("nan")])
def test_a_value_in_json_that_is_not_a_count_is_unknown(value):
    assert isinstance(counted(as_json({OURS: value}), STAT, GONE.clusters), Problem)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "{}", "[]", "null", '{"stats": 1}', '{"stats": [1]}', '{"stats": [{"name": 1, "value": 1}]}',
        '{"stats": [{"name": "cluster.svc1-v1-2-coco-1.upstream_rq_active"}]}', '{"stats": [null]}',
        '{"stats":' * 100_000, "[" * 100_000, "<html>503</html>", "cluster..upstream_rq_active: 0",
        f"cluster.{STAT}: 0", "cluster.svc1-v1-2-coco-1.upstream_cx_active: 0",
        'envoy_cluster_upstream_rq_active{envoy_cluster_name="svc1-v1-2-coco-1} 0',
        'envoy_cluster_upstream_rq_active{other="svc1-v1-2-coco-1"} 0',
    ],
)  # fmt: skip
def test_an_answer_without_a_count_is_not_zero(text):
    assert isinstance(counted(text, STAT, GONE.clusters), Problem)


def test_the_other_statistic_is_counted_when_it_is_wanted():
    text = as_text({OURS: 1}) + "\n" + as_text({OURS: 7}, "upstream_cx_active")
    assert (counted(text, STAT, GONE.clusters), counted(text, "upstream_cx_active", GONE.clusters)) == (1, 7)
    assert isinstance(counted(text, STAT, Removed("a lane", ()).clusters), Problem)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    for answer in (text, "{" + text, f'{{"stats": [{text}]}}', f"cluster.svc1-v1-2-coco-1.{STAT}: {text}"):
        assert isinstance(counted(answer, STAT, GONE.clusters), int | Problem)


@given(st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\\\"\n\r\x0b\x0c\x1c\x1d\x1e"),
                               min_size=1), st.integers(0, 2**40), min_size=1))  # fmt: skip
def test_every_form_has_the_same_sum(counts):
    assert {counted(form(counts), STAT, "") for form in FORMS} == {sum(counts.values())}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not count connections"),
        ("http http://host/", "does not count connections"),
        ("envoy", "does not count connections"),
        ("envoy 127.0.0.1:9901", "is not an http or https address"),
        ("envoy http://[::1/", "is not an http or https address"),
        ("envoy http://host:port/", "is not an http or https address"),
        ("envoy http://host (", "is not a regular expression"),
        ("envoy[stat=upstream_cx_total] http://host", "is not a count of Envoy"),
        ("envoy[limit=0s] http://host", "must be greater than 0"),
        ("envoy[failures=3] http://host", "has no option failures"),
        ("command[stat=upstream_rq_active] true", "has no option stat"),
        ("command 'unclosed", "is invalid"),
    ],
)
def test_an_invalid_source_is_refused(text, says):
    with pytest.raises(InvalidInput, match=says):
        parsed([text])


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(InvalidInput) as refused:
        parsed(["envoys http://user:hunter2@host/"])
    assert "hunter2" not in str(refused.value)


def ask(*texts):
    return asyncio.run(total(parsed(texts), GONE))


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with serving(Answers) as made:
        made.asked, made.status, made.body = [], 200, as_json({OURS: 4}).encode()
        yield made


def test_several_sources_are_added_up_and_one_without_an_answer_makes_all_unknown(server, tmp_path):
    script = tmp_path / "count"
    script.write_text('#!/bin/sh\n[ "$SIDELANE_SERVICES $1" = "svc1-v1-2-coco-1 \\$HOME" ] && echo " 3 "\n')
    script.chmod(0o755)
    command = f"command {script} '$HOME'"
    assert ask(f"envoy {server.url}", command, command) == 7
    assert server.asked == ["/stats?format=json&filter=upstream_rq_active"]
    assert ask(f"envoy {server.url}/some/stats?x=1") == 4
    assert server.asked[1:] == ["/some/stats?x=1"]
    server.status = 503
    assert ask(command, f"envoy {server.url}") == Problem("127.0.0.1: the answer was 503")
    server.status, server.body = 200, b"x" * (ANSWER + 1)
    assert ask(f"envoy {server.url}") == Problem("127.0.0.1: the answer is too large; add a filter to the address")
    assert ask("envoy http://127.0.0.1:1").text.startswith("127.0.0.1: no answer: ")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("false", "false exited with 1"),
        ("true", "true did not print a whole number"),
        ("echo -1", "echo did not print a whole number"),
        ("echo 1 2", "echo did not print a whole number"),
        ("yes 1", "yes did not end within 0.3 s"),
        ("./not-there", "./not-there cannot be run: No such file or directory"),
    ],
)
def test_a_program_that_prints_no_number_is_unknown(command, says):
    assert ask(f"command[limit=300ms] {command}") == Problem(says)


def test_a_server_that_does_not_speak_http_gives_no_answer():
    async def main():
        async def serve(reader, writer):
            await reader.read(10)
            writer.write(b"SSH-2.0-x\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            gate, notices = Gate.parse(f"http {url}"), Notices([url])
            assert not await gate.passes({})
            notices.send(event(1, "step", "a text", {"id": "1"}))
            await notices.finish()
            return [gate.said, *notices.unsent, (await total(parsed([f"envoy {url}"]), GONE)).text]

    assert all("it is not HTTP (BadStatusLine)" in text for text in asyncio.run(main()))


class Counts:
    """A source that gives these counts, one after the other, and the last one again and again."""

    def __init__(self, *counts):
        self.left = list(counts)
        self.asked = 0

    async def ask(self, removed):
        assert removed == GONE
        self.asked += 1
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(draining, "_BETWEEN", 0.001)


def wait(limit, *sources, since=None):
    said = []
    return asyncio.run(Drain(limit, sources).wait(GONE, since, said.append)), said


def test_the_wait_ends_at_two_counts_of_zero_in_a_row(quick):
    source = Counts(3, 3, 0, 1, Problem("x: no answer"), 0, 0, 5)
    done, said = wait(60, source)
    assert (done.connections, done.problem, source.asked) == (0, "", 7)
    assert said == [
        "svc1-v1-2-coco-1: 3 connections are open; at most 60 s more",
        "svc1-v1-2-coco-1: 0 connections are open; at most 60 s more",
        "svc1-v1-2-coco-1: 1 connection is open; at most 60 s more",
        "svc1-v1-2-coco-1: the number of open connections is unknown (x: no answer); at most 60 s more",
        "svc1-v1-2-coco-1: 0 connections are open; at most 60 s more",
    ]


def test_the_time_remains_as_the_limit(quick):
    done, _ = wait(0.05, Counts(2))
    assert (done.connections, str(done)) == (2, "2 connections are open at the end of the drain time")
    assert done.to_json() == {"seconds": round(done.seconds, 3), "connections": 2, "problem": ""}
    done, _ = wait(0.05, Counts(2), Counts(Problem("no answer")))
    assert (done.connections, done.problem) == (None, "no answer")
    assert str(done) == "the number of open connections is unknown (no answer); the whole drain time was waited for"


def test_a_route_that_ended_long_ago_leaves_one_look(quick):
    source = Counts(2)
    done, said = wait(30, source, since=datetime.now(UTC) - timedelta(hours=1))
    assert (done.connections, source.asked, said) == (2, 1, [f"{GONE.what}: 2 connections are open; at most 0 s more"])


def test_a_source_that_hangs_does_not_hold_the_end(quick):
    class Hangs:
        async def ask(self, removed):
            await asyncio.Event().wait()

    done, _ = wait(0.05, Hangs())
    assert done.problem == "no answer within the drain time"


def test_nothing_is_counted_without_a_limit_or_without_sources(quick):
    source = Counts(2)
    assert wait(0.0, source)[0] is None
    assert (wait(0.01)[0], source.asked) == (None, 0)
    _, said = wait(0.01, since=datetime.now(UTC) + timedelta(seconds=0.1))
    assert said == ["waiting 0 seconds for open connections to svc1-v1-2-coco-1, which a route has just left"]


def test_the_examples_of_the_module_are_valid():
    examples = [
        line.strip().partition("   ")[0] for line in connections.__doc__.splitlines() if line.startswith("    ")
    ]
    assert len(parsed(examples)) == 3
