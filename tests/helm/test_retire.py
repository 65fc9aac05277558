"""Retiring lanes, on the directory target: what holds them, in which order they go, which are proposed."""

import functools
import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest
from command_line import CommandLine
from generated import tiny_chart, tiny_service
from sidelane import Client, Lane
from sidelane.cli import printing
from sidelane.errors import InvalidInput, ReleaseNotFound, StillHeld
from sidelane.lanes.retire import Retirement, outdated
from sidelane.releases.stores import Release
from sidelane.support.advice import Place

LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
releases:
  - {chart: ./tiny, name: base, serviceVersion: v1}
  - {chart: ./tiny, name: svc1, serviceVersion: v1, needs: [base-v1]}
  - {chart: ./tiny, name: edge, serviceVersion: v1, needs: [svc1-v1]}
"""


@pytest.fixture(scope="module")
def three_lanes(helm, tmp_path_factory):
    """A directory with three lanes."""
    folder = tmp_path_factory.mktemp("three")
    tiny_chart(folder / "tiny")
    (folder / "lane.yaml").write_text(LANE)
    for build in (1, 2, 3):
        Client(directory=folder / "root", helm=helm).apply(folder / "lane.yaml", build=build)
    return folder / "root"


@pytest.fixture
def client(helm, three_lanes, tmp_path):
    """A client of three lanes that are new."""
    shutil.copytree(three_lanes, tmp_path / "root", copy_function=shutil.copy)
    return Client(directory=tmp_path / "root", helm=helm)


def names(client):
    return [release.name for release in client.list()]


def test_a_lane_goes_from_what_needs_others_to_what_is_needed(client):
    looked = client.retire("coco-1", dry_run=True)
    assert looked.releases == ("edge-v1-coco-1", "svc1-v1-coco-1", "base-v1-coco-1")
    assert (looked.held, looked.gone) == ((), False)
    assert len(names(client)) == 9
    gone = client.retire("coco-1")
    assert (gone.releases, gone.gone) == (looked.releases, True)
    assert len(names(client)) == 6
    with pytest.raises(ReleaseNotFound):
        client.retire("coco-1")


def test_what_another_release_needs_is_held_with_its_name(client):
    with pytest.raises(StillHeld) as held:
        client.retire("svc1-v1", "coco-1")
    assert held.value.held == ("edge-v1-coco-1 needs svc1-v1-coco-1",)
    assert len(names(client)) == 9
    client.retire("edge-v1", "coco-1")
    assert client.retire("svc1-v1", "coco-1").gone


def test_what_is_young_is_held(client, tmp_path):
    with pytest.raises(StillHeld, match=r"base-v1-coco-1 is 0:00:\d+ old, and must be at least 24h"):
        client.retire("coco-1", min_age="24h")
    old = time.time() - 25 * 3600
    for file in (tmp_path / "root").rglob("*-coco-1/chart.yaml"):
        os.utime(file, (old, old))
    assert client.retire("coco-1", min_age="24h").gone


def test_the_lanes_beyond_the_youngest_are_proposed(client, tmp_path):
    for build, hours in ((1, 1), (2, 3), (3, 2)):
        for file in (tmp_path / "root").rglob(f"*-coco-{build}/chart.yaml"):
            os.utime(file, (time.time() - hours * 3600,) * 2)
    proposed = client.outdated(1, min_age="2h30m")
    assert [(str(proposal.lane), bool(proposal.held)) for proposal in proposed] == [("coco-2", False), ("coco-3", True)]
    assert len(names(client)) == 9


def test_a_lane_goes_with_its_own_routes_and_they_go_first(helm, tmp_path):
    tiny_service(tmp_path / "tiny")
    (tmp_path / "lane.yaml").write_text(LANE + "routes: [{service: base, weights: {v1: 1}}]\n")
    collected = []
    client = Client(directory=tmp_path / "root", helm=helm, progress=collected.append)
    for build in (1, 2):
        client.apply(tmp_path / "lane.yaml", build=build)
    client.routes.set("edge", "coco-2", {"coco-1/v1": 1})

    # One release is held by the lane's route, and the way out is told; of the lane only what others' routes hold.
    with pytest.raises(StillHeld) as held:
        client.retire("base-v1", "coco-2")
    assert held.value.held == ("route-base-coco-2 leads to base-v1-coco-2 (weight 1 of 1)",
                               "svc1-v1-coco-2 needs base-v1-coco-2")  # fmt: skip
    flags = f"--directory {tmp_path / 'root'}"
    assert held.value.remedy == (
        f"set route-base-coco-2 without v1, see `sidelane route show base --lane coco-2 {flags}`, "
        f"or retire the whole lane, its routes too, with `sidelane retire --lane coco-2 {flags}`; "
        f"retire svc1-v1-coco-2 first, or the whole lane with `sidelane retire --lane coco-2 {flags}`"
    )
    with pytest.raises(StillHeld) as held:
        client.retire("coco-1")
    assert held.value.held == ("route-edge-coco-2 leads to edge-v1-coco-1 (weight 1 of 1)",)
    assert held.value.remedy == (
        f"set route-edge-coco-2 without coco-1/v1, see `sidelane route show edge --lane coco-2 {flags}`"
    )

    # Lanes that nobody named are held by their own routes, too.
    assert all(proposal.held for proposal in client.outdated(0))
    gone = client.retire("coco-2", drain="1s")
    assert gone.releases == (
        "route-base-coco-2", "route-edge-coco-2", "edge-v1-coco-2", "svc1-v1-coco-2", "base-v1-coco-2",
    )  # fmt: skip
    assert [line for line in collected if "removing" in line or "waiting" in line] == [
        "removing route-base-coco-2, route-edge-coco-2",
        "waiting 1 seconds for open connections to coco-2, which a route has just left",
        "removing edge-v1-coco-2",
        "removing svc1-v1-coco-2",
        "removing base-v1-coco-2",
    ]
    assert client.retire("coco-1", drain="0s").gone


@pytest.fixture
def retire(client, helm, tmp_path):
    """`sidelane retire` as a process."""
    line = CommandLine(tmp_path, helm, place=("--directory", tmp_path / "root"))
    return functools.partial(line, "retire")


def test_the_command_retires_a_lane_or_tells_what_holds_it(client, retire):
    looked = retire("--lane", "coco-1", "--dry-run")
    assert looked.stdout == "LANE    RELEASES  STATE\ncoco-1  3         to retire\n"
    held = retire("svc1-v1-coco-1", "--dry-run", code=1)
    assert held.stdout.splitlines()[1:] == [
        "coco-1  1         held", "  coco-1: edge-v1-coco-1 needs svc1-v1-coco-1",
    ]  # fmt: skip
    refused = retire("svc1-v1", "--lane", "coco-1", "-o", "json", code=1)
    assert refused.stdout == ""
    error = json.loads(refused.stderr)
    assert (error["error"], error["held"]) == ("StillHeld", ["edge-v1-coco-1 needs svc1-v1-coco-1"])
    assert len(names(client)) == 9
    gone = retire("--lane", "coco-1", "-o", "json")
    assert json.loads(gone.stdout) == [{
        "lane": "coco-1", "releases": ["edge-v1-coco-1", "svc1-v1-coco-1", "base-v1-coco-1"],
        "held": [], "claims": [], "gone": True, "staying": [], "clusterObjects": [],
        "keptClaims": [],
    }]  # fmt: skip
    assert len(names(client)) == 6
    retire("--lane", "coco-1", code=1)  # there is nothing of it any more


def test_claims_that_stay_are_told_with_the_command_that_deletes_them(capsys):
    gone = Retirement(Lane("coco", 1), ("zookeeper-coco-1",), gone=True, kept_claims=("data-zk-coco-1-0",))
    printing.retirements([gone], "table", Place("streams"))
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "  coco-1: these claims stay: data-zk-coco-1-0",
        "  coco-1: delete them with `sidelane retire --lane coco-1 --delete-claims -n streams`",
    ]


def test_no_time_needs_no_unit_as_in_go(retire):
    for build, nothing in enumerate(["0", "0s", "0h0m"], 1):
        done = retire("--lane", f"coco-{build}", "--min-age", nothing, "--drain", nothing)
        assert done.stderr == ""
        assert done.stdout.split()[-1] == "retired"


def test_the_command_proposes_what_is_beyond_the_youngest_and_retires_it_with_yes(client, retire, tmp_path):
    for build, hours in ((1, 3), (2, 2), (3, 1)):
        for file in (tmp_path / "root").rglob(f"*-coco-{build}/chart.yaml"):
            os.utime(file, (time.time() - hours * 3600,) * 2)
    proposed = retire("--keep", "1")
    assert proposed.stdout.splitlines() == [
        "LANE    RELEASES  STATE", "coco-1  3         to retire", "coco-2  3         to retire",
        "", "add --yes to retire these",
    ]  # fmt: skip
    dry = retire("--keep", "1", "--yes", "--dry-run", "-o", "json")
    assert [(each["lane"], each["gone"]) for each in json.loads(dry.stdout)] == [("coco-1", False), ("coco-2", False)]
    assert retire("--keep", "0", "--of", "2-coco", "-o", "json").stdout == "[]\n"
    assert len(names(client)) == 9
    done = retire("--keep", "1", "--yes", "--min-age", "2h30m")
    assert [line.split() for line in done.stdout.splitlines()[:3]] == [
        ["LANE", "RELEASES", "STATE"], ["coco-1", "3", "retired"], ["coco-2", "3", "held"],
    ]  # fmt: skip
    assert "coco-2: base-v1-coco-2 is 2:00:0" in done.stdout
    assert {str(each.lane) for each in client.list()} == {"coco-2", "coco-3"}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--lane", "coco-1", "--keep", "1"),
        ("coco",),
        ("--keep", "-1"),
        ("--lane", "coco-1", "--min-age", "soon"),
    ],
    ids=["nothing", "both", "no-release", "negative", "no-time"],
)
def test_the_command_used_wrongly(client, retire, arguments):
    retire(*arguments, code=2)
    assert len(names(client)) == 9


def test_which_lanes_are_outdated():
    now = datetime.now(UTC)

    def release(name, hours):
        return Release(name, "ns", "deployed", 1, "a-1.0.0", updated=now - timedelta(hours=hours))

    there = [release("a-coco-1", 9), release("b-coco-1", 1), release("a-coco-2", 5), release("a-2-coco-9", 7)]
    there.append(release("unnamed", 99))
    assert outdated(there, 1) == (Lane("coco", 2),), "the only lane of its Version stays, however old"
    assert [str(lane) for lane in outdated([*there, release("a-2-coco-8", 8)], 1)] == ["2-coco-8", "coco-2"]
    assert outdated(there, 1, version="2-coco") == ()
    assert outdated(there, 2) == ()
    assert [str(lane) for lane in outdated(there, 0)] == ["2-coco-9", "coco-2", "coco-1"]
    with pytest.raises(InvalidInput):
        outdated(there, -1)
