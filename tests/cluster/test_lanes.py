"""Lanes beside one another on a real API server: by plain Helm, by the SDK, under Helm 3 and Helm 4."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import helm_secrets
import pytest
from sidelane import Client
from sidelane.errors import (
    CheckFailed,
    ClusterDenied,
    ClusterUnreachable,
    NotWhatWasChecked,
    Refused,
    ReleaseConflict,
    ReleaseNotFound,
    TimedOut,
)

RACES = int(os.environ.get("SIDELANE_SOAK_RACES", "2")) // 2
ZOOKEEPER = Path(__file__).parents[2] / "charts" / "zookeeper"
KINDS = (
    "/apis/apps/v1/statefulsets",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/policy/v1/poddisruptionbudgets",
    *(f"/api/v1/{kind}" for kind in ("services", "configmaps", "serviceaccounts", "persistentvolumeclaims", "secrets")),
)


def objects(cluster, namespace, lane):
    return cluster.labelled(namespace, f"sidelane.dev/lane={lane}", KINDS)


def pods(lane, members=3):
    return [f"zk-{lane}-{ordinal}" for ordinal in range(members)]


def endpoints(cluster, namespace, service):
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    slices = cluster.list(f"{path}?labelSelector=kubernetes.io/service-name={service}")
    return sorted(endpoint["targetRef"]["name"] for item in slices for endpoint in item["endpoints"] or [])


def expected_pods(cluster, namespace):
    budgets = cluster.list(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")
    return {budget["metadata"]["name"]: budget["status"].get("expectedPods") for budget in budgets}


def test_two_lanes_by_plain_helm_share_nothing(cluster, namespace, plain):
    plain("install", "zk", ZOOKEEPER, "--set", "Version=coco", "--set", "Build=1")
    cluster.until("three members are ready", lambda: cluster.ready_pods(namespace) == pods("coco-1"), 60)
    before = objects(cluster, namespace, "coco-1")
    plain("install", "zk2", ZOOKEEPER, "--set", "Version=2-coco", "--set", "Build=1")
    expected = sorted(pods("coco-1") + pods("2-coco-1"))
    cluster.until("six members are ready", lambda: cluster.ready_pods(namespace) == expected, 60)
    first, second = objects(cluster, namespace, "coco-1"), objects(cluster, namespace, "2-coco-1")
    assert ("statefulsets", "zk-2-coco-1") in second
    assert not set(first) & set(second)
    own = {f"{service}-{lane}": pods(lane) for service in ("zk-cs", "zk-hs") for lane in ("coco-1", "2-coco-1")}
    cluster.until(
        "each Service leads to its own members alone",
        lambda: {service: endpoints(cluster, namespace, service) for service in own} == own,
    )
    cluster.until(
        "each budget counts its own members alone",
        lambda: expected_pods(cluster, namespace) == {"zk-coco-1": 3, "zk-2-coco-1": 3},
    )
    plain("uninstall", "zk2")
    after = objects(cluster, namespace, "coco-1")
    assert after == before
    assert [name for kind, name in objects(cluster, namespace, "2-coco-1") if kind == "persistentvolumeclaims"] == [
        f"data-{pod}" for pod in pods("2-coco-1")
    ]


@pytest.mark.either_helm
def test_installing_the_same_twice_changes_nothing(cluster, namespace, client):
    first = client.install("zookeeper", "2-coco-1", wait=True)
    assert (first.name, first.status, first.revision, first.change) == ("zookeeper-2-coco-1", "deployed", 1, "created")
    assert set(pods("2-coco-1")) <= {obj.name for obj in client.status(first.name).objects if obj.kind == "Pod"}
    assert cluster.ready_pods(namespace) == pods("2-coco-1")
    before = objects(cluster, namespace, "2-coco-1")
    secrets = cluster.names(f"/api/v1/namespaces/{namespace}/secrets")
    assert client.install("zookeeper", "2-coco-1").change == "unchanged"
    assert objects(cluster, namespace, "2-coco-1") == before
    assert cluster.names(f"/api/v1/namespaces/{namespace}/secrets") == secrets


def test_something_else_under_a_live_lane_is_refused_by_helm_and_by_the_sdk(cluster, namespace, client, plain):
    client.install("zookeeper", "coco-1", values={"replicas": 1}, wait=True)
    client.install("zookeeper", "coco-2", values={"replicas": 1})
    before = objects(cluster, namespace, "coco-1")
    with pytest.raises(ReleaseConflict) as refused:
        client.install("zookeeper", "coco-1", values={"replicas": 5})
    assert any("spec.replicas: 1 → 5" in line for line in refused.value.differences)
    assert "coco-3" in refused.value.remedy
    lane = ("--set", "Version=coco", "--set", "Build=1", "--set", "replicas=5")
    assert "still in use" in plain("install", "zookeeper-coco-1", ZOOKEEPER, *lane, check=False).stderr
    assert (
        "belongs to the release 'zookeeper-coco-1'" in plain("install", "other", ZOOKEEPER, *lane, check=False).stderr
    )
    assert objects(cluster, namespace, "coco-1") == before


def test_a_lane_whose_objects_belong_to_another_release_is_refused(client, plain):
    plain("install", "zk", ZOOKEEPER, "--set", "Version=coco", "--set", "Build=1")
    with pytest.raises(ReleaseConflict, match="belongs to the release 'zk'"):
        client.install("zookeeper", "coco-1")
    assert [release.name for release in client.list()] == ["zk"]
    assert client.list()[0].lane is None


def test_of_two_installs_of_one_lane_at_once_one_wins(cluster, namespace, helm):
    script = (
        "import sys\nfrom sidelane import Client\nfrom sidelane.errors import ReleaseConflict, TargetBusy\n"
        f"client = Client(namespace={namespace!r}, kubeconfig={str(cluster.kubeconfig)!r}, helm={str(helm)!r})\n"
        "try:\n    print(client.install('zookeeper', sys.argv[2], values={'replicas': int(sys.argv[1])}).change)\n"
        "except (ReleaseConflict, TargetBusy) as error:\n    print('refused:', error)\n"
    )
    for lane in (f"coco-{build}" for build in range(1, RACES + 1)):
        racers = {
            size: subprocess.Popen([sys.executable, "-c", script, str(size), lane], stdout=subprocess.PIPE, text=True)
            for size in (1, 3)
        }
        said = {size: racer.communicate()[0].strip() for size, racer in racers.items()}
        winners = [size for size, words in said.items() if words == "created"]
        assert len(winners) == 1, said
        assert sum(words.startswith("refused: ") for words in said.values()) == 1, said
        stateful_set = cluster.get(f"/apis/apps/v1/namespaces/{namespace}/statefulsets/zk-{lane}")
        assert stateful_set["spec"]["replicas"] == winners[0]


@pytest.mark.either_helm
@pytest.mark.parametrize("wrapped", [False, True], ids=["helm", "script"])
def test_a_caller_that_is_killed_while_it_checks_installs_nothing(
    cluster, namespace, helm, client, small, wrapped, tmp_path
):
    """Helm has begun by then, and its values never come: they must not be taken for none."""
    if wrapped:  # the signal that follows the caller's death then reaches the script alone
        (tmp_path / "wrapper").write_text(f'#!/bin/sh\n{helm} "$@"\n')
        (tmp_path / "wrapper").chmod(0o755)
        helm = tmp_path / "wrapper"
    chart = small("unchanged")
    script = (
        "import asyncio, sys, time\nfrom sidelane.helm.client import Helm\n"
        f"helm = Helm(kubeconfig={str(cluster.kubeconfig)!r}, executable={str(helm)!r})\n"
        "async def main():\n"
        f"    async with helm.installing('small-coco-1', {str(chart)!r}, namespace={namespace!r}):\n"
        "        await asyncio.sleep(float(sys.argv[1]))\n        print(flush=True)\n        time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    (chart / "templates" / "c.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made-anyway}\n")
    for seconds in ("0", "0.02", "0.1", "0.5"):
        caller = subprocess.Popen([sys.executable, "-c", script, seconds], stdout=subprocess.PIPE)
        caller.stdout.readline()
        caller.kill()
        caller.communicate()
    time.sleep(1.5)
    assert client.list() == ()
    assert "made-anyway" not in cluster.names(f"/api/v1/namespaces/{namespace}/configmaps")


def test_a_refused_install_through_a_script_installs_nothing(cluster, namespace, helm, client, small, tmp_path):
    (tmp_path / "wrapper").write_text(f'#!/bin/sh\n{helm} "$@"\n')
    (tmp_path / "wrapper").chmod(0o755)
    chart = small("unchanged")
    (chart / "templates" / "c.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: careless}\n")
    careless = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=tmp_path / "wrapper")
    with pytest.raises(CheckFailed):
        careless.install(chart, "coco-1")
    time.sleep(1)
    assert client.list() == ()


@pytest.mark.either_helm
def test_operational_values_change_and_nothing_else(cluster, namespace, counted):
    client, started = counted
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    before = objects(cluster, namespace, "coco-1")
    on = {"replicas": 1, "networkPolicy": {"enabled": True}}
    started()
    upgraded = client.upgrade("zookeeper", "coco-1", values=on)
    assert (upgraded.change, upgraded.revision) == ("upgraded", 2)
    assert started()["list"] == 0, "the release itself says that it is Sidelane's"
    after = objects(cluster, namespace, "coco-1")
    assert set(after) - set(before) == {("networkpolicies", "zk-coco-1")} | {
        key for key in after if key[0] in ("secrets", "persistentvolumeclaims") and key not in before
    }
    assert client.upgrade("zookeeper", "coco-1", values=on).change == "unchanged"
    with pytest.raises(ReleaseConflict, match="these values must not change: replicas"):
        client.upgrade("zookeeper", "coco-1", values={**on, "replicas": 5})
    with pytest.raises(ReleaseNotFound, match="no release 'zookeeper-coco-2'"):
        client.upgrade("zookeeper", "coco-2")


@pytest.mark.either_helm
def test_uninstalling_one_lane_leaves_the_other_and_the_claims(cluster, namespace, counted):
    client, started = counted
    for lane in ("coco-1", "2-coco-1"):
        client.install("zookeeper", lane, values={"replicas": 1}, wait=True)
    before = objects(cluster, namespace, "2-coco-1")
    started()
    assert client.uninstall("zookeeper", "coco-1").change == "uninstalled"
    assert started() == {"status": 1, "uninstall": 1}
    assert objects(cluster, namespace, "2-coco-1") == before
    assert {kind for kind, _ in objects(cluster, namespace, "coco-1")} == {"persistentvolumeclaims"}
    assert [release.name for release in client.list()] == ["zookeeper-2-coco-1"]
    with pytest.raises(ReleaseNotFound):
        client.uninstall("zookeeper", "coco-1")


def test_helm_test_runs(client, plain):
    client.install("zookeeper", "coco-1", values={"replicas": 1}, wait=True)
    assert "Phase:          Succeeded" in plain("test", "zookeeper-coco-1").stdout


@pytest.mark.either_helm
def test_every_release_is_listed_however_many(cluster, namespace, client):
    client.install("zookeeper", "coco-1", values={"replicas": 1})
    path = f"/api/v1/namespaces/{namespace}/secrets"
    (secret,) = helm_secrets.revisions(cluster, namespace)
    release = helm_secrets.content(secret) | {"manifest": ""}
    release["chart"] = {"metadata": release["chart"]["metadata"]}
    states = ["deployed", "failed", "pending-install", "uninstalled"]
    for build in range(2, 302):  # as Helm would have stored them, without the time that 300 installs take
        name, state = f"zookeeper-coco-{build}", states[build % 4]
        data = helm_secrets.data({**release, "name": name, "info": {**release["info"], "status": state}})
        labels = {**secret["metadata"]["labels"], "name": name, "status": state}
        metadata = {"name": f"sh.helm.release.v1.{name}.v1", "labels": labels}
        cluster.create(path, {"metadata": metadata, "type": secret["type"], "data": data})
    releases = client.list()
    assert sorted(int(each.lane.build) for each in releases) == list(range(1, 302))
    assert {each.status for each in releases} == set(states)
    assert [each.name for each in client.list("coco-300")] == ["zookeeper-coco-300"]


def test_credentials_and_places_that_are_refused(cluster, namespace, helm, powerless, unknown, tmp_path):
    def install(kubeconfig, where=namespace, **options):
        return Client(namespace=where, kubeconfig=kubeconfig, helm=helm).install("zookeeper", "coco-1", **options)

    with pytest.raises(ClusterDenied, match="does not accept these credentials"):
        install(unknown)
    with pytest.raises(ClusterDenied, match="no right to "):
        install(powerless)
    with pytest.raises(Refused, match="no namespace 'not-there'"):
        install(cluster.kubeconfig, "not-there")
    nowhere = tmp_path / "kubeconfig"
    nowhere.write_text(cluster.kubeconfig.read_text().replace(cluster.plane.server, "https://127.0.0.1:1"))
    with pytest.raises(ClusterUnreachable, match="does not answer"):
        install(nowhere)
    with pytest.raises(ClusterUnreachable, match="does not answer"):
        install(tmp_path / "no-kubeconfig")


def test_a_token_is_enough(cluster, namespace, helm, unknown):
    token = json.loads(cluster.kubeconfig.read_text())["users"][0]["user"]["token"]
    denied = Client(namespace=namespace, kubeconfig=unknown, helm=helm)
    with pytest.raises(ClusterDenied):
        denied.list()
    allowed = Client(namespace=namespace, kubeconfig=unknown, kube_token=token, helm=helm)
    assert allowed.list() == ()


def test_the_namespace_can_be_made(cluster, namespace, helm):
    made = f"{namespace}-made"
    client = Client(namespace=made, kubeconfig=cluster.kubeconfig, helm=helm)
    assert client.install("zookeeper", "coco-1", create_namespace=True).namespace == made
    cluster.done_with(made)


@pytest.fixture
def small(tmp_path):
    """Makes a chart of one ConfigMap that keeps the contract; its data is a template."""

    def make(data):
        folder = tmp_path / "small"
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        (folder / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
        lane = "{{ .Values.Version }}-{{ .Values.Build }}"
        (folder / "templates" / "c.yaml").write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: small-{lane}\n  labels:\n    app: small-{lane}\n"
            "    sidelane.dev/version: {{ .Values.Version | quote }}\n"
            "    sidelane.dev/build: {{ .Values.Build | quote }}\n"
            f"    sidelane.dev/lane: {lane}\ndata:\n  it: {data}\n"
        )
        return folder

    return make


def test_a_chart_that_asks_the_cluster_is_checked_as_it_is_installed(cluster, namespace, client, small):
    chart = small('{{ .Capabilities.KubeVersion.Version }}{{ lookup "v1" "Namespace" "" "default" | len }}')
    client.install(chart, "coco-1")
    version = cluster.get("/version")["gitVersion"]
    data = cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/small-coco-1")["data"]
    assert data["it"].startswith(version)
    assert client.install(chart, "coco-1").change == "unchanged"


def test_a_chart_that_renders_differently_each_time_is_found_out(client, small):
    with pytest.raises(NotWhatWasChecked, match=r"ConfigMap small-coco-1: data\.it") as raised:
        client.install(small("{{ randAlphaNum 20 }}"), "coco-1")
    assert raised.value.remedy.startswith("small/templates/c.yaml renders differently each time")


def test_what_is_not_ready_in_time_is_told(client):
    values = {"image": {"tag": "never-ready"}, "replicas": 1}
    with pytest.raises(TimedOut, match="was not ready within 3s"):
        client.install("zookeeper", "coco-1", values=values, wait=True, timeout="3s")
    assert client.status("zookeeper", "coco-1").status == "failed"
    assert client.install("zookeeper", "coco-1", values=values).change == "finished"


def test_a_failed_install_can_be_undone_as_one(cluster, namespace, client):
    values = {"image": {"tag": "never-ready"}, "replicas": 1}
    with pytest.raises(TimedOut):
        client.install("zookeeper", "coco-1", values=values, timeout="3s", rollback_on_failure=True)
    assert client.list() == ()
    assert {kind for kind, _ in objects(cluster, namespace, "coco-1")} <= {"persistentvolumeclaims"}


@pytest.mark.either_helm
def test_the_command_line_on_a_cluster(sidelane):
    made = sidelane("install", "zookeeper", "--lane", "2-coco-1", "--wait")
    assert "helm test --namespace" in made.stdout  # the chart's own notes
    shown = sidelane("status", "zookeeper-2-coco-1").stdout
    assert f"Pod{' ' * 18}zk-2-coco-1-0" in shown
    assert "CHART:     zookeeper-" in shown
    assert max(map(len, sidelane("list").stdout.splitlines())) <= 80
    sidelane("install", "zookeeper", "--lane", "2-coco-1", "--set", "replicas=5", code=1)
