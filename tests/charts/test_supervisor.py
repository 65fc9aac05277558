"""The supervisor chart: what its values do, which it refuses, and how a supervisor stops."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from storm_charts import LANE, bash, environment, installed, pod, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Supervisor = Callable[..., dict[str, Any]]
    Refusal = Callable[..., str]
    Refusals = Callable[..., list[str]]

WORKLOAD = "StatefulSet supervisor"


def test_what_an_install_makes(supervisor: Supervisor) -> None:
    assert set(supervisor()) == {
        "ConfigMap supervisor",
        "ConfigMap supervisor-guard",
        "Pod supervisor-test",
        "PodDisruptionBudget supervisor",
        "Service supervisor-hs",
        "ServiceAccount supervisor",
        "StatefulSet supervisor",
    }


def test_nimbus_is_found_by_its_service_and_workers_by_their_names(supervisor: Supervisor) -> None:
    objects = supervisor()
    assert settings(objects, "supervisor")["nimbus.seeds"] == ["nimbus-cs-2-coco-1.default.svc.cluster.local"]
    assert objects[WORKLOAD]["spec"]["serviceName"] == "supervisor-hs-2-coco-1"
    assert objects["Service supervisor-hs"]["spec"]["publishNotReadyAddresses"] is True
    for container in pod(objects, WORKLOAD)["containers"]:
        name = environment(container)["STORM_LOCAL_HOSTNAME"]
        assert name == "$(POD_NAME).supervisor-hs-2-coco-1.default.svc.cluster.local"


def test_each_slot_has_a_port(supervisor: Supervisor) -> None:
    resources = {"limits": {"memory": "8Gi"}}
    objects = supervisor(workers={"slots": 4, "firstPort": 7000}, resources=resources)
    slots = [7000, 7001, 7002, 7003]
    assert settings(objects, "supervisor")["supervisor.slots.ports"] == slots
    ports = [port["containerPort"] for port in pod(objects, WORKLOAD)["containers"][0]["ports"]]
    assert ports == [6628, *slots]
    served = {port["port"] for port in objects["Service supervisor-hs"]["spec"]["ports"]}
    assert served == {6628, 8000, *slots}


def test_what_the_scheduler_may_give_away(supervisor: Supervisor) -> None:
    workers = {"slots": 3, "heapMiB": 1000, "offHeapMiB": 200, "logWriterMiB": 50, "options": "-Xss1m"}
    objects = supervisor(workers=workers, resources={"limits": {"memory": "8Gi", "cpu": "1500m"}})
    config = settings(objects, "supervisor")
    assert config["supervisor.memory.capacity.mb"] == 3600
    assert config["supervisor.cpu.capacity"] == 150
    assert config["worker.heap.memory.mb"] == 1000
    # Not %HEAP-MEM%, which grows with the number of a topology's executors.
    assert config["worker.childopts"] == "-Xmx1000m -XX:+ExitOnOutOfMemoryError -Xss1m"
    assert config["topology.worker.logwriter.childopts"] == "-Xmx50m"


@pytest.mark.parametrize(
    ("resources", "capacity"),
    [
        ({"limits": {"cpu": 2.5}}, 250),
        ({"limits": {"cpu": None}, "requests": {"cpu": "750m"}}, 75),
        ({"limits": {"cpu": None}, "requests": {"cpu": None}}, None),
    ],
)
def test_cpu_is_counted_as_storm_does(supervisor: Supervisor, resources: object, capacity: int | None) -> None:
    assert settings(supervisor(resources=resources), "supervisor").get("supervisor.cpu.capacity") == capacity


FITS = 256 + 128 + 2 * (768 + 64 + 256)  # the supervisor and what is beside its heap, and two slots


def test_the_default_limit_is_what_adds_up(supervisor: Supervisor) -> None:
    assert pod(supervisor(), WORKLOAD)["containers"][0]["resources"]["limits"]["memory"] == f"{FITS}Mi"
    assert supervisor(resources={"limits": {"memory": None}})


@pytest.mark.parametrize(
    "values",
    [
        {"resources": {"limits": {"memory": f"{FITS - 1}Mi"}}},
        {"resources": {"limits": {"memory": FITS * 1024 * 1024 - 1}}},
        {"workers": {"heapMiB": 769}},
        {"workers": {"slots": 3}},
        {"workers": {"offHeapMiB": 257}},
        {"workers": {"logWriterMiB": 65}},
        {"jvm": {"heapMiB": 257}},
    ],
    ids=json.dumps,
)
def test_memory_that_the_limit_can_not_hold_is_refused(refusals: Refusals, values: dict[str, object]) -> None:
    for said in refusals("supervisor", values={**LANE, **values}):
        assert "resources.limits.memory is" in said
        assert "raise it, or lower one of these" in said


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"workers": {"slots": 0}}, "slots"),
        ({"workers": {"firstPort": 6628}}, "Storm itself uses 6628"),
        ({"workers": {"firstPort": 7999}}, "Storm itself uses 8000"),
        ({"workers": {"firstPort": 65535}}, "the last slot would have port 65536"),
        ({"workers": {"options": "-Xmx2g"}}, "which sets the heap; remove that, and set workers.heapMiB"),
        ({"logviewer": {"jvm": {"heapMiB": 384}}}, "logviewer.jvm.heapMiB is 384, which does not fit"),
        ({"terminationGracePeriodSeconds": 59}, "terminationGracePeriodSeconds"),
        ({"autoscaling": {"enabled": True, "minReplicas": 11}}, "autoscaling.maxReplicas, 10"),
        ({"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}, "which is not set; set it"),
        ({"config": {"supervisor.slots.ports": [1]}}, "set workers.slots and workers.firstPort instead"),
        ({"config": {"worker.childopts": "-Xmx9g"}}, "set workers.options instead"),
        ({"config": {"worker.heap.memory.mb": 1}}, "set workers.heapMiB instead"),
        ({"config": {"logviewer.port": 1}}, "remove it"),
        ({"config": {"logviewer.appender.name": "B"}}, "remove it"),
        ({"config": {"nimbus.seeds": ["a"]}}, "remove it"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_refused(refusals: Refusals, values: dict[str, object], sentence: str) -> None:
    assert [said for said in refusals("supervisor", values={**LANE, **values}) if sentence not in said] == []


def test_the_autoscaler_alone_sets_the_number(supervisor: Supervisor) -> None:
    objects = supervisor(autoscaling={"enabled": True, "minReplicas": 3})
    assert "replicas" not in objects[WORKLOAD]["spec"]
    spec = objects["HorizontalPodAutoscaler supervisor"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 10)
    assert spec["scaleTargetRef"]["name"] == "supervisor-2-coco-1"
    container = pod(objects, WORKLOAD)["containers"][0]["name"]
    assert spec["metrics"][0]["containerResource"]["container"] == container


def test_the_log_viewer_sees_the_supervisors_files(supervisor: Supervisor) -> None:
    objects = supervisor()
    supervisor_container, viewer = pod(objects, WORKLOAD)["containers"]
    assert viewer["command"] == ["bash", "/etc/storm/start.sh", "logviewer"]
    assert supervisor_container["volumeMounts"] == viewer["volumeMounts"]
    assert settings(objects, "supervisor")["logviewer.childopts"].startswith("-Xmx128m ")
    without = supervisor(logviewer={"enabled": False})
    assert [container["name"] for container in pod(without, WORKLOAD)["containers"]] == ["supervisor"]
    assert 8000 not in {port["port"] for port in without["Service supervisor-hs"]["spec"]["ports"]}


def test_the_log_viewer_has_the_appender_that_it_asks_for_and_nothing_logs_there(supervisor: Supervisor) -> None:
    objects = supervisor()
    name = settings(objects, "supervisor")["logviewer.appender.name"]
    xml = ElementTree.fromstring(objects["ConfigMap supervisor"]["data"]["cluster.xml"])
    (appender,) = xml.iter("RollingFile")
    assert (appender.attrib["name"], appender.attrib["createOnDemand"]) == (name, "true")
    assert name not in {reference.attrib["ref"] for reference in xml.iter("appender-ref")}
    assert "RollingFile" not in supervisor(logviewer={"enabled": False})["ConfigMap supervisor"]["data"]["cluster.xml"]


def test_workers_log_where_the_log_viewer_looks(supervisor: Supervisor) -> None:
    logs = {"level": "DEBUG", "fileMiB": 20, "files": 7}
    xml = ElementTree.fromstring(supervisor(workers={"logs": logs})["ConfigMap supervisor"]["data"]["worker.xml"])
    file = "${sys:workers.artifacts}/${sys:storm.id}/${sys:worker.port}/${sys:logfile.name}"
    assert xml.findtext("properties/property") == file
    appenders = {appender.attrib["name"]: appender for appender in xml.iter("RollingFile")}
    assert appenders.keys() == {"A1", "STDOUT", "STDERR", "METRICS"}
    assert [appender.attrib["fileName"] for appender in appenders.values()][:2] == ["${file}", "${file}.out"]
    strategy = appenders["A1"].find("DefaultRolloverStrategy")
    assert strategy is not None
    assert strategy.attrib["max"] == "7"
    assert {policy.attrib["size"] for policy in xml.iter("SizeBasedTriggeringPolicy")} == {"20 MB"}


WORKER = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[2])
signal.signal(signal.SIGTERM, lambda *_: (folder.joinpath("calls").open("a").write("worker ended\\n"), sys.exit(143)))
folder.joinpath("ready").touch()
time.sleep(60)
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks as a worker of Storm does, and says when it is asked to end."""
    with subprocess.Popen([sys.executable, "-c", WORKER, "-Dworker.id=1a-b", str(tmp_path)]) as process:
        while not (tmp_path / "ready").exists():
            time.sleep(0.02)
        yield process
        process.kill()


def started(objects: dict[str, Any], folder: Path, runs: int, workers: dict[str, int]) -> subprocess.Popen[str]:
    """A supervisor that runs so many seconds, played by a script, with workers by their ids and processes."""
    env = installed(objects, "supervisor", folder) | {"STORM_STOP_SECONDS": "5", "RUNS": str(runs)}
    for name, process in workers.items():
        pids = folder / "data" / "workers" / name / "pids"
        pids.mkdir(parents=True)
        (pids / str(process)).touch()
    command = ["bash", str(folder / "config" / "supervisor.sh")]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while not (folder / "calls").exists():
        time.sleep(0.02)
    time.sleep(0.2)  # until the played supervisor listens for the signal
    return process


def test_a_supervisor_that_is_stopped_ends_and_then_its_workers(
    supervisor: Supervisor, tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    process = started(supervisor(), tmp_path, 60, {"1a-b": worker.pid})
    process.send_signal(signal.SIGTERM)
    # The worker is this test's child here, not the container's first process's, which would take it off the table.
    assert worker.wait(timeout=30) == 143
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 143, said
    # In the other order it would start them again.
    assert (tmp_path / "calls").read_text().splitlines() == ["supervisor", "supervisor ended", "worker ended"]


def test_workers_end_with_a_supervisor_that_ends_by_itself(
    supervisor: Supervisor, tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    process = started(supervisor(), tmp_path, 0, {"1a-b": worker.pid})
    assert worker.wait(timeout=30) == 143
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_only_workers_are_ended(supervisor: Supervisor, tmp_path: Path, worker: subprocess.Popen[bytes]) -> None:
    """A file that an earlier container left may hold the number of another process by now."""
    process = started(supervisor(), tmp_path, 0, {"2c-d": worker.pid})
    process.communicate(timeout=30)
    assert worker.poll() is None


def test_a_worker_that_does_not_end_holds_nothing_up(supervisor: Supervisor, tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    command = [sys.executable, "-c", stubborn, "-Dworker.id=1a-b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        process = started(supervisor(), tmp_path, 0, {"1a-b": worker.pid})
        process.communicate(timeout=30)
        assert worker.poll() is None
        worker.kill()


def test_there_is_time_to_end_the_workers(supervisor: Supervisor) -> None:
    for seconds in (60, 300):
        spec = pod(supervisor(terminationGracePeriodSeconds=seconds), WORKLOAD)
        assert spec["terminationGracePeriodSeconds"] == seconds
        assert int(environment(spec["containers"][0])["STORM_STOP_SECONDS"]) == seconds - 10


@pytest.mark.parametrize(("printed", "code"), [("0e2b2e5a-3c5b-4a65-9a3b-1f1d0a1f2b3c-10.1.2.3:", 0), ("", 1)])
def test_the_test_looks_for_this_lanes_supervisors(
    supervisor: Supervisor, tmp_path: Path, printed: str, code: int
) -> None:
    objects = supervisor()
    assert objects["Pod supervisor-test"]["spec"]["containers"][0]["command"][1:] == ["/etc/storm/test.sh"]
    env = installed(objects, "supervisor", tmp_path)
    played = {
        "storm": "[ $1 = server_classpath ] && echo '/a/*:/b/*'",
        "java": f"[ \"$2\" = '/a/*:/b/*:{tmp_path}/conf' ] && echo '{printed}'",
    }
    for program, script in played.items():
        (tmp_path / "bin" / program).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / program).chmod(0o755)
    assert bash(tmp_path / "config" / "test.sh", env=env).returncode == code


def test_the_network_policy_lets_in_the_lane_and_who_reads_logs(supervisor: Supervisor) -> None:
    peer = {"podSelector": {"matchLabels": {"team": "streams"}}}
    policy = supervisor(networkPolicy={"enabled": True, "logviewers": [peer]})["NetworkPolicy supervisor"]
    lane = {"podSelector": {"matchLabels": {"sidelane.dev/lane": "2-coco-1"}}}
    assert policy["spec"]["ingress"] == [{"from": [lane]}, {"from": [peer], "ports": [{"port": 8000}]}]


def test_the_operational_values_change_nothing_but_numbers(supervisor: Supervisor, charts: Path) -> None:
    annotations = yaml.safe_load((charts / "supervisor" / "Chart.yaml").read_text())["annotations"]
    operational = annotations["sidelane.dev/operational-values"].split(",")
    # To switch the autoscaler on or off would set the number of supervisors to 1 for a moment.
    assert "autoscaling" not in operational
    assert "autoscaling.enabled" not in operational
    assert {"replicas", "autoscaling.minReplicas", "autoscaling.maxReplicas"} <= set(operational)
    before, after = supervisor(), supervisor(replicas=7, podDisruptionBudget={"maxUnavailable": 2})
    assert after[WORKLOAD]["spec"].pop("replicas") == 7
    assert before[WORKLOAD]["spec"].pop("replicas") == 2
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"PodDisruptionBudget supervisor"}
