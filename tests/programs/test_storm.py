"""Apache Storm itself, started by what the charts render: Nimbus, supervisors, workers, in two lanes on one ZooKeeper.

What tests/node does not try: there are the probes, `helm test`, the UI and scaling.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import storm_jar
from programs.pods import PROBES

if TYPE_CHECKING:
    from collections.abc import Callable

    from programs.pods import Cluster, Pod

    Render = Callable[..., list[dict[str, Any]]]

# Helm 3 alone: what each Helm renders is tried elsewhere.
pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True, scope="session")

STARTED = 120  # seconds for a daemon or a worker to be there; on two busy cores they take half of it
# By default Nimbus hears once a minute what a topology has done, and is missed after 20 seconds.
SOONER = {"executor.metrics.frequency.secs": 2, "storm.zookeeper.session.timeout": 10000}


@dataclass(frozen=True, eq=False)
class Lane:
    """The pods of a lane, by component."""

    name: str
    pods: dict[str, Pod]

    def of(self, component: str) -> list[Pod]:
        """The component's pods, by their ordinals."""
        return [pod for name, pod in self.pods.items() if re.fullmatch(rf"{component}-{self.name}(-\d+)?", name)]

    def pod_of(self, component: str) -> Pod:
        (pod,) = self.of(component)
        return pod

    def put(self, file: Path) -> None:
        """Copies a file to the folder /tmp of the first Nimbus, as `kubectl cp` does."""
        (self.of("nimbus")[0].volumes["tmp"] / file.name).write_bytes(file.read_bytes())

    def storm(self, *arguments: str) -> str:
        """The output of `storm` beside the first Nimbus."""
        return self.of("nimbus")[0].execute("storm", *arguments, seconds=STARTED + 30)


@pytest.fixture(scope="module")
def lanes(cluster: Cluster, render: Render) -> tuple[Lane, Lane]:
    """A pipeline, and a Nimbus and a supervisor of the next Build, which use its ZooKeeper. All are started at once."""
    supervisor = {"replicas": 1, "logviewer": {"enabled": False}, "config": SOONER}
    first = {"global": {"Version": "coco", "Build": "1"}}
    second = {"Version": "coco", "Build": "2", "zookeeper": {"lane": "coco-1"}, "logging": {"format": "json"}}
    pods_of_first = cluster.apply(render("pipeline", **first, nimbus={"config": SOONER}, supervisor=supervisor))
    pods_of_second = cluster.apply(
        render("nimbus", **second, replicas=1) + render("supervisor", **second, **supervisor)
    )
    both = Lane("coco-1", pods_of_first), Lane("coco-2", pods_of_second)
    daemons = [pod for lane in both for component in ("zk", "nimbus", "supervisor") for pod in lane.of(component)]
    for pod in daemons:
        pod.start()
    for pod in daemons:
        pod.until_ready(STARTED)
    return both


@pytest.fixture(scope="module")
def first(lanes: tuple[Lane, Lane]) -> Lane:
    return lanes[0]


@pytest.fixture(scope="module")
def second(lanes: tuple[Lane, Lane]) -> Lane:
    return lanes[1]


@pytest.fixture(scope="module")
def jar(java: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The topology, compiled against what workers have."""
    return storm_jar.compiled(programs, tmp_path_factory.mktemp("topology"), java)


@pytest.fixture(scope="module")
def counted(first: Lane, second: Lane, jar: Path) -> dict[str, tuple[int, int]]:
    """A topology runs in each lane, both by one name: how many tuples were acknowledged, and by how many workers."""
    lanes = {first: 2, second: 1}
    for lane, workers in lanes.items():
        lane.put(jar)
        lane.storm("jar", f"/tmp/{jar.name}", "Counting", "words", str(workers))
    counts = {}
    for lane in lanes:
        said = lane.storm("jar", f"/tmp/{jar.name}", "Acknowledged", "words", str(STARTED))
        numbers = re.search(r"^acknowledged (\d+) workers (\d+)$", said, re.MULTILINE)
        counts[lane.name] = int(numbers[1]), int(numbers[2])
    return counts


def znodes(lane: Lane, *paths: str) -> list[list[str]]:
    """The names below each path in ZooKeeper, sorted."""
    zookeeper = lane.of("zk")[0]
    ask = "zkCli.sh -waitforconnection -server localhost:2181 2>&1"
    said = zookeeper.execute("bash", "-c", f"printf 'ls %s\n' {' '.join(paths)} | {ask}")
    return [sorted(children.split(", ")) for children in re.findall(r"^\[zk: [^]]*\] \[(.*)\]$", said, re.MULTILINE)]


def test_they_register_under_the_root_of_their_lane(first: Lane, second: Lane) -> None:
    kinds = ("nimbuses", "supervisors")
    below = [f"/storm/{lane.name}/{kind}" for lane in (first, second) for kind in kinds]
    roots, *kept = znodes(first, "/storm", *below)
    assert roots == ["coco-1", "coco-2"]
    for lane, leaders, supervisors in ((first, *kept[:2]), (second, *kept[2:])):
        domain = f"nimbus-hs-{lane.name}.streams.svc.cluster.local"
        assert leaders == [f"{nimbus.name}.{domain}" for nimbus in lane.of("nimbus")]
        assert len(supervisors) == len(lane.of("supervisor"))


def test_tuples_are_emitted_and_acknowledged(counted: dict[str, tuple[int, int]]) -> None:
    assert {lane: workers for lane, (_, workers) in counted.items()} == {"coco-1": 2, "coco-2": 1}
    assert all(acknowledged > 0 for acknowledged, _ in counted.values())


def test_workers_have_the_heap_of_the_chart(first: Lane, counted: object) -> None:
    supervisor = first.pod_of("supervisor")
    processes = supervisor.execute("ps", "-e", "-o", "args").splitlines()
    workers = [words for words in processes if words.startswith("java -server") and "daemon.worker.Worker" in words]
    assert len(workers) == 2
    assert all(re.findall(r"-Xmx(\S+)", words) == ["768m"] for words in workers)


def test_lanes_on_one_zookeeper_do_not_see_each_other(first: Lane, second: Lane, counted: object) -> None:
    for lane, workers in ((first, 2), (second, 1)):
        listed = re.findall(r"^words +ACTIVE +\d+ +(\d+) ", lane.storm("list"), re.MULTILINE)
        assert listed == [str(workers)], "one by this name, with the workers of the lane's own"
    kinds = ("storms", "supervisors", "assignments")
    ids = znodes(first, *(f"/storm/{lane.name}/{kind}" for lane in (first, second) for kind in kinds))
    for ones, twos in zip(ids[:3], ids[3:], strict=True):
        assert ones
        assert twos
        assert not set(ones) & set(twos)


def test_logs_are_json_where_they_are_asked_to_be(second: Lane, counted: object) -> None:
    nimbus, supervisor = second.pod_of("nimbus"), second.pod_of("supervisor")
    (worker,) = supervisor.volumes["logs"].glob("workers-artifacts/words-*/6700/worker.log")
    for log in (nimbus.running.output, supervisor.running.output, worker.read_text()):
        lines = log.splitlines()
        began = next(number for number, line in enumerate(lines) if line.startswith("{"))
        assert [json.loads(line)["message"] for line in lines[began:]], "from its first word on, all that Storm logs"


def test_another_nimbus_leads_when_the_leader_is_lost(first: Lane, counted: object) -> None:
    (leader,) = (nimbus for nimbus in first.of("nimbus") if "gained leadership" in nimbus.running.output)
    (other,) = (nimbus for nimbus in first.of("nimbus") if nimbus is not leader)
    leader.kill()
    other.until("it leads", lambda: "gained leadership" in other.running.output)
    assert re.search(r"^words +ACTIVE ", other.execute("storm", "list", seconds=STARTED), re.MULTILINE)


def test_a_supervisor_whose_container_is_killed_runs_its_workers_again(first: Lane, counted: object) -> None:
    """As when it went over its memory limit: the pod stays, and with it what the workers left in their folders."""
    supervisor = first.pod_of("supervisor")

    def logs() -> list[str]:
        return [
            file.read_text() for file in supervisor.volumes["logs"].glob("workers-artifacts/words-*/67*/worker.log")
        ]

    def runs_again(log: str) -> bool:
        """Nimbus may have assigned the worker anew meanwhile, which starts it once more."""
        loaded = log.rfind("has finished loading")
        return log.count("has finished loading") >= 2 and loaded > max(map(log.rfind, ("Launching", "Shutting down")))

    supervisor.kill()
    supervisor.restart()
    supervisor.until_ready(STARTED)
    supervisor.until("both workers run again", lambda: len(logs()) == 2 and all(map(runs_again, logs())), STARTED)
    assert all(map(supervisor.probe, PROBES))


def test_a_supervisor_that_is_stopped_ends_its_workers(first: Lane, counted: object) -> None:
    supervisor = first.pod_of("supervisor")
    supervisor.stop()
    # SIGTERM, or 20 when it took more than the second that Storm gives itself; 137 when its grace period was over.
    assert supervisor.running.code in (143, 20)
    logs = [file.read_text() for file in supervisor.volumes["logs"].glob("workers-artifacts/words-*/67*/worker.log")]
    assert len(logs) == 2
    # After 3 seconds Storm cuts off the rest, if a worker still tries to reach its supervisor, which is gone.
    assert all("Shut down executors" in log for log in logs), "the topology's parts were told to end"
