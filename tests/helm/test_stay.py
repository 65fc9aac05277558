"""Users stay on their version: when sessions begin, in a directory. What they see is in traffic/test_stay.py."""

import pytest
import yaml
from command_line import CommandLine
from routed_directory import LANE, leading, put, written
from sidelane import Lane
from sidelane.errors import GateFailed, InvalidRoute, InvalidValues

NEW = Lane("2-coco", 2)
SERVICES = ("svc1", "svc2")
QUICK = {"every": "0s", "between": "1ms"}
REFUSED = (
    "stay.by is cookie, and mode service does not support it: a Service does not read requests; "
    "use mode istio or gateway"
)


@pytest.fixture
def root(tmp_path):
    for service in SERVICES:
        for version, lane in (("v1", LANE), ("v2", LANE), ("v1", NEW)):
            put(tmp_path / "root", version, str(lane), service)
    return tmp_path / "root"


@pytest.fixture
def client(root, helm):
    return leading(root, helm, SERVICES)


def sessions(client, service="svc1"):
    """The way in which callers stay, and the revision at which their sessions began."""
    stay = client.routes.show(service, LANE).values["stay"]
    return stay["by"], stay["since"]


def test_sessions_begin_when_requests_begin_to_be_split(client):
    def changed(weights=None, **more):
        client.routes.set("svc1", LANE, weights, **more)
        return sessions(client)

    assert changed(stay="cookie") == ("cookie", 0)  # revision 2, although no object shows it
    client.routes.undo("svc1", LANE)
    assert sessions(client) == ("", 0)
    client.routes.undo("svc1", LANE, to=2)
    assert sessions(client) == ("cookie", 0)
    assert changed({"v1": 90, "v2": 10}) == ("cookie", 5)
    assert changed({"v1": 50, "v2": 50}) == ("cookie", 5)
    assert client.routes.set("svc1", LANE, {"v1": 50, "v2": 50}, stay="cookie").change == "unchanged"
    assert changed({"v1": 0, "v2": 1}) == ("cookie", 5)
    client.routes.undo("svc1", LANE)  # revision 8
    assert sessions(client) == ("cookie", 5), "an undo restores what was, with its sessions"
    assert changed({"v2": 1}) == ("cookie", 5)
    assert changed({"v1": 1, "v2": 1}) == ("cookie", 10)
    assert changed(stay="none") == ("", 10)
    assert changed(stay="header") == ("header", 12)
    assert changed(values={"timeout": "1s"}) == ("header", 12)


def test_a_split_of_a_match_begins_sessions_too(client):
    match = {"path": {"prefix": "/api"}, "targets": [{"serviceVersion": v, "weight": 1} for v in ("v1", "v2")]}
    client.routes.set("svc1", LANE, stay="cookie", values={"matches": [match]})
    assert sessions(client) == ("cookie", 2)


def test_each_shift_begins_sessions_and_a_return_ends_them(client, root):
    seen = []

    def look(_):
        stay = yaml.safe_load((root / "default" / f"route-svc1-{LANE}" / "values.yaml").read_text()).get("stay", {})
        seen.append((stay.get("by"), stay.get("since")))

    def shift(**more):
        seen.clear()
        client.routes.shift("svc1", LANE, "v2", steps=[5, 50, 100], stay="cookie", **QUICK, **more)

    with pytest.raises(GateFailed):
        shift(checks=["command false"], tell=look)
    assert seen[0] == ("cookie", 2)
    assert sessions(client) == ("", 0)
    shift(tell=look)
    assert set(seen) == {("cookie", 4)}
    rules = [rule["name"] for rule in written(root)["spec"]["http"]]
    assert rules == ["default"], "at the end nobody is held"


def test_a_shift_of_many_gives_all_of_them_the_same_stay(client):
    client.routes.set("svc2", LANE, stay="header")
    client.shifts.start(LANE, NEW, steps=[50, 100], stay="cookie", **QUICK)
    assert sessions(client, "svc1") == ("cookie", 2)
    assert sessions(client, "svc2") == ("cookie", 3)
    client.shifts.back()
    assert [sessions(client, service)[0] for service in SERVICES] == ["", "header"]


def test_each_route_keeps_its_own_stay_in_a_shift_that_names_none(client):
    client.routes.set("svc2", LANE, stay="header")
    client.shifts.start(LANE, NEW, steps=[50, 100], **QUICK)
    assert [sessions(client, service)[0] for service in SERVICES] == ["", "header"]


class Killed(Exception):
    """The end of a shift's process."""


def interrupted(_):
    raise Killed


@pytest.mark.parametrize("stay", ["cookie", "none"])
def test_a_shift_that_continues_keeps_its_stay_also_for_routes_without_its_first_step(client, stay):
    client.routes.set("svc2", LANE, stay="header")
    with pytest.raises(Killed):
        client.shifts.start(LANE, NEW, steps=[50, 100], stay=stay, tell=interrupted, **QUICK)
    client.routes.undo("svc2", LANE)  # as if the process had been killed between the writes
    client.shifts.go_on(**QUICK)
    assert {sessions(client, service)[0] for service in SERVICES} == {stay.replace("none", "")}


def test_a_shift_that_continues_takes_no_other_stay(client, root, helm):
    with pytest.raises(Killed):
        client.routes.shift("svc1", LANE, "v2", steps=[50, 100], stay="cookie", tell=interrupted, **QUICK)
    with pytest.raises(InvalidRoute, match="which keeps its own"):
        client.routes.shift("svc1", LANE, "v2", steps=[50, 100], stay="header", go_on=True, **QUICK)
    said = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)("shift", "--continue", "--stay", "header", code=2)
    assert "--stay cannot be used with --continue" in said.stderr
    client.routes.shift("svc1", LANE, "v2", steps=[50, 100], go_on=True, **QUICK)
    assert sessions(client) == ("cookie", 2)


def test_mode_service_refuses_in_the_words_of_the_chart(client, root, helm):
    client.routes.set("svc2", LANE, mode="service")
    before = {service: len(client.routes.history(service, LANE)) for service in SERVICES}
    with pytest.raises(InvalidValues) as refused:
        client.routes.set("svc2", LANE, stay="cookie")
    assert refused.value.problem == REFUSED
    with pytest.raises(InvalidValues) as refused:
        client.shifts.start(LANE, NEW, stay="cookie", **QUICK)
    assert refused.value.problem == REFUSED
    sidelane = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)
    for command in (
        ("route", "set", "svc2", "--lane", LANE, "--stay", "cookie"),
        ("route", "shift", "svc2", "--lane", LANE, "--to", "v2", "--stay", "cookie"),
        ("shift", "--from", LANE, "--to", NEW, "--stay", "cookie"),
    ):
        assert REFUSED in sidelane(*command, code=1).stderr
    assert {service: len(client.routes.history(service, LANE)) for service in SERVICES} == before


def test_the_command_line_sets_and_shows_a_stay(client, root, helm):
    sidelane = CommandLine(root.parent, helm, SIDELANE_DIRECTORY=root)
    route = ("svc1", "--lane", LANE)
    done = sidelane("route", "set", *route, "--to", "v1=90", "--to", "v2=10", "--stay", "cookie")
    assert "STAY:      by cookie\n" in done.stdout
    assert sidelane.json("route", "show", *route)["stay"] == "cookie"
    assert "STAY" not in sidelane("route", "set", *route, "--stay", "none").stdout
    sidelane("route", "shift", *route, "--to", "v2", "--every", "0s", "--between", "1ms", "--stay", "header")
    assert sessions(client) == ("header", 4)
    sidelane("route", "set", *route, "--stay", "luck", code=2)
