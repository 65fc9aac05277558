"""Apache Storm itself: Nimbus, supervisor and workers, started by what the charts render, in two lanes on one ZooKeeper.

Of the UI only the settings are tried, by a client of Storm's: its program (storm-webapp), and with it the log viewer and
DRPC, is not on Maven Central.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from programs.pods import Cluster, Pod

    Render = Callable[..., list[dict[str, Any]]]

pytestmark = [
    pytest.mark.parametrize("helm", ["helm3"], indirect=True, scope="session"),
    pytest.mark.xdist_group("storm"),
]

TOPOLOGY = Path(__file__).resolve().parent / "topology"
STARTED = 120  # seconds for a daemon or a worker to be there; on two busy cores they take half of it


@dataclass(frozen=True)
class Lane:
    """The pods of a lane, by component."""

    name: str
    pods: dict[str, Pod]

    def of(self, component: str) -> list[Pod]:
        """The component's pods, by their ordinals."""
        return [pod for name, pod in self.pods.items() if re.fullmatch(rf"{component}-{self.name}(-\d+)?", name)]

    def one(self, component: str) -> Pod:
        (pod,) = self.of(component)
        return pod


@pytest.fixture(scope="module")
def lanes(cluster: Cluster, render: Render) -> tuple[Lane, Lane]:
    """A lane with all of its own, and the next Build beside it, which uses the first one's ZooKeeper. All started at once."""
    first = {"Version": "coco", "Build": "1"}
    second = {"Version": "coco", "Build": "2", "zookeeper": {"lane": "coco-1"}}
    supervisor = {"replicas": 1, "logviewer": {"enabled": False}}
    one = cluster.apply(
        render("zookeeper", **first)
        + render("nimbus", **first)
        + render("supervisor", **first, **supervisor)
        + render("ui", **first)
    )
    two = cluster.apply(render("nimbus", **second, replicas=1) + render("supervisor", **second, **supervisor))
    found = Lane("coco-1", one), Lane("coco-2", two)
    daemons = [pod for lane in found for component in ("zk", "nimbus", "supervisor") for pod in lane.of(component)]
    for pod in daemons:
        pod.start()
    for pod in daemons:
        pod.until_ready(STARTED)
    return found


@pytest.fixture(scope="module")
def one(lanes: tuple[Lane, Lane]) -> Lane:
    return lanes[0]


@pytest.fixture(scope="module")
def two(lanes: tuple[Lane, Lane]) -> Lane:
    return lanes[1]


@pytest.fixture(scope="module")
def jar(java: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The topology, compiled against what workers have."""
    folder = tmp_path_factory.mktemp("topology")
    compiler = [java / "bin" / "javac", "-Werror", "-d", folder / "classes", "-cp", f"{programs}/storm/lib-worker/*"]
    subprocess.run([*compiler, *TOPOLOGY.glob("*.java")], check=True)
    subprocess.run([java / "bin" / "jar", "cf", folder / "topology.jar", "-C", folder / "classes", "."], check=True)
    return folder / "topology.jar"


@pytest.fixture(scope="module")
def submitted(one: Lane, two: Lane, jar: Path) -> None:
    """In both lanes a topology runs, by the same name."""
    for lane, workers in ((one, 2), (two, 1)):
        nimbus = lane.of("nimbus")[0]
        (nimbus.volumes["tmp"] / "topology.jar").write_bytes(jar.read_bytes())  # as `kubectl cp` does
        nimbus.execute("storm", "jar", "/tmp/topology.jar", "Counting", "words", str(workers), seconds=STARTED)


def znodes(lane: Lane, path: str) -> list[str]:
    """The names below a path in the lane's ZooKeeper."""
    said = lane.of("zk")[0].execute("zkCli.sh", "-waitforconnection", "-server", "localhost:2181", "ls", path)
    return re.search(r"^\[(.*)\]$", said, re.MULTILINE)[1].split(", ")


def test_all_are_alive_and_ready(one: Lane, two: Lane) -> None:
    for pod in [*one.of("nimbus"), *one.of("supervisor"), *two.of("nimbus"), *two.of("supervisor")]:
        assert all(pod.probe(name) for name in ("startupProbe", "readinessProbe", "livenessProbe"))


def test_they_register_under_the_root_of_their_lane(one: Lane, two: Lane) -> None:
    assert sorted(znodes(one, "/storm")) == ["coco-1", "coco-2"]
    assert sorted(znodes(one, "/storm/coco-1/nimbuses")) == [
        f"nimbus-coco-1-{n}.nimbus-hs-coco-1.streams.svc.cluster.local:6627" for n in range(2)
    ]
    assert len(znodes(one, "/storm/coco-1/supervisors")) == 1
    assert len(znodes(one, "/storm/coco-2/supervisors")) == 1


def test_helm_test_finds_nimbus_and_the_supervisor(one: Lane) -> None:
    one.one("nimbus-test").complete()
    one.one("supervisor-test").complete()


def test_tuples_are_emitted_and_acknowledged(one: Lane, two: Lane, submitted: None) -> None:
    for lane, workers in ((one, 2), (two, 1)):
        ask = ("storm", "jar", "/tmp/topology.jar", "Acknowledged", "words", str(STARTED))
        said = lane.of("nimbus")[0].execute(*ask, seconds=STARTED + 30)
        counted = re.search(r"^acknowledged (\d+) workers (\d+)$", said, re.MULTILINE)
        assert int(counted[1]) > 0
        assert int(counted[2]) == workers


def test_workers_have_the_heap_of_the_chart(one: Lane, submitted: None) -> None:
    supervisor = one.one("supervisor")
    processes = supervisor.execute("ps", "-e", "-o", "args").splitlines()
    workers = [words for words in processes if words.startswith("java -server") and "daemon.worker.Worker" in words]
    assert len(workers) == 2
    assert all(re.findall(r"-Xmx(\S+)", words) == ["768m"] for words in workers)


def test_the_ui_is_led_to_the_nimbus_of_its_lane(one: Lane, submitted: None) -> None:
    ui = one.of("ui")[0]
    assert ui.container["command"] == ["bash", "/etc/storm/start.sh", "ui"]
    said = ui.complete(["bash", "/etc/storm/start.sh", "list"])
    assert re.search(r"^words +ACTIVE ", said, re.MULTILINE)


def test_lanes_on_one_zookeeper_do_not_see_each_other(one: Lane, two: Lane, submitted: None) -> None:
    for lane, workers in ((one, 2), (two, 1)):
        nimbus = lane.of("nimbus")[0]
        listed = re.findall(r"^words +ACTIVE +\d+ +(\d+) ", nimbus.execute("storm", "list"), re.MULTILINE)
        assert listed == [str(workers)], "one by this name, with the workers of the lane's own"
    ids = [set(znodes(one, f"/storm/{lane.name}/{kind}")) for lane in (one, two) for kind in ("storms", "supervisors")]
    assert all(ids)
    assert sum(map(len, ids)) == len(set().union(*ids))


def test_another_nimbus_leads_when_the_leader_is_lost(one: Lane, submitted: None) -> None:
    (leader,) = (nimbus for nimbus in one.of("nimbus") if "gained leadership" in nimbus.running.said)
    (other,) = (nimbus for nimbus in one.of("nimbus") if nimbus is not leader)
    leader.kill()
    other.until("it leads", lambda: "gained leadership" in other.running.said)
    assert re.search(r"^words +ACTIVE ", other.execute("storm", "list"), re.MULTILINE)


def test_a_supervisor_that_is_stopped_ends_its_workers(one: Lane, submitted: None) -> None:
    supervisor = one.one("supervisor")
    seconds = supervisor.stop()
    assert supervisor.running.code == 143
    assert seconds < supervisor.spec["terminationGracePeriodSeconds"] / 2
    logs = [file.read_text() for file in supervisor.volumes["logs"].glob("workers-artifacts/words-*/67*/worker.log")]
    assert len(logs) == 2
    assert all("Shut down worker words-" in log for log in logs), "by its own hand, as SIGTERM has it do"
