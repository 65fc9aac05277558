"""The chart `service` under a real kubelet, kube-proxy and DNS: one release with nearly all that it can do."""

import itertools
import json
import re
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from clusters import new_namespace
from sidelane import Client

from node.pods import Pods, address

LANE = "2-coco-1"
NAME = f"svc1-v1-{LANE}"
VALUES = yaml.safe_load((Path(__file__).parent / "service.yaml").read_text())
PASSWORD = "pa$$: 'w'"
HEADLESS = {
    "image": VALUES["image"],
    "service": {"headless": True},
    "ports": [{"name": "http", "port": 8080, "containerPort": 8080}],
    "drainSeconds": 0,
    "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
}
pytestmark = pytest.mark.either_helm(shared=True)


@pytest.fixture(scope="module")
def space(cluster, helm):
    """A namespace with svc1, a headless svc2 and the stable name of svc1, all ready."""
    with new_namespace(cluster) as name:
        path = f"/api/v1/namespaces/{name}"
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
        cluster.create(f"{path}/persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": claim})
        cluster.create(f"{path}/secrets", {"metadata": {"name": "orders"}, "stringData": {"password": PASSWORD}})
        cluster.create(f"{path}/configmaps", {"metadata": {"name": "regions"}, "data": {"level": "info"}})
        client = Client(namespace=name, kubeconfig=cluster.kubeconfig, helm=helm)
        client.install("service", LANE, name="svc2", service_version="v1", values=HEADLESS)
        client.install("service", LANE, values=VALUES, wait=True, timeout="3m")
        client.routes.set("svc1", LANE, {"v1": 1})
        yield name


@pytest.fixture
def pods(node, cluster, space):
    return Pods(node, cluster, space)


@pytest.fixture
def pod(pods):
    """One of the service's two pods."""
    return ready(pods, NAME)[0]


def ready(pods, name, number=2):
    """A release's pods, once there are so many and all are ready."""

    def those_there():
        there = pods.of(name)
        names = {pod["metadata"]["name"] for pod in there}
        return there if len(there) == number and names <= set(pods.cluster.ready_pods(pods.namespace)) else None

    return pods.cluster.until(f"{number} pods of {name} are ready", those_there, 60)


def restarts(pod):
    status = pod["status"]
    return {
        initContainerStatuse["name"]: initContainerStatuse["restartCount"]
        for initContainerStatuse in status["containerStatuses"] + status["initContainerStatuses"]
    }


def led_to(pods, service=NAME):
    """The addresses that a Service leads to: whose pods take requests."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{pods.namespace}/endpointslices"
    slices = pods.cluster.list(f"{path}?labelSelector=kubernetes.io/service-name={service}")
    ends = [end for item in slices for end in item["endpoints"] or [] if end["conditions"]["ready"]]
    return {address for end in ends for address in end["addresses"]}


def cluster_address(pods, service):
    return pods.cluster.get(f"/api/v1/namespaces/{pods.namespace}/services/{service}")["spec"]["clusterIP"]


def lines(pods, how, host):
    """The answer of port 9000, asked from the node by `tcp` or `udp`."""
    script = f"exec 3<>/dev/{how}/{host}/9000 && echo hello >&3 && timeout 5 head -n1 <&3"
    return pods.node.run("bash", "-c", script, capture_output=True).stdout


def test_containers_start_in_their_order_and_no_probe_asks_too_early(pods, pod):
    """A liveness probe that was asked before the startup probe was content would have restarted the container."""
    assert restarts(pod) == dict.fromkeys(("prepare", "early", "svc1", "tells", "silent"), 0)
    where = address(pod)
    assert pods.shown(where, "/file", path="/cache/prepared")["content"] == f"svc1 of {LANE}\n"
    assert pods.shown(where, "/file", path="/cache/early")["content"] == "not there\n", (
        "the program, when `early` began"
    )
    assert pods.shown(where, "/file", path="/cache/post-start")["content"] == f"{LANE}\n"
    (began,) = [
        containerStatuse["state"]
        for containerStatuse in pod["status"]["containerStatuses"]
        if containerStatuse["name"] == "svc1"
    ]
    (became,) = [
        condition["lastTransitionTime"] for condition in pod["status"]["conditions"] if condition["type"] == "Ready"
    ]
    waited = datetime.fromisoformat(became) - datetime.fromisoformat(began["running"]["startedAt"])
    assert waited.total_seconds() >= 3, "as long as `early` takes to let the startup probe through"


def test_the_program_is_told_what_the_chart_says(pods, pod):
    shown = pods.shown(address(pod))
    assert shown["arguments"] == ["--lane", LANE]
    assert (shown["user"], sorted(shown["groups"])) == (2000, [2000, 3000, 4000])
    environment = shown["environment"]
    expected = {
        "SIDELANE_VERSION": "2-coco",
        "SIDELANE_BUILD": "1",
        "SIDELANE_LANE": LANE,
        "SIDELANE_SERVICE": "svc1",
        "SIDELANE_SERVICE_VERSION": "v1",
        "SIDELANE_ZOOKEEPER": f"zk-cs-{LANE}:2181",
        "SVC1_URL": f"http://svc1-{LANE}",
        "SVC2_URL": f"http://svc2-v1-{LANE}:8080",
        "AUDIT_URL": f"http://audit-{LANE}",
        "PASSWORD": PASSWORD,
        "ORDERS_password": PASSWORD,
        "LOG_LEVEL": "info",
        "POD_NAME": pod["metadata"]["name"],
        "POD_ADDRESS": pod["status"]["podIP"],
        "NODE_NAME": "node-1",
        "MEMORY_LIMIT": str(96 << 20),
    }
    assert {name: environment.get(name) for name in expected} == expected
    assert [name for name in environment if name.startswith("SVC") and not name.endswith("_URL")] == [], (
        "no links to Services"
    )


def test_files_are_where_the_chart_puts_them(pods, pod):
    where = address(pod)

    def file(path):
        return pods.shown(where, "/file", path=path)

    config = VALUES["config"]["files"]
    for name, content in config.items():
        assert file(f"/etc/svc1/{name}") == {"content": content, "mode": "0o644", "group": 3000}
    assert file("/secrets/password") == {"content": PASSWORD, "mode": "0o644", "group": 3000}
    assert file("/regions/level")["content"] == file("/about/region/level")["content"] == "info"
    labels = dict(line.split("=") for line in file("/about/labels")["content"].splitlines())
    assert labels["sidelane.dev/lane"] == f'"{LANE}"'
    assert file("/about/token")["content"].count(".") == 2
    assert "404" in pods.node.run(  # no token of the API server's that nobody asked for
        *("curl", "-s", "-o/dev/null", "-w%{http_code}", f"http://{where}/file?path=/run/secrets/kubernetes.io"),
        capture_output=True,
    ).stdout  # fmt: skip


def test_only_what_is_meant_to_be_written_can_be(pods, pod):
    name = pod["metadata"]["name"]

    def write(path, container="svc1"):
        done = pods.execute(name, container, "bash", "-c", f"echo it >{path} && stat -c '%u %g' {path} && rm {path}")
        refused = re.search(r"(Read-only file system|Permission denied)", done.stderr)
        return done.stdout.strip() or (refused[0] if refused else f"exit {done.returncode}: {done.stderr}")

    assert {path: write(f"{path}/it") for path in ("/app", "/", "/etc/svc1", "/secrets", "/about", "/var/tmp")} == (
        dict.fromkeys(("/app", "/", "/etc/svc1", "/secrets", "/about", "/var/tmp"), "Read-only file system")
    )
    # What the group fsGroup owns hands it on; a tmpfs does, too.
    assert {path: write(f"{path}/it") for path in ("/tmp", "/cache", "/data")} == (
        dict.fromkeys(("/tmp", "/cache", "/data"), "2000 3000")
    )
    assert write("/it", "tells") == "Read-only file system"
    assert pods.execute(name, "tells", "id", "-u").stdout == "2001\n"
    # /tmp is in memory, and holds no more than it says.
    assert pods.execute(name, "svc1", "stat", "-fc", "%T %b %S", "/tmp").stdout == f"tmpfs {(16 << 20) // 4096} 4096\n"


def test_limits_are_the_kernels(pods, pod):
    name = pod["metadata"]["name"]
    script = (
        "cd /sys/fs/cgroup; if [ -e memory.max ]; then cat memory.max cpu.max; "
        "else cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us; fi"
    )
    assert pods.execute(name, "svc1", "sh", "-c", script).stdout.split() == [str(96 << 20), "50000", "100000"]
    assert pods.execute(name, "tells", "sh", "-c", script).stdout.split()[0] == str(64 << 20)


def test_tcp_and_udp_share_a_port_of_the_service(pods, pod):
    host = cluster_address(pods, NAME)
    assert [lines(pods, how, host) for how in ("tcp", "udp")] == ["tcp 1.4.0\n", "udp 1.4.0\n"]
    assert lines(pods, "udp", pod["status"]["podIP"]) == "udp 1.4.0\n"


def test_neighbours_are_found_by_their_names(pods, pod):
    """The stable name leads here, to this very pod among others: through its own Service, too."""
    where = address(pod)
    names = {name["metadata"]["name"] for name in ready(pods, NAME)}
    answers = {pods.ask(where, "/fetch", url=f"http://svc1-{LANE}") for _ in range(30)}
    assert answers == {f"1.4.0 {name}\n" for name in names}
    assert json.loads(pods.ask(where, "/fetch", url=f"http://svc2-v1-{LANE}:8080/shown"))["version"] == "1.4.0"


def test_a_headless_service_gives_the_addresses_of_its_pods(pods, pod):
    others = ready(pods, f"svc2-v1-{LANE}")
    script = "import json, socket, sys; print(json.dumps(socket.gethostbyname_ex(sys.argv[1])[2]))"
    ask = ("python3", "-c", script, f"svc2-v1-{LANE}")
    pods_ = json.loads(pods.execute(pod["metadata"]["name"], "svc1", *ask).stdout)
    assert sorted(pods_) == sorted(other["status"]["podIP"] for other in others)
    assert cluster_address(pods, f"svc2-v1-{LANE}") == "None"
    for other in others:
        assert pods.ask(address(other), "/") == f"1.4.0 {other['metadata']['name']}\n"


def test_helm_test_succeeds_and_shows_its_log(pods, helm_named):
    """Under both Helms, whichever has installed the releases."""
    shown = {NAME: f"{NAME}:80/ready: ok", f"svc2-v1-{LANE}": f"svc2-v1-{LANE}:8080: ok"}
    for helm, (release, line) in itertools.product(("helm3", "helm4"), shown.items()):
        place = ("-n", pods.namespace, "--kubeconfig", pods.cluster.kubeconfig)
        command = [helm_named(helm), "test", release, "--logs", *place]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, line in done.stdout) == (0, True), f"{helm}: {done.stdout}{done.stderr}"


def test_a_pod_that_is_not_ready_gets_no_requests_until_it_is_again(pods, pod):
    name, other = pod["metadata"]["name"], ready(pods, NAME)[1]
    both = {pod["status"]["podIP"], other["status"]["podIP"]}
    assert led_to(pods) == both
    assert pods.execute(name, "svc1", "touch", "/tmp/unready").returncode == 0
    pods.cluster.until("it takes no requests", lambda: led_to(pods) == both - {pod["status"]["podIP"]})
    host = cluster_address(pods, NAME)
    answer = f"1.4.0 {other['metadata']['name']}\n"
    pods.cluster.until("kube-proxy has learned of it", lambda: {pods.ask(host, "/") for _ in range(10)} == {answer})
    assert pods.execute(name, "svc1", "rm", "/tmp/unready").returncode == 0
    pods.cluster.until("it takes requests again", lambda: led_to(pods) == both)
    assert restarts(ready(pods, NAME)[0]) == restarts(pod), "it was not restarted for that"


def test_what_fails_is_restarted_and_leaves_its_last_words(pods, pod):
    name = pod["metadata"]["name"]
    before = pods.shown(address(pod))["started"]
    assert pods.execute(name, "svc1", "touch", "/tmp/broken").returncode == 0
    for container in ("tells", "silent"):
        pods.execute(name, container, "kill", "-USR1", "1")  # which may end together with the container

    def again(container):
        status = pods.status(name, container)
        more = status["restartCount"] - restarts(pod)[container]
        return more == 1 and status["ready"] and status["lastState"]["terminated"]

    ended = {
        container: pods.cluster.until(f"{container} runs again", lambda container=container: again(container), 60)
        for container in ("svc1", "tells", "silent")
    }
    assert {container: state["exitCode"] for container, state in ended.items()} == {"svc1": 0, "tells": 7, "silent": 7}
    assert ended["tells"]["message"] == "the last line\n"
    assert "message" not in ended["silent"], "it has chosen a file, and writes none"
    assert pods.shown(address(pod))["started"] > before
    assert pods.shown(address(pod), "/file", path="/cache/prepared")["content"], "volumes outlive the container"


def test_a_pod_that_is_deleted_finishes_what_it_has_begun(pods, pod):
    """It serves while it drains, then gets its signal, answers the request that runs, and only then do sidecars go."""
    name, where = pod["metadata"]["name"], address(pod)
    slow = subprocess.Popen(
        [*pods.node.enter(), "curl", "-sS", "--fail", f"-m{30}", f"http://{where}/slow?seconds=10"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with slow:
        time.sleep(0.5)  # so that the request is there; the pod goes on for seconds in any case
        began = time.monotonic()
        pods.cluster.delete(f"{pods.path}/{name}")
        pods.cluster.until("no new requests are led to it", lambda: pod["status"]["podIP"] not in led_to(pods))
        assert pods.ask(where, "/") == f"1.4.0 {name}\n", "it goes on serving who has not learned of it"
        pods.cluster.until("it gets its signal", lambda: "told to end" in pods.log(name, "svc1"))
        assert time.monotonic() - began >= VALUES["drainSeconds"]
        assert slow.poll() is None, "the request still runs"
        assert slow.communicate(timeout=30)[0] == f"1.4.0 {name}\n"
    assert slow.returncode == 0
    pods.cluster.until("it is gone", lambda: name not in pods.cluster.names(pods.path), 60)
    said = pods.shown(address(ready(pods, NAME)[0]), "/file", path=f"/data/{name}")["content"]
    assert said == "ended\n", "of the program, when its native sidecar was told to end"
