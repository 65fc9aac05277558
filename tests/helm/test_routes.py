"""The targets of a stable name: parsed, set, undone and known, without a cluster."""

import asyncio
import functools
import json
import multiprocessing
import re
import threading

import pytest
from command_line import CommandLine
from hypothesis import given, settings
from hypothesis import strategies as st
from routed_directory import LANE, put, written
from sidelane import Client, Lane
from sidelane.errors import InvalidLane, InvalidName, InvalidRoute, Refused, RouteChanged, SidelaneError, TargetNotReady
from sidelane.releases.stores.directory import DirectoryTarget
from sidelane.routes import notes, ready
from sidelane.routes.destination import Destination
from sidelane.routes.leads import leads_to, unrouted_since
from sidelane.routes.model import Route, Split
from sidelane.routes.notes import Revision
from sidelane.routes.places import Backend
from soaking import TIMES

V1, V2 = Destination("v1"), Destination("v2")


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("v1", "svc1-v1-2-coco-1"),
        ("2-coco-2/v1", "svc1-v1-2-coco-2"),
        ("2-coco-2", "svc1-2-coco-2"),
        ("coco-7", "svc1-coco-7"),
        ("2-coco-1/v1", "svc1-v1-2-coco-1"),
    ],
)
def test_a_target_and_its_service(text, service):
    target = Destination.parse(text).within(LANE)
    assert Route("svc1", LANE, "istio", Split({target: 1})).service_of(target) == service
    assert str(target) == text.removeprefix("2-coco-1/")
    assert Destination.from_values(target.to_values()) == target


@pytest.mark.parametrize("text", ["", "1", "coco", "v1/coco-1", "coco-1/", "coco-1/1", "/v1", "coco-01", "2-coco-1"])
def test_what_is_no_target(text):
    with pytest.raises((InvalidRoute, InvalidLane)):
        Destination.parse(text).within(LANE)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([], "must have a target"),
        (["v1=0"], "every weight of v1 is 0"),
        (["v1=1", "v2"], "'v2' has no weight"),
        (["v1=-1"], "the weight '-1'"),
        (["v1=1.5"], "the weight '1.5'"),
        (["v1=1000001"], "1000001"),
        (["v1=1", "v1=2"], "given twice"),
        (["v1=1", "2-coco-1/v1=2"], "given twice"),
        ([f"v{n}=1" for n in range(17)], "17 targets"),
    ],
)
def test_what_is_no_split(texts, says):
    with pytest.raises(InvalidRoute, match=says):
        Split.parse(texts, LANE)


def test_a_split_as_everybody_writes_it():
    split = Split.parse(["v1=90", "2-coco-2/v2=10"], LANE)
    assert split == Split.of({"v1": 90, "2-coco-2/v2": 10}, LANE)
    assert split == Split.from_values(split.to_values(), LANE) == Split.parse(str(split).split(", "), LANE)
    assert Split.parse(["v2"], LANE) == Split({V2: 100})
    # Helm gives back the numbers of its JSON as floats.
    assert Split.from_values([{"serviceVersion": "v1", "weight": 90.0}], LANE) == Split({V1: 90})


TARGETS = st.sampled_from([Destination(f"v{n}") for n in range(1, 6)])
SPLITS = st.dictionaries(TARGETS, st.integers(0, 1000), min_size=1, max_size=5).filter(lambda w: any(w.values()))


@given(SPLITS, TARGETS, st.integers(1, 100))
def test_a_target_gets_its_percentage_and_the_others_share_the_rest(weights, to, percent):
    before, after = Split(weights), Split(weights).moved(to, percent)
    rest = sum(weight for name, weight in before.weights.items() if name != to)
    assert set(after.weights) == {*before.weights, to}
    if not rest or percent == 100:
        assert after.weights[to] == after.total
        return
    assert after.weights[to] * 100 == percent * after.total
    for name, weight in before.weights.items():
        if name != to:
            assert after.weights[name] * rest * 100 == weight * (100 - percent) * after.total


def history(*contents):
    """A history in which each change is a text, or the number of the revision that it brought back."""
    revisions = []
    for number, content in enumerate(contents, 1):
        back = f"back to revision {content}: " if isinstance(content, int) else ""
        status = "failed" if content == "failed" else "superseded"
        revisions.append(notes.read(Revision(number, None, status, f"{back}leads to {content}; by me")))
    return revisions


@pytest.mark.parametrize(
    ("contents", "before"),
    [
        (["a"], None),
        (["a", "b"], 1),
        (["a", "b", 1], None),
        (["a", "b", "c", 2], 1),
        (["a", "b", "c", 2, 1], None),
        (["a", "b", 1, "c"], 1),
        (["a", "b", 1, "c", 1], None),
        (["a", "b", "failed"], 2),
        (["a", "b", 1, "failed"], 1),
        (["failed"], None),
    ],
)
def test_what_an_undo_brings_back(contents, before):
    revision = notes.before(history(*contents))
    assert (revision.revision if revision else None) == before


def test_a_note_says_who_and_where_to_and_is_read_again():
    route = Route("svc1", LANE, "istio", Split({V1: 90, V2: 10}), (Split({V2: 1}),), V2)
    text = notes.note(route, "alice@laptop", notes.back_to(3))
    assert text == "back to revision 3: leads to v1=90, v2=10, 1 match, mirror v2; mode istio; by alice@laptop"
    change = notes.read(Revision(5, None, "deployed", text))
    assert (change.leads, change.by, change.restores) == ("v1=90, v2=10, 1 match, mirror v2", "alice@laptop", 3)
    assert (change.mode, change.context, change.is_helms) == ("istio", "back to revision 3", False)
    assert notes.read(Revision(2, None, "deployed", "Rollback to 1")).restores == 1
    helms = notes.read(Revision(2, None, "deployed", "Upgrade complete"))
    assert (helms.leads, helms.is_helms, helms.to_json()["plainHelm"]) == ("", True, True)


PATTERN = "{name}-{lane}-api"


def by_pattern(pattern, *targets, **more):
    values = {"name": "podinfo", "mode": "istio", "targetService": pattern, "targets": list(targets), **more}
    return Route.from_values(values, Lane("live", 0))


def test_a_pattern_names_the_services_of_targets():
    first, second = ({"lane": f"coco-{build}", "weight": 1} for build in (1, 2))
    route = by_pattern(PATTERN, first, second, mirror={"lane": "coco-3"})
    assert [route.service_of(way.to) for way in route.ways()] == [f"podinfo-coco-{n}-api" for n in (1, 2, 3)]
    versioned = by_pattern("x-{serviceVersion}-{lane}", {"serviceVersion": "v2", "weight": 1})
    assert ready.services(versioned) == {"x-v2-live-0"}


@pytest.mark.parametrize(
    ("pattern", "target", "says"),
    [
        ("{name}-{lame}-{lane}", {"lane": "coco-1"}, "has the unknown placeholder {lame}"),
        ("podinfo-api", {"lane": "coco-1"}, "has no placeholder {lane}"),
        (PATTERN, {"lane": "coco-1", "serviceVersion": "v1"}, "has a service version"),
        ("{name}-{serviceVersion}-{lane}", {"lane": "coco-1"}, "has no service version"),
        ("{lane}-{name}", {"lane": "2-coco-1"}, "would be the Service '2-coco-1-podinfo'"),
        ("{name}-{lane}-", {"lane": "coco-1"}, "would be the Service 'podinfo-coco-1-'"),
        ("{name}-{lane}-A", {"lane": "coco-1"}, "would be the Service 'podinfo-coco-1-A'"),
        ("{name}-{lane}-" + "a" * 50, {"lane": "coco-1"}, "at most 63"),
        (PATTERN, {"lane": "live-0"}, "would lead to itself"),
    ],
)
def test_a_pattern_that_no_service_can_have(pattern, target, says):
    with pytest.raises((InvalidRoute, InvalidName), match=re.escape(says)):
        by_pattern(pattern, {**target, "weight": 1})


def test_two_targets_of_a_split_are_two_services():
    """`v1` of `11-2` and `v11` of `1-2` would be one."""
    first, second = ({"serviceVersion": v, "lane": lane, "weight": 1} for v, lane in (("v1", "11-2"), ("v11", "1-2")))
    with pytest.raises(InvalidRoute, match=r"one Service twice \(v111-2, v111-2\)"):
        by_pattern("{serviceVersion}{lane}", first, second)


def test_the_note_of_a_pattern_is_not_read_as_all_of_its_route():
    text = notes.note(by_pattern(PATTERN, {"lane": "coco-1", "weight": 1}), "alice")
    change = notes.read(Revision(5, None, "deployed", text))
    assert (change.leads, change.by) == ("coco-1=1, Service {name}-{lane}-api", "alice")
    with pytest.raises(InvalidRoute):
        Split.parse(change.leads.split(", "), Lane("live", 0))


def foreign(lane, **more):
    """The Service of a chart that knows no lanes."""
    selector = {"app.kubernetes.io/instance": f"podinfo-{lane}"}
    fields = {"labels": {"version": "6.7.0"}, "selector": selector, "release": f"podinfo-{lane}", **more}
    return Backend(f"podinfo-{lane}-api", ports=(80,), **fields)


def test_the_pods_of_a_target_are_those_of_its_service():
    route, (to,) = by_pattern(PATTERN, {"lane": "coco-1", "weight": 1}), [Destination(None, Lane("coco", 1))]
    backend = foreign("coco-1")
    ready.require(route, 80, {backend.name: backend})
    assert ready.selectors(route, {backend.name: backend}) == {backend.name: backend.selector}
    assert ready.pods(route, to, {backend.name: backend}) == backend.selector
    assert ready.pods(route, to, {})["app"] == "podinfo-coco-1"
    named = foreign("coco-1", labels={"sidelane.dev/lane": "coco-1"})  # of our conventions, with pods of its own
    assert ready.selectors(route, {named.name: named}) == {named.name: named.selector}
    for wrong, says in (
        ({"release": "podinfo-coco-2"}, "are not those of lane coco-1"),
        ({"selector": {}}, "has no selector"),
        ({"labels": {"app.kubernetes.io/name": "route", "helm.sh/chart": "route-0.1.0",
                     "sidelane.dev/lane": "coco-1"}}, "is a route itself; change the target service"),
    ):  # fmt: skip
        with pytest.raises(TargetNotReady, match=says):
            ready.require(route, 80, {backend.name: foreign("coco-1", **wrong)})


@pytest.mark.parametrize(
    ("by", "environment", "name"),
    [
        ("alice", {"GITHUB_ACTOR": "bob"}, "alice"),
        (None, {"SIDELANE_CHANGED_BY": "carol", "GITHUB_ACTOR": "bob"}, "carol"),
        (None, {"GITLAB_USER_LOGIN": "bob", "CI_JOB_TOKEN": "s3cret"}, "bob"),
        ("a; by b\nleads to x", {}, "a by b leads to x"),
        ("x" * 500, {}, "x" * 80),
    ],
)
def test_who_changes_a_route(by, environment, name):
    assert notes.who(by, environment) == name
    assert "@" in notes.who(None, {})


def backend(version="v1", ready=2, total=2, **more):
    labels = {"app": "svc1-2-coco-1", "version": version, "sidelane.dev/lane": "2-coco-1", **more.pop("labels", {})}
    return Backend(f"svc1-{version}-2-coco-1", labels, labels, (80,), ready, total)


def require(split, *backends, **how):
    route = Route("svc1", LANE, "istio", Split(split))
    ready.require(route, 80, {backend.name: backend for backend in backends}, **how)


@pytest.mark.parametrize(
    ("percent", "ready_", "total", "enough"),
    [(5, 0, 4, False), (5, 1, 4, True), (50, 1, 4, False), (50, 2, 4, True), (100, 3, 4, False), (100, 4, 4, True),
     (1, 0, 0, False), (30, 3, 10, True)],
)  # fmt: skip
def test_ready_for_its_share(percent, ready_, total, enough):
    split = {V1: 100 - percent, V2: percent}
    backends = backend("v1", 0, 1), backend("v2", ready_, total)
    before = Route("svc1", LANE, "istio", Split({V1: 100}))
    if enough:
        require(split, *backends, before=before)
    else:
        with pytest.raises(TargetNotReady, match="its share needs"):
            require(split, *backends, before=before)


def test_a_way_back_needs_one_ready_pod_and_no_more():
    route = Route("svc1", LANE, "istio", Split({V1: 100}))
    ready.require_back(route, 80, {"svc1-v1-2-coco-1": backend("v1", 1, 4)})
    with pytest.raises(TargetNotReady, match="no ready pod"):
        ready.require_back(route, 80, {"svc1-v1-2-coco-1": backend("v1", 0, 4)})
    ready.require_back(route, 80, {"svc1-v1-2-coco-1": backend("v1", 0, 4)}, unready=True)
    with pytest.raises(TargetNotReady, match=r"the Service [^ ]+ is missing"):
        ready.require_back(route, 80, {}, unready=True)


# -- In a directory --------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    for version in ("v1", "v2", "v3"):
        put(tmp_path, version)
    return tmp_path


@pytest.fixture
def client(root, helm):
    return Client(directory=root, helm=helm)


def test_a_target_without_requests_is_removed_in_mode_service_too(client):
    """No object shows it, but a retirement waits until the route no longer names it."""
    client.routes.set("svc1", LANE, {"v1": 0, "v2": 100})
    assert client.routes.set("svc1", LANE, {"v1": 0, "v2": 1}).change == "unchanged"
    assert client.routes.set("svc1", LANE, {"v2": 100}).change == "changed"
    assert str(client.routes.show("svc1", LANE).route) == "v2=100"


def test_a_value_that_shows_in_no_object_yet_is_stored(root, client):
    client.routes.set("svc1", LANE, {"v1": 100}, mode="istio")
    seconds = {"affinity": {"seconds": 60}}  # shows only with affinity.by
    assert [client.routes.set("svc1", LANE, values=seconds).change for _ in range(2)] == ["changed", "unchanged"]
    assert client.routes.show("svc1", LANE).values["affinity"]["seconds"] == 60


def test_a_route_in_a_directory(root, client):
    made = client.routes.set("svc1", LANE, {"v1": 100}, mode="istio", by="alice")
    assert (made.change, made.revision) == ("created", 1)
    first = written(root)
    assert client.routes.set("svc1", LANE, {"v1": 100}).change == "unchanged"
    assert client.routes.set("svc1", LANE, {"v1": 90, "v2": 10}, by="bob").revision == 2
    assert [way["weight"] for way in written(root)["spec"]["http"][0]["route"]] == [90, 10]
    assert client.routes.undo("svc1", LANE, by="carol").change == "undone"
    assert written(root) == first
    assert [(entry.by, entry.leads, entry.restores) for entry in client.routes.history("svc1", LANE)] == [
        ("alice", "v1=100", None),
        ("bob", "v1=90, v2=10", None),
        ("carol", "v1=100", 1),
    ]
    assert [str(status.route) for status in client.routes.list()] == ["v1=100"]
    assert client.routes.show("svc1", LANE).to_json()["targets"][0]["there"] is True
    with pytest.raises(TargetNotReady, match="the Service svc1-v4-2-coco-1 is missing"):
        client.routes.set("svc1", LANE, {"v4": 1})
    with pytest.raises(Refused, match="no earlier revision"):
        client.routes.undo("svc1", LANE)
    with pytest.raises(Refused, match="was never deployed"):
        client.routes.undo("svc1", LANE, to=9)


def test_a_dry_run_writes_nothing(root, client):
    would = client.routes.set("svc1", LANE, {"v1": 1}, dry_run=True)
    assert (would.change, would.revision) == ("none, this is a dry run", 0)
    assert not (root / "default" / "route-svc1-2-coco-1").exists()
    client.routes.set("svc1", LANE, {"v1": 1})
    assert client.routes.set("svc1", LANE, {"v2": 1}, dry_run=True).route.split == Split({V2: 1})
    assert client.routes.show("svc1", LANE).route.split == Split({V1: 1})


def test_values_that_are_not_given_stay(root, client):
    client.routes.set(
        "svc1", LANE, {"v1": 1}, mode="istio", values={"timeout": "3s", "mirror": {"serviceVersion": "v3"}}
    )
    client.routes.set("svc1", LANE, {"v2": 1})
    (rule,) = written(root)["spec"]["http"]
    assert (rule["timeout"], rule["mirror"]["host"][:7]) == ("3s", "svc1-v3")
    client.routes.set("svc1", LANE, values={"timeout": None, "mirror": None})
    (rule,) = written(root)["spec"]["http"]
    assert not {"timeout", "mirror"} & rule.keys()


def race(root, helm, version, start, results):
    start.wait()
    try:
        results.put(Client(directory=root, helm=helm).routes.set("svc1", LANE, {version: 1}).revision)
    except SidelaneError as error:
        results.put(type(error).__name__)


def test_of_two_changes_in_a_directory_at_once_none_is_lost(root, helm, client):
    client.routes.set("svc1", LANE, {"v1": 1})
    context = multiprocessing.get_context("spawn")
    start, results = context.Event(), context.Queue()
    racers = [context.Process(target=race, args=(root, helm, version, start, results)) for version in ("v2", "v3")]
    for racer in racers:
        racer.start()
    start.set()
    said = [results.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    revisions = [outcome for outcome in said if isinstance(outcome, int)]
    assert len(set(revisions)) == len(revisions) >= 1
    assert {outcome for outcome in said if not isinstance(outcome, int)} <= {"RouteChanged", "TargetBusy"}
    assert len(client.routes.history("svc1", LANE)) == 1 + len(revisions)


def test_what_leads_there_in_a_directory(root, client):
    client.routes.set("svc1", LANE, {"v1": 1, "v2": 0}, mode="istio")
    put(root, "v1", "2-coco-2")
    client.routes.set("svc1", "live-1", {"2-coco-1/v1": 1})

    def ask(question, **what):
        return asyncio.run(question(DirectoryTarget(root), **what))

    assert sorted(str(lead) for lead in ask(leads_to, lane=LANE)) == [
        "route-svc1-2-coco-1 leads to svc1-v1-2-coco-1 (weight 1 of 1)",
        "route-svc1-2-coco-1 leads to svc1-v2-2-coco-1 (weight 0 of 1)",
        "route-svc1-live-1 leads to svc1-v1-2-coco-1 (weight 1 of 1)",
    ]
    assert [lead.to for lead in ask(leads_to, lane=LANE, release="svc1-v2-2-coco-1")] == ["v2"]
    assert ask(unrouted_since, lane=LANE, release="svc1-v3-2-coco-1") is None
    client.routes.set("svc1", LANE, {"v1": 1})
    when = client.routes.history("svc1", LANE)[-1].when
    assert ask(leads_to, lane=LANE, release="svc1-v2-2-coco-1") == ()
    assert ask(unrouted_since, lane=LANE, release="svc1-v2-2-coco-1") == when


CHANGES = st.one_of(
    st.dictionaries(st.sampled_from(["v1", "v2", "v3", "v4"]), st.integers(-1, 100), min_size=0, max_size=3),
    st.just("undo"),
    st.integers(1, 6),
)


@settings(max_examples=4 * TIMES)
@given(changes=st.lists(CHANGES, min_size=3, max_size=7))
def test_any_sequence_of_changes(helm, tmp_path_factory, changes):
    """Weights are valid, the way back restores exactly what was, and no route leads to a version that is not there."""
    root = tmp_path_factory.mktemp("root")
    for version in ("v1", "v2", "v3"):
        put(root, version)
    client = Client(directory=root, helm=helm)
    client.routes.set("svc1", LANE, {"v1": 1}, mode="istio")
    was = {1: written(root)}  # by revision, what was written
    order = [1]  # what an editor would have: each undo takes the last one away
    for change in changes:
        revision = max(was)
        try:
            if change == "undo":
                done = client.routes.undo("svc1", LANE)
                order.pop()
                assert written(root) == was[order[-1]]
            elif isinstance(change, int):
                done = client.routes.undo("svc1", LANE, to=change)
                assert written(root) == was[change]
                order = None  # where such a jump leaves the order is for the history's own tests
            else:
                done = client.routes.set("svc1", LANE, change)
                order = order and [*order, done.revision] if done.change == "changed" else order
        except SidelaneError:
            assert client.routes.show("svc1", LANE).revision == revision
            assert written(root) == was[revision]
            continue
        was[done.revision] = written(root)
        ways = written(root)["spec"]["http"][0]["route"]
        assert all(0 <= way["weight"] <= 1_000_000 for way in ways)
        assert sum(way["weight"] for way in ways) > 0
        assert {way["destination"]["host"].split("-")[1] for way in ways} <= {"v1", "v2", "v3"}
        if order is None:
            break


def test_the_command_line(root, helm, tmp_path):
    sidelane = CommandLine(tmp_path, helm, SIDELANE_LANE="2-coco-1", SIDELANE_DIRECTORY=root)
    route = functools.partial(sidelane, "route")
    made = route("set", "svc1", "--to", "v1=90", "--to", "v2=10", "--mode", "gateway", "--by", "alice")
    assert "v2      weight 10 of 100  -" in made.stdout
    assert "nothing runs in a directory" in route("show", "svc1").stdout
    switched = json.loads(route("set", "svc1", "--to", "v2", "-o", "json").stdout)
    assert (switched["change"], switched["weights"]) == ("changed", {"v2": 100})
    assert "CHANGE:    undone" in route("undo", "svc1").stdout
    shown = route("history", "svc1").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["REVISION", "1", "2", "3"]
    assert shown[1].split()[3:5] == ["alice", "gateway"]
    assert shown[3].endswith("v1=90, v2=10 (revision 1 again)")
    assert route("list").stdout.splitlines()[1].split() == ["svc1-2-coco-1", "gateway", "3", "v1=90,", "v2=10"]
    assert "the Service svc1-v9-2-coco-1 is missing" in route("set", "svc1", "--to", "v9", code=1).stderr
    route("set", "svc1", "--to", "v1=x", code=2)
    route("shift", "svc1", code=2)
    assert json.loads(route("undo", "svc2", "-o", "json", code=1).stderr)["error"] == "ReleaseNotFound"


def test_a_route_needs_no_record_and_verify_says_so(root, sidelane, client):
    client.routes.set("svc1", LANE, {"v1": 1})
    client.routes.set("svc1", LANE, {"v2": 1})
    (result,) = client.verify("route-svc1", LANE)
    assert (result.state, result.recorded) == ("unchanged", "not needed")
    assert result.to_json()["record"] == "not needed"
    (other,) = client.verify("svc1-v1", LANE)  # which a hand put there
    assert (other.state, other.recorded) == ("unrecorded", "none")
    done = sidelane("verify", "route-svc1-2-coco-1", "--directory", root)
    assert done.stdout.splitlines()[1] == "route-svc1-2-coco-1  unchanged  not needed"


def test_a_change_in_between_is_noticed(root, helm, client):
    client.routes.set("svc1", LANE, {"v1": 1})

    def between(step):
        if step.startswith("changing"):
            other = threading.Thread(target=client.routes.set, args=("svc1", LANE, {"v3": 1}))
            other.start()
            other.join()

    with pytest.raises(RouteChanged):
        Client(directory=root, helm=helm, progress=between).routes.set("svc1", LANE, {"v2": 1})
    assert client.routes.show("svc1", LANE).route.split == Split({Destination("v3"): 1})
