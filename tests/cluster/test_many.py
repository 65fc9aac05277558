"""Many stored releases are read by one Helm, each exactly as `helm status` gives it."""

import asyncio
from pathlib import Path

import pytest
from generated import tiny_chart
from sidelane.errors import HelmError, ReleaseNotFound
from sidelane.helm import queries
from sidelane.helm.client import Helm
from sidelane.helm.lookup import ClusterReader
from sidelane.manifest import Manifest
from sidelane.releases.stores import live, many
from sidelane.releases.stores.cluster import ClusterTarget

ROUTE = Path(__file__).parents[2] / "charts" / "route"
NAMES = [f"svc{number}-v1-coco-1" for number in range(1, 6)]


def stored_all(target, names):
    return asyncio.run(target.stored_all(names))


def test_many_releases_are_read_as_helm_has_each(cluster, namespace, helm, client, plain, counted, tmp_path):
    chart = tiny_chart(tmp_path / "tiny")
    for number in (1, 2):
        client.install(chart, "coco-1", name=f"svc{number}", values={"text": f"{number} ü 'quoted' {{{{ it }}}}"})
    for number in (3, 4, 5):
        lane = ("--set", f"Version=coco,name=svc{number}", "--set-string", "Build=1")
        plain("install", NAMES[number - 1], chart, *lane)
    plain("upgrade", NAMES[0], chart, "--reuse-values", "--set", "replicas=3")

    target = ClusterTarget(Helm(executable=helm, kubeconfig=cluster.kubeconfig), namespace)
    assert stored_all(target, NAMES) == [asyncio.run(target.stored(name)) for name in NAMES]
    assert [each.release.revision for each in stored_all(target, NAMES)] == [2, 1, 1, 1, 1]
    histories = asyncio.run(target.histories(NAMES[:2]))
    assert {name: [each.release.revision for each in history] for name, history in histories.items()} == {
        NAMES[0]: [1, 2],
        NAMES[1]: [1],
    }, "two histories are read with one Helm"
    verifying, started = counted
    assert [result.release for result in verifying.verify(lane="coco-1")] == NAMES
    asked = started()
    assert asked["template"] == 2, "the releases, and what runs"
    assert asked["status"] == 1, "the first revision of what plain Helm upgraded has its record"
    with pytest.raises(ReleaseNotFound, match="svc9-v1-coco-1"):
        stored_all(target, [*NAMES[:4], "svc9-v1-coco-1"])

    secret = f"/api/v1/namespaces/{namespace}/secrets/sh.helm.release.v1.{NAMES[1]}.v1"
    cluster.patch(secret, {"data": {"release": "bm90IGEgcmVsZWFzZQ=="}})
    with pytest.raises(HelmError, match=r"the Secret sh\.helm\.release\.v1\.svc2-v1-coco-1\.v1 has no release"):
        stored_all(target, NAMES)


@pytest.mark.either_helm
def test_what_is_deployed_is_checked_with_two_helms(client, plain, counted, tmp_path):
    chart = tiny_chart(tmp_path / "tiny")
    for number in range(1, many.FEW + 1):
        client.install(chart, "coco-1", name=f"svc{number}")
    plain("install", "odd", chart, "--set", "Version=coco,name=svc5", "--set-string", "Build=1")
    checking, started = counted
    report = checking.check_deployed()
    assert {finding.identity.name for finding in report.findings} == set(), "a release's name is not the objects'"
    assert report.objects > many.FEW
    asked = started()
    assert (asked["list"], asked["template"], asked["status"]) == (1, 1, 0)


@pytest.mark.either_helm
def test_many_routes_are_listed_by_two_helms(plain, counted):
    for number in range(1, many.FEW + 2):
        values = ("--set", f"Version=coco,name=svc{number},targets[0].serviceVersion=v1,targets[0].weight=1")
        plain("install", f"route-svc{number}-coco-1", ROUTE, *values, "--set-string", "Build=1")
    listing, started = counted
    assert [each.route.service for each in listing.routes.list()] == [f"svc{n}" for n in range(1, many.FEW + 2)]
    asked = started()
    assert (asked["list"], asked["template"], asked["status"]) == (1, 1, 0)


def test_releases_that_are_not_sidelanes_are_told_apart_by_a_fixed_number_of_helms(plain, counted, tmp_path):
    chart = tiny_chart(tmp_path / "tiny")
    for build in range(1, many.FEW + 3):
        lane = ("--set", "Version=coco,name=svc1", "--set-string", f"Build={build}")
        plain("install", f"svc1-v1-coco-{build}", chart, *lane)
    proposing, started = counted
    assert proposing.outdated(1) == (), "none of them is proposed for retirement"
    asked = started()
    assert asked["status"] == 0
    assert asked["template"] <= 2


@pytest.mark.either_helm
def test_a_plan_reads_the_releases_of_its_lane_at_once(client, counted, tmp_path):
    tiny_chart(tmp_path / "git" / "tiny")
    file = tmp_path / "git" / "lane.yaml"
    lane = 'apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: "1"}\nreleases:\n'
    file.write_text(lane + "".join(f"  - {{chart: ./tiny, name: svc{number}}}\n" for number in range(1, many.FEW + 2)))
    client.apply(file)
    file.write_text(file.read_text().replace("name:", "values: {replicas: 2}, name:"))
    planning, started = counted
    assert {step.action for step in planning.plan(file).steps} == {"scale"}
    assert started()["status"] == 0


@pytest.mark.either_helm
def test_many_live_objects_are_read_by_their_kind_and_equal_those_read_by_name(cluster, namespace, helm, tmp_path):
    read = ClusterReader(Helm(executable=helm, kubeconfig=cluster.kubeconfig), namespace)
    names = [f"c{number}" for number in range(queries.FEW + 2)]
    for name in names[1:]:
        cluster.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": name}, "data": {"a": name}})
    text = "---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n" for name in names)
    objects = Manifest.read(text, namespace=namespace).objects
    together = asyncio.run(live.read(read, objects))
    single = {obj.identity: body for obj in objects for body in asyncio.run(live.read(read, [obj])).values()}
    assert together == single
    assert [identity.name for identity in together] == names[1:], "the first one is missing, and others are not wanted"
    assert all(body["metadata"]["managedFields"] for body in together.values())


def test_releases_that_helm_keeps_elsewhere_are_read_one_by_one(cluster, namespace, helm, plain, tmp_path, monkeypatch):
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    chart = tiny_chart(tmp_path / "tiny")
    for number in range(1, 6):
        lane = ("--set", f"Version=coco,name=svc{number}", "--set-string", "Build=1")
        plain("install", NAMES[number - 1], chart, *lane)
    target = ClusterTarget(Helm(executable=helm, kubeconfig=cluster.kubeconfig), namespace)
    assert [each.release.name for each in stored_all(target, NAMES)] == NAMES
