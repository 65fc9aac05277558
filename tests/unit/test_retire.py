"""Retiring lanes, on the directory target: what holds them, in which order they go, which are proposed."""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from generated import tiny_chart
from sidelane import Client, Lane
from sidelane.errors import InvalidInput, ReleaseNotFound, StillHeld
from sidelane.retire import outdated
from sidelane.targets import Release

LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
releases:
  - {chart: ./tiny, name: base, serviceVersion: v1}
  - {chart: ./tiny, name: svc1, serviceVersion: v1, needs: [base-v1]}
  - {chart: ./tiny, name: edge, serviceVersion: v1, needs: [svc1-v1]}
"""


@pytest.fixture
def client(helm, tmp_path):
    tiny_chart(tmp_path / "tiny")
    (tmp_path / "lane.yaml").write_text(LANE)
    client = Client(directory=tmp_path / "root", helm=helm)
    for build in (1, 2, 3):
        client.apply(tmp_path / "lane.yaml", build=build)
    return client


def names(client):
    return [release.name for release in client.releases()]


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
        client.retire("coco-1", "svc1-v1")
    assert held.value.held == ("edge-v1-coco-1 needs svc1-v1-coco-1",)
    assert len(names(client)) == 9
    client.retire("coco-1", "edge-v1")
    assert client.retire("coco-1", "svc1-v1").gone


def test_what_is_young_is_held(client, tmp_path):
    with pytest.raises(StillHeld, match=r"base-v1-coco-1 is 0:00:\d+ old, and has to be 24h"):
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
    assert [(str(one.lane), bool(one.held)) for one in proposed] == [("coco-2", False), ("coco-3", True)]
    assert len(names(client)) == 9


def test_which_lanes_are_outdated():
    now = datetime.now(UTC)

    def release(name, hours):
        return Release(name, "ns", "deployed", 1, "a-1.0.0", updated=now - timedelta(hours=hours))

    there = [release("a-coco-1", 9), release("b-coco-1", 1), release("a-coco-2", 5), release("a-2-coco-9", 7)]
    there.append(release("unnamed", 99))
    assert [str(lane) for lane in outdated(there, 1)] == ["2-coco-9", "coco-2"]
    assert outdated(there, 1, version="coco") == (Lane("coco", 2),)
    assert outdated(there, 3) == ()
    assert len(outdated(there, 0)) == 3
    with pytest.raises(InvalidInput):
        outdated(there, -1)
