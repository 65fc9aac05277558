"""The Nimbus chart: what its values do, and which it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from storm_charts import LANE, environment, pod, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Nimbus = Callable[..., dict[str, Any]]
    Refusal = Callable[..., str]
    Refusals = Callable[..., list[str]]

DOMAIN = "nimbus-hs-2-coco-1.default.svc.cluster.local"


def test_what_an_install_makes(nimbus: Nimbus) -> None:
    assert set(nimbus()) == {
        "ConfigMap nimbus",
        "ConfigMap nimbus-guard",
        "Pod nimbus-test",
        "PodDisruptionBudget nimbus",
        "Service nimbus-cs",
        "Service nimbus-hs",
        "ServiceAccount nimbus",
        "StatefulSet nimbus",
    }


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_each_is_known_by_the_name_that_it_has_for_itself(nimbus: Nimbus, replicas: int) -> None:
    objects = nimbus(replicas=replicas)
    spec = objects["StatefulSet nimbus"]["spec"]
    assert (spec["replicas"], spec["serviceName"]) == (replicas, "nimbus-hs-2-coco-1")
    assert objects["Service nimbus-hs"]["spec"]["publishNotReadyAddresses"] is True
    itself = environment(pod(objects, "StatefulSet nimbus")["containers"][0])["STORM_LOCAL_HOSTNAME"]
    assert itself == f"$(POD_NAME).{DOMAIN}"
    names = [itself.replace("$(POD_NAME)", f"nimbus-2-coco-1-{ordinal}") for ordinal in range(replicas)]
    assert settings(objects, "nimbus")["nimbus.seeds"] == names


@pytest.mark.parametrize(
    ("replicas", "given", "copies"), [(1, 0, 1), (2, 0, 2), (3, 0, 2), (5, 0, 3), (3, 1, 1), (3, 3, 3)]
)
def test_the_copies_of_a_topology_fit_the_replicas(nimbus: Nimbus, replicas: int, given: int, copies: int) -> None:
    config = settings(nimbus(replicas=replicas, minReplication=given), "nimbus")
    assert config["topology.min.replication.count"] == copies


def test_what_is_written_lies_on_volumes(nimbus: Nimbus) -> None:
    objects = nimbus(persistence={"size": "5Gi", "storageClass": "fast"})
    config = settings(objects, "nimbus")
    assert (config["storm.local.dir"], config["storm.metricstore.rocksdb.location"]) == ("/data", "/data/metrics")
    claim = objects["StatefulSet nimbus"]["spec"]["volumeClaimTemplates"][0]
    assert claim["metadata"]["name"] == "data"
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    container = pod(objects, "StatefulSet nimbus")["containers"][0]
    assert {"/data", "/conf", "/logs", "/tmp"} <= {mount["mountPath"] for mount in container["volumeMounts"]}


def test_without_persistence(nimbus: Nimbus) -> None:
    objects = nimbus(persistence={"enabled": False})
    assert "volumeClaimTemplates" not in objects["StatefulSet nimbus"]["spec"]
    assert {"name": "data", "emptyDir": {}} in pod(objects, "StatefulSet nimbus")["volumes"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"replicas": 0}, "replicas"),
        ({"minReplication": 3}, "minReplication is 3, and 2 Nimbus instances can't hold more than 2 copies"),
        ({"podDisruptionBudget": {"maxUnavailable": 2}}, "a drain could stop all 2 Nimbus instances"),
        ({"config": {"topology.min.replication.count": 2}}, "set minReplication instead"),
        ({"config": {"nimbus.seeds": ["a"]}}, "set replicas instead"),
        ({"config": {"nimbus.childopts": "-Xmx1g"}}, "set jvm instead"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_refused(refusals: Refusals, values: dict[str, object], sentence: str) -> None:
    assert [said for said in refusals("nimbus", values={**LANE, **values}) if sentence not in said] == []


def test_one_alone_may_be_drained(nimbus: Nimbus) -> None:
    assert nimbus(replicas=1)["PodDisruptionBudget nimbus"]["spec"]["maxUnavailable"] == 1


def test_the_heap_is_the_jvms(nimbus: Nimbus) -> None:
    config = settings(nimbus(jvm={"heapMiB": 1200, "options": "-Xss1m"}), "nimbus")
    assert config["nimbus.childopts"] == "-Xmx1200m -XX:+ExitOnOutOfMemoryError -Xss1m"


def test_the_network_policy_lets_in_the_lane_and_who_is_named(nimbus: Nimbus) -> None:
    peer = {"podSelector": {"matchLabels": {"team": "streams"}}}
    policy = nimbus(networkPolicy={"enabled": True, "clients": [peer]})["NetworkPolicy nimbus"]
    lane = {"podSelector": {"matchLabels": {"sidelane.dev/lane": "2-coco-1"}}}
    assert policy["spec"]["ingress"] == [{"from": [lane, peer], "ports": [{"port": 6627}]}]


def test_the_tests_pod_is_no_nimbus_and_needs_none_but_the_leader(nimbus: Nimbus) -> None:
    test = nimbus()["Pod nimbus-test"]
    assert test["metadata"]["labels"]["app"] == "nimbus-test-2-coco-1"
    container = test["spec"]["containers"][0]
    assert container["command"] == ["bash", "/etc/storm/start.sh", "list"]
    assert not {"STORM_ZOOKEEPER", "STORM_LOCAL_HOSTNAME"} & environment(container).keys()


def test_the_operational_values_change_nothing_that_runs(nimbus: Nimbus, charts: Path) -> None:
    annotations = yaml.safe_load((charts / "nimbus" / "Chart.yaml").read_text())["annotations"]
    assert annotations["sidelane.dev/operational-values"] == "networkPolicy,podDisruptionBudget"
    before = nimbus()
    after = nimbus(networkPolicy={"enabled": True}, podDisruptionBudget={"enabled": False})
    assert set(before) ^ set(after) == {"NetworkPolicy nimbus", "PodDisruptionBudget nimbus"}
    assert all(before[name] == after[name] for name in set(before) & set(after))
