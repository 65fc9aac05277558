"""Apache ZooKeeper itself, started by what the chart renders for each member: what tests/node does not try."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from programs.pods import Cluster, Pod

    Render = Callable[..., list[dict[str, Any]]]

# Helm 3 alone: what each Helm renders is tried elsewhere.
pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True, scope="session")

SRVR = "exec 3<>/dev/tcp/localhost/2181; printf srvr >&3; cat <&3"


@pytest.fixture(scope="module")
def release(cluster: Cluster, render: Render) -> dict[str, Pod]:
    return cluster.apply(render("zookeeper", Version="2-coco", Build="1"))


@pytest.fixture(scope="module")
def helm_test(release: dict[str, Pod]) -> Pod:
    """Run the chart's `helm test`: it writes and reads through the Service."""
    return release["zk-test-2-coco-1"]


@pytest.fixture(scope="module")
def ensemble(release: dict[str, Pod]) -> list[Pod]:
    """The members, all in the quorum."""
    members = [release[f"zk-2-coco-1-{ordinal}"] for ordinal in range(3)]
    start(*members)
    return members


@pytest.fixture(scope="module")
def alone(cluster: Cluster, render: Render, charts: Path) -> Pod:
    """An ensemble of one, with the values that the chart has for a laptop."""
    values = yaml.safe_load((charts / "zookeeper" / "ci" / "minimal-values.yaml").read_text())
    logging = {"format": "json"}
    member = cluster.apply(render("zookeeper", **{**values, "Version": "alone", "logging": logging}))["zk-alone-1-0"]
    start(member)
    return member


def start(*members: Pod) -> None:
    for member in members:
        member.start()
    for member in members:
        member.until_ready()


def mode(member: Pod) -> str:
    """The member's own mode: ``leader`` or ``follower``; empty when it is in no quorum."""
    match = re.search("^Mode: (.*)$", member.execute("bash", "-c", SRVR), re.MULTILINE)
    return match[1] if match else ""


def test_each_member_knows_who_it_is(ensemble: list[Pod]) -> None:
    assert [member.execute("cat", "/data/myid").strip() for member in ensemble] == ["1", "2", "3"]


def test_what_is_logged_goes_to_the_standard_output(ensemble: list[Pod]) -> None:
    assert re.search(r"^\d{4}-\d\d-\d\d .* INFO +\[.*QuorumPeer", ensemble[0].running.output, re.MULTILINE)
    assert ensemble[0].execute("ls", "/tmp").split() == ["hsperfdata_user", "zoo.cfg"], "no log file"


def test_prometheus_finds_the_metrics(cluster: Cluster, ensemble: list[Pod]) -> None:
    request = f"exec 3<>/dev/tcp/{ensemble[0].address}/7000; printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3; cat <&3"
    answer = cluster.node.run("bash", "-c", request).stdout
    assert answer.startswith("HTTP/1.1 200")
    assert re.search("^quorum_size 3.0$", answer, re.MULTILINE)


def test_without_a_majority_a_member_is_alive_and_not_ready(ensemble: list[Pod], helm_test: Pod) -> None:
    last, *others = ensemble
    for member in others:
        member.stop()
    assert all(member.running.code == 143 for member in others), "ended by SIGTERM, not SIGKILL"

    last.until("it is not ready", lambda: not last.probe("readinessProbe"))
    assert last.probe("livenessProbe")
    assert helm_test.start().process.wait(60) == 1, "and helm test says so"

    start(*others)
    last.until("it is ready again", lambda: last.probe("readinessProbe"))


def test_one_member_stands_alone(alone: Pod) -> None:
    assert mode(alone) == "standalone"
    assert alone.probe("livenessProbe")
    client = "zkCli.sh -waitforconnection -server localhost:2181 2>&1"
    said = alone.execute("bash", "-c", f"printf '%s\n' 'create /node content' 'get /node' | {client}")
    assert re.search(r"(^|\] )content$", said, re.MULTILINE), said


def test_logs_are_json_where_they_are_asked_to_be(alone: Pod) -> None:
    lines = alone.running.output.splitlines()
    began = next(number for number, line in enumerate(lines) if line.startswith("{"))
    assert [json.loads(line)["message"] for line in lines[began:]], "from its first word on, all that ZooKeeper logs"


#: Prints how many seconds Java keeps an address, and a failed look-up.
KEPT = """
public class Kept {
    public static void main(String[] arguments) {
        System.out.println(sun.net.InetAddressCachePolicy.get() + " " + sun.net.InetAddressCachePolicy.getNegative());
    }
}
"""


def test_a_member_without_a_leader_asks_again_every_two_seconds(ensemble: list[Pod]) -> None:
    assert "zookeeper.fastleader.maxNotificationInterval = 2000 ms" in ensemble[0].running.output


def test_a_member_tells_the_others_its_address_and_knows_them_by_name(ensemble: list[Pod]) -> None:
    lines = ensemble[1].execute("grep", "^server", "/tmp/zoo.cfg").splitlines()
    assert lines[1] == f"server.2={ensemble[1].address}:2888:3888"
    assert all("zk-hs-2-coco-1" in line for line in (lines[0], lines[2]))


def test_java_keeps_what_it_looked_up_as_long_as_the_chart_says(alone: Pod) -> None:
    (alone.volumes["tmp"] / "Kept.java").write_text(KEPT)
    java = "java --add-exports java.base/sun.net=ALL-UNNAMED"
    assert alone.execute("bash", "-c", f"{java} $JVMFLAGS /tmp/Kept.java").split() == ["1", "1"]
    assert alone.execute("bash", "-c", f"{java} /tmp/Kept.java").split() == ["30", "10"], (
        "or the values are for nothing"
    )
