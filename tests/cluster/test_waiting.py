"""Waiting that tells what for, and readiness as it is, on a real API server. The pods' states are the tests' own."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from clusters import error_in
from generated import tiny_chart
from helm_secrets import statuses
from sidelane import Client
from sidelane.errors import ApplyFailed, NotOurs, NotReady, ReleaseConflict, TimedOut

pytestmark = pytest.mark.either_helm

#: One pod that starts and does not become ready.
NEVER = {"replicas": 1, "image": {"tag": "never-ready"}}
POD = "zk-coco-1-0"
ENDED = {"exitCode": 254, "reason": "Error", "message": "ERROR could not bind\n\x1b[31mgoing\x1b[0m"}


HOOK = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  annotations: {{helm.sh/hook: post-install}}
  labels: &labels
    app: svc1-coco-1
    version: v1
    sidelane.dev/version: coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: coco-1
spec:
  suspend: true
  template:
    metadata: {{labels: *labels}}
    spec:
      restartPolicy: Never
      containers: [{{name: seed, image: "example.org/seed:1"}}]
"""


@pytest.fixture
def pods(cluster, namespace):
    return f"/api/v1/namespaces/{namespace}/pods"


@pytest.fixture
def state(cluster, pods):
    """Gives the container of a pod a state, as kubelet would, when the pod runs."""

    def give(state, *, pod=POD, ready=False, last=None, restarts=0):
        def running():
            return pod in cluster.names(pods) and cluster.get(f"{pods}/{pod}")["status"]["phase"] == "Running"

        cluster.until(f"{pod} runs", running)
        container = {
            "name": "zookeeper", "image": "i", "imageID": "", "ready": ready, "restartCount": restarts,
            "state": state, "lastState": {"terminated": last} if last else {},
        }  # fmt: skip
        conditions = [
            {"type": "PodScheduled", "status": "True"},
            *({"type": kind, "status": str(ready)} for kind in ("ContainersReady", "Ready")),
        ]
        cluster.patch(f"{pods}/{pod}/status", {"status": {"containerStatuses": [container], "conditions": conditions}})

    return give


@pytest.fixture
def ends(state):
    """Lets the container have ended, as between two of its runs: Helm 4 gives up when it waits to be run again."""

    def end(**more):
        state({"terminated": {**ENDED, "startedAt": None, "finishedAt": None}}, restarts=3, **more)

    return end


@pytest.fixture
def progress(cluster, namespace, helm):
    """A client, and all that it tells."""
    steps = []
    return Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm, progress=steps.append), steps


class Beside:
    """Work that goes on beside the test."""

    def __init__(self, work):
        self._pool = ThreadPoolExecutor(1)
        self.future = self._pool.submit(work)

    def __enter__(self):
        return self.future

    def __exit__(self, *_):
        self._pool.shutdown()


def an_event(cluster, namespace, pod, reason, message):
    metadata = cluster.get(f"/api/v1/namespaces/{namespace}/pods/{pod}")["metadata"]
    involved = {"apiVersion": "v1", "kind": "Pod", "name": pod, "namespace": namespace, "uid": metadata["uid"]}
    body = {
        "metadata": {"generateName": "e-"}, "involvedObject": involved, "type": "Warning", "count": 4,
        "reason": reason, "message": message, "lastTimestamp": "2036-01-01T00:00:00Z", "firstTimestamp": None,
    }  # fmt: skip
    cluster.create(f"/api/v1/namespaces/{namespace}/events", body)


SUMMARY = f"0 of 1 ready; {POD}: container zookeeper is terminated: Error (exit 254), 3 restarts"


@pytest.mark.parametrize("atomic", [False, True])
def test_a_wait_that_fails_says_meanwhile_and_in_its_error_what_is_not_ready(
    cluster, namespace, progress, ends, atomic
):
    client, steps = progress
    with Beside(
        lambda: client.install("zookeeper", "coco-1", values=NEVER, wait=True, timeout="9s", rollback_on_failure=atomic)
    ) as installing:
        ends()
        an_event(cluster, namespace, POD, "BackOff", "Back-off restarting failed container")
        error = installing.exception()
    assert isinstance(error, TimedOut)
    assert f"zookeeper-coco-1: {SUMMARY}" in steps
    assert f"{SUMMARY.partition(';')[0]}\n  {POD}:" in error.problem
    for words in ("is terminated: Error (exit 254), 3 restarts", "log: ERROR could not bind", "BackOff: Back-off"):
        assert words in error.problem
    assert "\x1b" not in error.problem
    (unready,) = error.to_json()["readiness"]["unready"]
    assert (unready["name"], unready["containers"][0]["exitCode"]) == (POD, 254)
    left = {release.name: release.status for release in client.list()}
    if atomic:
        assert left == {}
        assert "sidelane status" not in error.remedy
    else:
        assert left == {"zookeeper-coco-1": "failed"}
        assert "sidelane status zookeeper-coco-1" in error.remedy


@pytest.mark.parametrize("atomic", [pytest.param(False, marks=pytest.mark.both_helms), True])
def test_a_wait_of_which_nothing_can_come_is_ended(cluster, namespace, client, state, atomic):
    with Beside(
        lambda: client.install("zookeeper", "coco-1", values=NEVER, wait=True, rollback_on_failure=atomic)
    ) as installing:
        state({"waiting": {"reason": "InvalidImageName", "message": "couldn't parse image name"}})
        error = installing.exception()
    assert type(error) is NotReady, "and not TimedOut, after five minutes"
    assert "cannot become ready" in error.problem
    assert "InvalidImageName" in error.problem
    assert [release.status for release in client.list()] == ([] if atomic else ["failed"])
    sets = cluster.names(f"/apis/apps/v1/namespaces/{namespace}/statefulsets")
    assert sets == ([] if atomic else ["zk-coco-1"])


@pytest.mark.parametrize("atomic", [pytest.param(False, marks=pytest.mark.both_helms), True])
def test_a_wait_that_helm_itself_gives_up_names_the_container_all_the_same(cluster, namespace, client, state, atomic):
    """Helm 4 does, at once, when a container crashes in a loop."""
    with Beside(
        lambda: client.install("zookeeper", "coco-1", values=NEVER, wait=True, timeout="6s", rollback_on_failure=atomic)
    ) as installing:
        waits = {"reason": "CrashLoopBackOff", "message": "back-off 40s"}
        state({"waiting": waits}, last={**ENDED, "startedAt": None, "finishedAt": None}, restarts=3)
        an_event(cluster, namespace, POD, "BackOff", "Back-off restarting failed container")
        error = installing.exception()
    assert isinstance(error, NotReady)
    for words in ("CrashLoopBackOff (exit 254), 3 restarts", "log: ERROR could not bind", "BackOff: Back-off"):
        assert words in error.problem
    assert [release.status for release in client.list()] == ([] if atomic else ["failed"])


@pytest.mark.both_helms
def test_an_upgrade_that_does_not_get_ready_goes_back_and_says_why(cluster, namespace, client, ends):
    client.install("zookeeper", "coco-1", values={"replicas": 1}, wait=True)
    ends()
    with pytest.raises(TimedOut) as failed:
        client.upgrade(
            "zookeeper",
            "coco-1",
            values={"podDisruptionBudget": {"enabled": False}},
            reuse_values=True,
            timeout="5s",
            rollback_on_failure=True,
        )
    assert "Error (exit 254)" in failed.value.problem
    # Going back waits, too, and the pod is no better.
    assert "the undo failed too" in failed.value.remedy
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    assert cluster.names(budgets) == ["zk-coco-1"], "it is back"
    assert client.list()[0].status == "failed"


def test_an_upgrade_that_goes_back_to_what_is_ready_says_so(cluster, namespace, client, tmp_path):
    chart = tiny_chart(tmp_path / "tiny")
    (chart / "templates" / "hook.yaml").write_text(
        "{{ if eq (int .Values.replicas) 2 }}\n"
        + HOOK.format(name="svc1-v1-coco-1").replace("post-install", "pre-upgrade")
        + "{{ end }}\n"
    )
    client.install(chart, "coco-1", name="svc1", service_version="v1")
    with pytest.raises(NotReady) as failed:
        client.upgrade(
            chart, "coco-1", name="svc1", service_version="v1", values={"replicas": 2}, timeout="5s",
            rollback_on_failure=True,
        )  # fmt: skip
    assert failed.value.remedy == "the release was undone; fix the causes and run it again"
    assert [(release.status, release.revision) for release in client.list()] == [("deployed", 3)]


def test_a_failed_atomic_install_removes_nothing_of_anybody_else(cluster, namespace, client, plain, tmp_path):
    chart = tiny_chart(tmp_path / "tiny")
    client.install(chart, "coco-1", name="svc1", service_version="v1")
    with pytest.raises(ReleaseConflict):
        client.install(
            chart, "coco-1", name="svc1", service_version="v1", values={"text": "other"}, rollback_on_failure=True
        )
    assert [release.status for release in client.list()] == ["deployed"]
    plain("install", "svc1-v1-coco-2", chart, "--set-string", "Version=coco,Build=2,name=svc1")
    with pytest.raises(NotOurs):
        client.install(
            chart, "coco-2", name="svc1", service_version="v1", values={"text": "other"}, rollback_on_failure=True
        )
    assert len(client.list()) == 2


@pytest.mark.both_helms
def test_a_signal_undoes_an_atomic_install(cluster, namespace, sidelane):
    never = ("--set", "replicas=1,image.tag=never-ready")
    process = sidelane.begin("install", "zookeeper", "--lane", "coco-1", *never, "--atomic")
    cluster.until("Helm waits", lambda: statuses(cluster, namespace))
    process.terminate()
    _, stderr = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, stderr
    assert statuses(cluster, namespace) == {}


def test_ready_means_ready_also_for_what_is_there(client, state, ends):
    client.install("zookeeper", "coco-1", values=NEVER)
    ends()
    assert client.install("zookeeper", "coco-1", values=NEVER).change == "unchanged", "without --wait at once"
    for call in (client.install, client.upgrade):
        with pytest.raises(TimedOut, match=r"Error \(exit 254\)"):
            call("zookeeper", "coco-1", values=NEVER, wait=True, timeout="3s")
    assert client.list()[0].status == "deployed", "what is there is left as it is"
    with Beside(lambda: client.install("zookeeper", "coco-1", values=NEVER, wait=True)) as installing:
        time.sleep(1)
        assert not installing.done()
        state({"running": {}}, ready=True)
        assert installing.result().change == "unchanged"
    assert client.upgrade("zookeeper", "coco-1", values=NEVER, wait=True).change == "unchanged"


LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
releases:
  - {chart: zookeeper, values: {replicas: 1, image: {tag: never-ready}}}
  - chart: service
    name: svc1
    serviceVersion: v1
    needs: [zookeeper]
    values: {replicas: 1, image: {repository: a, tag: a}}
"""


def test_what_is_needed_and_there_has_to_be_ready(tmp_path, progress, state, ends):
    client, steps = progress
    (tmp_path / "lane.yaml").write_text(LANE)
    client.install("zookeeper", "coco-1", values=NEVER)
    ends()
    with pytest.raises(ApplyFailed) as failed:
        client.apply(tmp_path / "lane.yaml", timeout="4s")
    assert [release.name for release in client.list()] == ["zookeeper-coco-1"]
    assert isinstance(failed.value.errors["zookeeper-coco-1"], TimedOut)
    assert "Error (exit 254), 3 restarts" in failed.value.problem
    assert failed.value.to_json()["errors"]["zookeeper-coco-1"]["readiness"]["unready"][0]["name"] == POD
    assert any(SUMMARY in step for step in steps)
    state({"running": {}}, ready=True)
    changes = {each.name: each.change for each in client.apply(tmp_path / "lane.yaml", wait=True).releases}
    assert changes == {"zookeeper-coco-1": "unchanged", "svc1-v1-coco-1": "created"}


def test_a_lane_that_is_undone_is_named_with_what_was_not_ready(tmp_path, client, ends):
    (tmp_path / "lane.yaml").write_text(LANE)
    with Beside(lambda: client.apply(tmp_path / "lane.yaml", timeout="8s", atomic=True)) as applying:
        ends()
        error = applying.exception()
    assert isinstance(error, ApplyFailed)
    assert error.undone == ("zookeeper-coco-1",)
    assert "Error (exit 254), 3 restarts" in error.problem
    assert "log: ERROR could not bind" in error.problem
    assert "sidelane status" not in str(error), "it is gone"
    assert client.list() == ()


def test_a_failed_release_that_is_finished_tells_what_it_waits_for(tmp_path, progress, ends):
    client, steps = progress
    (tmp_path / "lane.yaml").write_text(LANE)
    for _ in ("created", "finished"):
        steps.clear()
        with Beside(lambda: client.apply(tmp_path / "lane.yaml", timeout="7s")) as applying:
            ends()
            error = applying.exception()
        assert "Error (exit 254), 3 restarts" in error.problem
        assert any(SUMMARY in step for step in steps)


def test_a_failed_release_that_can_not_get_ready_is_not_waited_for_again(tmp_path, client, state):
    (tmp_path / "lane.yaml").write_text(LANE)
    for _ in ("created", "finished"):
        with Beside(lambda: client.apply(tmp_path / "lane.yaml")) as applying:
            state({"waiting": {"reason": "InvalidImageName", "message": "couldn't parse image name"}})
            error = applying.exception()
        assert type(error.errors["zookeeper-coco-1"]) is NotReady, "and not TimedOut, after five minutes"
        assert {release.name: release.status for release in client.list()} == {"zookeeper-coco-1": "failed"}


def test_a_hook_is_waited_for_without_wait_and_told(progress, tmp_path):
    client, steps = progress
    chart = tiny_chart(tmp_path / "tiny")
    (chart / "templates" / "hook.yaml").write_text(HOOK.format(name="svc1-v1-coco-1"))
    with pytest.raises(TimedOut) as failed:
        client.install(chart, "coco-1", name="svc1", service_version="v1", timeout="5s")
    assert "svc1-v1-coco-1: 0 of 1 ready; Job svc1-v1-coco-1: it is not complete" in steps
    assert failed.value.readiness.unready[0].label == "Job svc1-v1-coco-1"


def test_status_and_wait_of_a_release_and_of_a_lane(sidelane, client, state, ends):
    client.install("zookeeper", "coco-1", values=NEVER)
    image = {"image": {"repository": "a", "tag": "a"}}
    client.install("service", "coco-1", name="svc1", service_version="v1", values=image, wait=True)
    ends()
    output = sidelane("status", "zookeeper", "--lane", "coco-1")
    assert "READY:     0 of 1 ready" in output.stdout
    assert "container zookeeper is terminated: Error (exit 254), 3 restarts" in output.stdout
    lane = sidelane("status", "--lane", "coco-1")
    assert max(map(len, lane.stdout.splitlines()[:3])) <= 80
    assert lane.stdout.splitlines()[0].split() == ["RELEASE", "STATUS", "CHART", "READY"]
    assert "zookeeper-coco-1  deployed  zookeeper-0.1.0  0 of 1 ready" in lane.stdout
    report = sidelane.json("status", "--lane", "coco-1")
    assert {each["name"]: each["readiness"]["complete"] for each in report["releases"]} == {
        "svc1-v1-coco-1": True, "zookeeper-coco-1": False,
    }  # fmt: skip
    assert report["readiness"]["unready"][0]["containers"][0]["restarts"] == 3
    assert client.status(lane="coco-1").readiness.counted == ready_count(report)
    for named in (["zookeeper-coco-1"], ["--lane", "coco-1"]):
        late = sidelane("wait", *named, "--timeout", "3s", "-o", "json", code=3)
        error = error_in(late.stderr)
        assert (error["error"], error["readiness"]["unready"][0]["name"]) == ("TimedOut", POD)
    sidelane("wait", "svc1-v1-coco-1")
    state({"running": {}}, ready=True)
    done = sidelane("wait", "--lane", "coco-1")
    assert done.stdout == f"{client.wait(lane='coco-1').counted}\n"


def ready_count(status):
    return f"{status['readiness']['ready']} of {status['readiness']['wanted']} ready"


def test_off_a_terminal_a_line_is_written_when_something_changes(sidelane, ends):
    def later():
        time.sleep(3)
        ends()

    thread = threading.Thread(target=later)
    thread.start()
    values = ("--set", "replicas=1", "--set", "image.tag=never-ready")
    failed = sidelane("install", "zookeeper", "--lane", "coco-1", *values, "--wait", "--timeout", "12s", code=3)
    thread.join()
    lines = [line for line in failed.stderr.splitlines() if line.startswith("zookeeper-coco-1: 0 of 1 ready; ")]
    causes = [line.partition(": container zookeeper ")[2].rpartition(" (")[0] for line in lines]
    assert causes[-1] == "is terminated: Error (exit 254), 3 restarts"
    assert len(causes) == len(set(causes)), "and each state once"


def test_pods_that_have_still_to_end_and_claims_are_told_while_a_lane_is_retired(cluster, namespace, progress, pods):
    client, steps = progress
    client.install("zookeeper", "coco-1", values={"replicas": 1}, wait=True)
    cluster.patch(f"{pods}/{POD}", {"metadata": {"finalizers": ["sidelane.dev/held"]}})
    with Beside(lambda: client.retire("coco-1", delete_claims=True)) as retiring:
        waits = "deleting claims: 1 pod is still terminating: zk-coco-1-0; 1 claim left: data-zk-coco-1-0"
        cluster.until("it is told", lambda: waits in steps or retiring.done(), seconds=60)
        cluster.patch(f"{pods}/{POD}", {"metadata": {"finalizers": None}})
        assert retiring.result().claims == ("data-zk-coco-1-0",)
    assert waits in steps


@pytest.fixture
def counted(helm, tmp_path):
    """A helm that writes down when it reads what is waited for."""
    log, script = tmp_path / "readings", tmp_path / "helm"
    log.touch()
    script.write_text(f'#!/bin/sh\ncase "$*" in *_waiting*) date +%s.%N >> {log};; esac\nexec {helm} "$@"\n')
    script.chmod(0o755)
    return script, lambda: [float(line) for line in log.read_text().split()]


def test_one_reading_each_two_seconds_for_all_and_none_where_nothing_waits(cluster, namespace, counted, tmp_path):
    helm, readings = counted
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    client.install("zookeeper", "coco-1", values=NEVER)
    client.uninstall("zookeeper-coco-1")
    assert readings() == []
    parts = "".join(
        f"  - {{chart: service, name: svc{i}, serviceVersion: v1, values: "
        f"{{image: {{repository: a, tag: never-ready}}, replicas: 1}}}}\n"
        for i in range(2)
    )
    (tmp_path / "lane.yaml").write_text(LANE.partition("  - ")[0] + parts)
    with pytest.raises(ApplyFailed) as failed:
        client.apply(tmp_path / "lane.yaml", wait=True, timeout="8s")
    assert len(failed.value.errors) == 2
    times = readings()
    assert len(times) >= 3
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 1.5


def test_an_install_that_does_not_wait_imports_nothing_for_it(cluster, namespace, helm):
    program = (
        "import sys\nfrom sidelane import Client\n"
        "client = Client(kubeconfig=sys.argv[1], namespace=sys.argv[2], helm=sys.argv[3])\n"
        "client.install('zookeeper', 'coco-1', values={'replicas': 1})\nprint(*sys.modules)"
    )
    command = [sys.executable, "-c", program, cluster.kubeconfig, namespace, helm]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "sidelane.releases.stores.cluster" in modules
    assert not {
        "sidelane.releases.readiness",
        "sidelane.releases.waiting",
        "sidelane.releases.stores.waits",
        "kubernetes",
    } & set(modules)


def test_what_can_not_be_read_fails_nothing_else(cluster, namespace, helm, state):
    """Somebody who may install, and may not list events."""
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    client.install("zookeeper", "coco-1", values=NEVER)
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    cluster.create(account, {"metadata": {"name": "reader"}})
    rules = [
        {"apiGroups": ["", "apps", "policy"], "resources": [f"{kind}s" for kind in kinds], "verbs": ["get", "list"]}
        for kinds in [
            ("pod", "statefulset", "secret", "service", "configmap", "serviceaccount", "persistentvolumeclaim",
             "poddisruptionbudget", "replicaset", "deployment"),
        ]
    ]  # fmt: skip
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    cluster.create(f"{rbac}/roles", {"metadata": {"name": "reader"}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": namespace}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    cluster.create(f"{rbac}/rolebindings", {"metadata": {"name": "reader"}, "roleRef": ref, "subjects": [subject]})
    answer = cluster.create(f"{account}/reader/token", {"spec": {}})
    token = answer["status"]["token"]
    state({"running": {}})
    limited = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm, kube_token=token)
    ready = limited.status("zookeeper-coco-1").readiness
    assert "events can't be read: the API server refused" in ready.note
    assert ready.unready[0].containers[0].log_problem == "the log can't be read: the API server refused it"
    assert ready.counted == "0 of 1 ready"
