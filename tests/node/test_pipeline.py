"""Whole pipelines on a real node: two lanes side by side, their tests, losses and restarts, a topology, and a replay.

The lane coco-1 is the small one, brought by `sidelane install` under Helm 3. coco-2 has the default values but for
replicas, requests and Storm's heartbeats, and is brought by plain Helm 4. A third and a fourth one come the other way
about, so every Helm brings a pipeline in both ways; what ZooKeeper and Storm do then is no Helm's work.
"""

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import javatools
import pytest
import storm_jar
from clusters import new_namespace
from command_line import CommandLine
from sidelane import Client

from node.pods import Pods

CHARTS = Path(__file__).parents[2] / "charts"
SMALL = CHARTS / "pipeline" / "values-small.yaml"
SECONDS = 600  # for JVMs to be there on two slow and busy processors; on quiet ones they take some 30
# By default Nimbus hears once a minute what a topology has done, and misses a supervisor after another one.
SOONER = {
    "executor.metrics.frequency.secs": 2,
    "nimbus.monitor.freq.secs": 3,
    "nimbus.supervisor.timeout.secs": 15,
    "nimbus.task.timeout.secs": 15,
}


def tiny(cpu):
    return {"resources": {"requests": {"cpu": cpu, "memory": "128Mi"}}}


LARGE = {
    "global": {"Version": "coco", "Build": "2", "nimbus": {"replicas": 2}},
    "zookeeper": tiny("50m"),
    "nimbus": tiny("50m"),
    "supervisor": {**tiny("50m"), "replicas": 2, "logviewer": tiny("10m")},
    "ui": tiny("50m"),
}
PODS = [
    *(f"nimbus-coco-{n}" for n in ("1-0", "2-0", "2-1")),
    *(f"supervisor-coco-{n}" for n in ("1-0", "2-0", "2-1")),
    *("ui-coco-1", "ui-coco-2"),
    *(f"zk-coco-{n}" for n in ("1-0", "2-0", "2-1", "2-2")),
]


@pytest.fixture(scope="module")
def namespace(cluster):
    """A namespace for all tests of this file."""
    with new_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def run(cluster, namespace, helm_named, tmp_path_factory):
    """Runs `helm` or `sidelane` under a Helm, in the namespace, and gives what it prints."""

    def run(helm, program, *arguments, within=namespace):
        place = ("--namespace", within, "--kubeconfig", cluster.kubeconfig)
        if program == "sidelane":
            return CommandLine(tmp_path_factory.mktemp("folder"), helm_named(helm), place=place)(*arguments).stdout
        command = [str(word) for word in (helm_named(helm), *arguments, *place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="module")
def pods(node, cluster, namespace, run, tmp_path_factory):
    """The pods of both lanes, which came in at the same time."""
    values = tmp_path_factory.mktemp("values") / "large.json"
    values.write_text(json.dumps(LARGE))
    config = [f"--set-json={part}.config={json.dumps(SOONER)}" for part in ("nimbus", "supervisor")]
    wait = ("--wait", "--timeout", f"{SECONDS}s")
    with ThreadPoolExecutor() as side_by_side:
        ours = side_by_side.submit(
            run, "helm3", "sidelane", "install", "pipeline", "--lane", "coco-1", "-f", SMALL, *config, *wait
        )
        plain = side_by_side.submit(
            run, "helm4", "helm", "install", "pipeline-coco-2", CHARTS / "pipeline", "-f", values, *wait
        )
        ours.result(), plain.result()
    return Pods(node, cluster, namespace)


@pytest.fixture(scope="module")
def client(cluster, namespace, helm_named):
    return Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm_named("helm3"))


def ready(pods):
    return [re.sub(r"-[a-z0-9]{8,10}-[a-z0-9]{5}$", "", name) for name in pods.cluster.ready_pods(pods.namespace)]


def test_every_pod_of_both_lanes_is_ready_under_the_names_of_the_contract(pods, client):
    assert sorted(ready(pods)) == sorted(PODS)
    assert all(not container["restartCount"] for pod in pods.cluster.list(pods.path) for container in statuses(pod))
    assert {result.state for result in client.verify(lane="coco-1")} == {"unchanged"}


def statuses(pod):
    return pod["status"].get("containerStatuses", [])


@pytest.mark.parametrize(("lane", "helm"), [("coco-1", "helm3"), ("coco-2", "helm4")], scope="module")
def test_the_charts_own_tests_succeed_and_show_their_logs(pods, run, lane, helm):
    said = run(helm, "helm", "test", f"pipeline-{lane}", "--logs", "--timeout", f"{SECONDS}s")
    assert [f"POD LOGS: {part}-test-{lane}" in said for part in ("nimbus", "supervisor", "ui", "zk")] == [True] * 4
    assert "wrote and read /sidelane-test-" in said
    assert re.search(rf'"supervisors":{2 if lane == "coco-2" else 1}\b', said)


# --- ZooKeeper


def mode(pods, member):
    """A member's own mode: leader, follower, or None."""
    ask = "exec 3<>/dev/tcp/localhost/2181 && printf srvr >&3 && cat <&3"
    match = re.search(r"^Mode: (\w+)$", pods.execute(member, "zookeeper", "bash", "-c", ask).stdout, re.MULTILINE)
    return match and match[1]


CLIENT = ("zkCli.sh", "-waitforconnection", "-timeout", "40000", "-server", "localhost:2181")


def zookeeper(pods, *commands, member="zk-coco-2-0"):
    """All that a client of a member prints who gives these commands: one JVM, however many they are."""
    script = f"printf '%s\n' {' '.join(map(shlex.quote, commands))} | {' '.join(CLIENT)} 2>&1"
    return pods.execute(member, "zookeeper", "bash", "-c", script, seconds=180).stdout


def until_all_serve(pods, what):
    members = [f"zk-coco-2-{n}" for n in range(3)]
    pods.cluster.until(f"{what}: three members are ready", lambda: set(members) <= set(ready(pods)), SECONDS)
    assert sorted(mode(pods, member) for member in members) == ["follower", "follower", "leader"]
    # One client asks one after the other. It leaves the last before it connects to the next.
    addresses = [pods.cluster.get(f"{pods.path}/{member}")["status"]["podIP"] for member in members]
    said = zookeeper(pods, *(command for host in addresses for command in (f"connect {host}:2181", "get /kept")))
    # On a line of its own, or after the prompt.
    answers = re.findall(r"(?:^|\] )kept$", said, re.MULTILINE)
    assert len(answers) == len(members), f"{what}: not each member gives what was kept: {said}"


@pytest.fixture(scope="module")
def stored(pods):
    """A node of ZooKeeper that must outlive the members."""
    assert "Created /kept" in zookeeper(pods, "create /kept kept")


def uid(pods, name):
    """The identity of a pod, None while it is not there."""
    return next((p["metadata"]["uid"] for p in pods.cluster.list(pods.path) if p["metadata"]["name"] == name), None)


def delete(pods, *names, how=""):
    """Deletes pods, and waits until others of their names are there. how: the query of the request."""
    before = {name: uid(pods, name) for name in names}
    for name in names:
        pods.cluster.delete(f"{pods.path}/{name}{how}")
    for name, old in before.items():
        there = lambda name=name, old=old: uid(pods, name) not in (None, old)  # noqa: E731
        pods.cluster.until(f"another {name} is there", there, SECONDS)


@contextlib.contextmanager
def session(pods, member, path):
    """Keeps a session with a member, and gives its id; it owns an ephemeral node, and is closed at the end."""
    command = [*pods.enter(member, "zookeeper"), *CLIENT]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        ends = threading.Timer(SECONDS, process.kill)
        ends.start()
        try:
            print(f"create -e {path} here\nstat {path}", file=process.stdin, flush=True)
            own = next(filter(None, map(owner, process.stdout)), None)
            ends.cancel()
            yield own
            print("quit", file=process.stdin, flush=True)
            process.wait(SECONDS)
        finally:
            ends.cancel()
            process.kill()


def owner(stat):
    """Returns the session that owns an ephemeral node, from what `stat` prints; None if there is no such node."""
    match = re.search(r"^ephemeralOwner = (0x[0-9a-f]{2,})$", stat, re.MULTILINE)
    return match and match[1]


def test_zookeeper_and_the_session_of_a_client_outlive_the_leader(pods, stored):
    leader, other, _ = sorted((f"zk-coco-2-{n}" for n in range(3)), key=lambda name: mode(pods, name) != "leader")
    with session(pods, other, "/present") as client:
        assert client, "the session has its node"
        delete(pods, leader)
        until_all_serve(pods, "the leader was deleted")
        said = zookeeper(pods, "stat /present", member=leader)
        assert owner(said) == client, "still of its session, by the member that came back"
    said = zookeeper(pods, "stat /present", member=other)
    assert "Node does not exist: /present" in said, "it ends with its session"


def test_zookeeper_outlives_a_killed_server(pods, stored):
    before = pods.status("zk-coco-2-1", "zookeeper")["restartCount"]
    pods.kill("zk-coco-2-1", "zookeeper")
    restarts = lambda: pods.status("zk-coco-2-1", "zookeeper")["restartCount"]  # noqa: E731
    pods.cluster.until("the kubelet starts it again", lambda: restarts() > before, SECONDS)
    until_all_serve(pods, "a server was killed")


def test_zookeeper_outlives_a_rolling_restart(pods, stored):
    path = f"/apis/apps/v1/namespaces/{pods.namespace}/statefulsets/zk-coco-2"
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-11-26T00:00:00Z"}
    pods.cluster.patch(path, {"spec": {"template": {"metadata": {"annotations": restarted}}}})

    def rolled():
        stateful_set = pods.cluster.get(path)
        status = stateful_set["status"]
        seen = status["observedGeneration"] == stateful_set["metadata"]["generation"]
        return seen and status["currentRevision"] == status["updateRevision"] and status.get("readyReplicas") == 3

    pods.cluster.until("all members were restarted, one after the other", rolled, SECONDS)
    until_all_serve(pods, "a rolling restart")


def test_zookeeper_has_its_data_from_its_volumes_when_all_members_are_lost_at_once(pods, stored):
    """With nobody left to copy from. They are given no time to stop."""
    members = [f"zk-coco-2-{n}" for n in range(3)]
    delete(pods, *members, how="?gracePeriodSeconds=0")
    until_all_serve(pods, "all members were lost")


# --- Storm


def storm(pods, *arguments):
    done = pods.execute("nimbus-coco-1-0", "nimbus", "storm", *arguments, seconds=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def until_it_grows(pods):
    """Waits until tuples are acknowledged, and then more of them: a worker that starts anew counts from 0."""
    said = storm(pods, "jar", "/tmp/topology.jar", "Acknowledged", "words", str(SECONDS - 60), "growing")
    assert re.search(r"^acknowledged [1-9]", said, re.MULTILINE), said


@pytest.fixture(scope="module")
def topology(pods, tmp_path_factory, unavailable):
    if not (compiler := shutil.which("javac")):
        unavailable("no javac on PATH; install a JDK of version 17 or newer")
    java = Path(compiler).resolve().parents[1]
    programs = javatools.find() or unavailable("ZooKeeper and Storm are not here; `make tools` brings them")
    jar = storm_jar.compiled(programs, tmp_path_factory.mktemp("topology"), java)
    put = pods.execute("nimbus-coco-1-0", "nimbus", "bash", "-c", "cat >/tmp/topology.jar", given=jar.read_bytes())
    assert put.returncode == 0, put.stderr
    storm(pods, "jar", "/tmp/topology.jar", "Counting", "words", "1")


def test_a_topology_runs_and_acknowledges(pods, topology):
    until_it_grows(pods)


def test_a_topology_outlives_its_supervisor(pods, topology):
    delete(pods, "supervisor-coco-1-0")
    pods.cluster.until("the supervisor is ready", lambda: "supervisor-coco-1-0" in ready(pods), SECONDS)
    until_it_grows(pods)


def test_supervisors_are_scaled_and_nothing_else_is(pods, run, client):
    upgrade = ("upgrade", "pipeline", "--lane", "coco-1", "--reuse-values", "--wait", "--timeout", f"{SECONDS}s")
    ui = pods.cluster.get(f"/api/v1/namespaces/{pods.namespace}/services/ui-coco-1")["spec"]
    address = f"{ui['clusterIP']}:{ui['ports'][0]['port']}"
    for helm, number in (("helm3", 2), ("helm4", 1)):
        assert "upgraded" in run(helm, "sidelane", *upgrade, "--set", f"supervisor.replicas={number}", "-o", "json")
        assert sum(name.startswith("supervisor-coco-1-") for name in ready(pods)) == number
        pods.cluster.until(
            f"Nimbus knows of {number}",
            lambda number=number: pods.shown(address, "/api/v1/cluster/summary")["supervisors"] == number,
            SECONDS,
        )
    assert {result.state for result in client.verify(lane="coco-1")} == {"unchanged"}


# --- The lane without its neighbour, and elsewhere


def test_a_lane_goes_and_the_other_stays(pods, run, client):
    """Its pods are the same ones, and no container of theirs was started again."""
    label = "sidelane.dev/lane=coco-1"

    def running():
        pods_ = pods.cluster.list(f"{pods.path}?labelSelector={label}")
        return {(pod["metadata"]["uid"], container["containerID"]) for pod in pods_ for container in statuses(pod)}

    before = running()
    run("helm4", "helm", "uninstall", "pipeline-coco-2", "--wait", "--timeout", f"{SECONDS}s")
    rest = [name for name in sorted(PODS) if "coco-1" in name]
    # Helm waits for its own objects, which go before the pods that belong to them.
    pods.cluster.until("the pods of coco-2 are gone", lambda: sorted(ready(pods)) == rest, SECONDS)
    assert running() == before
    assert {result.state for result in client.verify(lane="coco-1")} == {"unchanged"}


def test_a_lane_is_replayed_into_another_namespace_beside_one_of_plain_helm(
    pods, run, client, cluster, helm_named, tmp_path
):
    bundle = tmp_path / "lane.tar.gz"
    client.bundle("coco-1", bundle)
    with new_namespace(cluster) as other, ThreadPoolExecutor() as side_by_side:
        elsewhere = Client(namespace=other, kubeconfig=cluster.kubeconfig, helm=helm_named("helm4"))
        wait = {"wait": True, "timeout": f"{SECONDS}s"}
        small = ("install", "pipeline-coco-3", CHARTS / "pipeline", "-f", SMALL, "--wait", "--timeout", f"{SECONDS}s")
        lane = ("--set", "global.Version=coco", "--set-string", "global.Build=3")
        plain = side_by_side.submit(run, "helm3", "helm", *small, *lane, within=other)
        replayed = side_by_side.submit(elsewhere.replay, bundle, **wait).result()
        plain.result()
        assert [each.change for each in replayed.releases] == ["created"]
        each = [name for name in PODS if "coco-1" in name]
        assert sorted(ready(Pods(pods.node, cluster, other))) == sorted(
            [*each, *(name.replace("coco-1", "coco-3") for name in each)]
        )
        assert {each.state for each in elsewhere.verify(lane="coco-1")} == {"unchanged"}
