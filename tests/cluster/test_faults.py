"""A whole lane on a real API server while things go wrong: the next run converges, nothing is orphaned or doubled.

`make soak` plays the kills and races a hundred times under both Helms, and kills a whole pipeline. The moments are
drawn with fixed seeds.
"""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from types import SimpleNamespace

import pykube
import pytest
from command_line import CommandLine
from controlplane import ControlPlane
from generated import tiny_chart
from helm_secrets import revisions, statuses
from killing import descendants, kill
from sidelane import Client
from sidelane.errors import ApplyFailed, ReleaseConflict, TargetBusy

KILLS = int(os.environ.get("SIDELANE_SOAK_KILLS", "4")) // 2
INSTALLS = int(os.environ.get("SIDELANE_SOAK_KILLED_INSTALLS", "6")) // 2
RACES = int(os.environ.get("SIDELANE_SOAK_RACES", "4")) // 2

#: What is killed: ZooKeeper, or in `make soak` a pipeline, a service that needs it, and one that does not.
FIRST = "pipeline" if "SIDELANE_SOAK_KILLS" in os.environ else "zookeeper"
VALUES = {
    "zookeeper": "{replicas: 1}",
    "pipeline": "{global: {nimbus: {replicas: 1}}, zookeeper: {replicas: 1}, supervisor: {replicas: 1}}",
}
KILLED = f"""\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {{Version: coco, Build: "1"}}
releases:
  - {{chart: {FIRST}, values: {VALUES[FIRST]}}}
  - chart: service
    name: svc1
    serviceVersion: v1
    needs: [{FIRST}]
    values: &svc {{image: {{repository: a, tag: a}}, replicas: 1}}
  - {{chart: service, name: svc3, serviceVersion: v1, values: *svc}}
"""


def raced(members, numbers):
    """A file that one of two runs brings at once. Each begins with another release, so that the two can mix."""
    beside = "".join(
        f"  - {{chart: ./tiny, name: svc{number}, serviceVersion: v1, values: {{text: of-{members}}}}}\n"
        for number in numbers
    )
    return f"""\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {{Version: coco, Build: "1"}}
releases:
{beside}  - {{chart: zookeeper, values: {{replicas: {members}}}}}
  - {{chart: ./tiny, name: svc1, serviceVersion: v1, needs: [zookeeper], values: {{text: of-{members}}}}}
"""


#: What is killed while it is installed alone.
INSTALLED = ("--name", "svc1", "--set", "image.repository=a,image.tag=a,replicas=1")
INSTALLED += ("--set", "config.files.a=b,networkPolicy.enabled=true")
SUBJECTS = [FIRST, "svc1-v1", "svc3-v1"]
KINDS = (
    *("/api/v1/services", "/api/v1/configmaps", "/api/v1/serviceaccounts", "/apis/policy/v1/poddisruptionbudgets"),
    *("/apis/apps/v1/statefulsets", "/apis/apps/v1/deployments"),
)

#: What single faults are held against, where a release that never gets ready is enough.
LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
releases:
  - {chart: zookeeper, values: {replicas: 1}}
  - {chart: ./tiny, name: svc1, serviceVersion: v1, needs: [zookeeper]}
  - {chart: ./tiny, name: svc2, serviceVersion: v1, needs: [zookeeper, svc1-v1]}
  - {chart: ./tiny, name: svc3, serviceVersion: v1}
"""
#: The same with a ZooKeeper that never gets ready, and that ZooKeeper alone.
WAITING = LANE.replace("replicas: 1", "replicas: 1, image: {tag: never-ready}")
ALONE = WAITING.partition("  - {chart: ./tiny")[0]


@pytest.fixture
def file(tmp_path):
    tiny_chart(tmp_path / "git" / "tiny")
    (tmp_path / "git" / "lane.yaml").write_text(LANE)
    return tmp_path / "git" / "lane.yaml"


@pytest.fixture
def lane(cluster, namespace, helm, file, tmp_path):
    return Lane(cluster, cluster.kubeconfig, namespace, helm, file, tmp_path)


class Lane:
    """The file's lane on a cluster, by processes of their own."""

    def __init__(self, cluster, kubeconfig, namespace, helm, file, folder):
        self.cluster, self.namespace, self.file = cluster, namespace, file
        self.client = Client(namespace=namespace, kubeconfig=kubeconfig, helm=helm)
        self.sidelane = CommandLine(folder, helm, place=("-n", namespace, "-o", "json"), KUBECONFIG=kubeconfig)

    def begin(self, build, *arguments, file=None, verb="apply", **environment):
        what = [file or self.file, "--build", str(build)] if verb == "apply" else ["--lane", f"coco-{build}"]
        what = ["service", *what, *INSTALLED] if verb == "install" else what
        return self.sidelane.begin(verb, *what, *arguments, **environment)

    def apply(self, build, *arguments):
        process = self.begin(build, *arguments)
        stdout, stderr = process.communicate()
        assert process.returncode == 0, stderr
        return {release["name"]: release["change"] for release in json.loads(stdout)["releases"]}

    def statuses(self, build=1):
        """The status of each release of the lane, by its subject."""
        lane, there = f"-coco-{build}", statuses(self.cluster, self.namespace)
        return {name.removesuffix(lane): status for name, status in there.items() if name.endswith(lane)}

    def status(self, subject, build=1):
        return self.statuses(build).get(subject)

    def until_written(self, subject, build, process):
        """Returns when Helm has written the release, and makes its objects, or when the process has ended."""
        which = self.cluster, self.namespace, f"{subject}-coco-{build}"
        self.cluster.until("Helm has begun", lambda: process.poll() is not None or revisions(*which), seconds=60)

    def objects(self, build):
        """The lane's objects by kind and name, the name without its lane."""
        objects = self.cluster.labelled(self.namespace, f"sidelane.dev/lane=coco-{build}", KINDS)
        return sorted((kind, name.removesuffix(f"-coco-{build}")) for kind, name in objects)

    def assert_whole(self, build, expected):
        assert self.statuses(build) == dict.fromkeys(SUBJECTS, "deployed")
        assert {step.action for step in self.client.plan(self.file, build=build).steps} == {"unchanged"}
        assert self.objects(build) == expected

    def assert_goes(self, build):
        """The lane goes as a whole, and makes room on the nodes."""
        self.client.retire(f"coco-{build}", delete_claims=True)
        assert (self.statuses(build), self.objects(build)) == ({}, [])


@pytest.mark.either_helm
def test_a_run_that_is_killed_at_any_moment_is_taken_up_by_the_next(lane, record_property):
    moments = random.Random(20261124)
    lane.file.write_text(KILLED)
    begun = time.monotonic()
    lane.apply(0)
    whole, expected = time.monotonic() - begun, lane.objects(0)
    left = Counter()
    for build in range(1, KILLS + 1):
        process = lane.begin(build)
        time.sleep(moments.uniform(0.1, 1) * whole)
        # The caller alone, whose Helms the kernel then asks to end, or all at once, as when a machine goes.
        kill([process.pid] if moments.random() < 0.5 else descendants(process.pid))
        process.communicate()
        left.update(lane.statuses(build).values())
        changes = lane.apply(build)
        assert set(changes.values()) <= {"created", "unchanged", "finished"}
        lane.assert_whole(build, expected)
        lane.assert_goes(build)
    record_property("releases left by the kills, by their status", dict(left))
    lane.assert_whole(0, expected)


@pytest.mark.either_helm
def test_an_install_that_is_killed_at_any_moment_is_finished_by_the_same_command(lane, record_property):
    moments = random.Random(20261127)

    def installed(build):
        begun = time.monotonic()
        process = lane.begin(build, verb="install")
        stdout, stderr = process.communicate()
        assert process.returncode == 0, stderr
        return json.loads(stdout), time.monotonic() - begun

    _, whole = installed(0)
    expected, left = lane.objects(0), Counter()
    for build in range(1, INSTALLS + 1):
        process = lane.begin(build, *(["--wait"] if moments.random() < 0.3 else []), verb="install")
        if moments.random() < 0.3:
            time.sleep(moments.uniform(0.3, 1) * whole)
        else:  # in the middle of Helm's work, which is a small part of the whole
            lane.until_written("svc1-v1", build, process)
            time.sleep(moments.uniform(0, 0.15) * whole)
        # The caller alone, whose Helm the kernel asks to end, which marks its release as failed; or all at once.
        kill([process.pid] if moments.random() < 0.7 else descendants(process.pid))
        process.communicate()
        left[lane.status("svc1-v1", build)] += 1
        again, _ = installed(build)
        assert (again["status"], again["change"] in {"created", "unchanged", "finished"}) == ("deployed", True)
        assert lane.objects(build) == expected
        assert [result.state for result in lane.client.verify(lane=f"coco-{build}")] == ["unchanged"]
    assert INSTALLS < 50 or set(left) - {None, "deployed"}, "no kill met Helm at work"
    record_property("releases left by the kills, by their status", dict(left))


def test_a_release_that_a_killed_install_left_failed_is_finished(lane):
    """The very case, which a random moment may miss: the kernel tells the Helm of a dead caller to end, and it does."""
    never = ("--set", "image.tag=never-ready")
    process = lane.begin(1, *never, "--wait", verb="install")
    lane.cluster.until("Helm waits", lambda: lane.status("svc1-v1") == "pending-install")
    os.kill(process.pid, signal.SIGSTOP)  # with a dead one Helm's words go nowhere, and it may end before its work
    for helm in descendants(process.pid)[1:]:
        os.kill(helm, signal.SIGTERM)
    lane.cluster.until("its Helm has marked it", lambda: lane.status("svc1-v1") == "failed")
    kill(descendants(process.pid))
    process.communicate()
    again = lane.begin(1, *never, verb="install")
    stdout, stderr = again.communicate()
    assert again.returncode == 0, stderr
    assert (json.loads(stdout)["change"], lane.status("svc1-v1")) == ("finished", "deployed")


@pytest.mark.either_helm
def test_a_failed_release_whose_objects_are_anothers_is_not_finished(lane, cluster, namespace):
    never = ("--set", "image.tag=never-ready")
    process = lane.begin(1, *never, "--wait", "--timeout", "2s", verb="install")
    process.communicate()
    assert lane.status("svc1-v1") == "failed"
    service = f"/api/v1/namespaces/{namespace}/services/svc1-v1-coco-1"
    cluster.patch(service, {"metadata": {"annotations": {"meta.helm.sh/release-name": "other"}}})
    before = cluster.get(service)
    again = lane.begin(1, *never, verb="install")
    _, stderr = again.communicate()
    assert "Service svc1-v1-coco-1 belongs to the release other" in stderr
    assert (again.returncode, lane.status("svc1-v1"), cluster.get(service)) == (1, "failed", before)


def test_a_release_that_a_dead_helm_left_pending_is_finished(lane, monkeypatch):
    """The very case, which a random moment may miss: everything is killed while Helm waits."""
    monkeypatch.setattr("sidelane.releases.installing.PATIENCE", 1.0)
    lane.file.write_text(ALONE)
    process = lane.begin(1, "--wait")
    lane.cluster.until("Helm waits", lambda: lane.status("zookeeper") == "pending-install")
    with pytest.raises(TargetBusy, match="another process is working on zookeeper-coco-1"):
        lane.client.install("zookeeper", "coco-1", values={"replicas": 1, "image": {"tag": "never-ready"}})
    assert lane.status("zookeeper") == "pending-install"
    kill(descendants(process.pid))
    process.communicate()
    assert lane.status("zookeeper") == "pending-install"
    finished = lane.client.install("zookeeper", "coco-1", values={"replicas": 1, "image": {"tag": "never-ready"}})
    assert (finished.change, finished.status, finished.revision) == ("finished", "deployed", 2)
    again = lane.client.install("zookeeper", "coco-1", values={"replicas": 1, "image": {"tag": "never-ready"}})
    assert again.change == "unchanged"


@pytest.mark.either_helm
def test_on_another_machine_a_pending_release_is_left_alone_until_its_deadline(lane, monkeypatch, tmp_path):
    lane.file.write_text(ALONE)
    process = lane.begin(1, "--wait", XDG_RUNTIME_DIR=str(tmp_path / "elsewhere"))
    lane.cluster.until("Helm waits", lambda: lane.status("zookeeper") == "pending-install")
    kill(descendants(process.pid))
    process.communicate()
    monkeypatch.setattr("sidelane.lanes.deployment.planning.PATIENCE", 1.0)
    (refused, *_) = lane.client.plan(lane.file).refused
    assert "another process is working on it" in refused.why[0]
    later = SimpleNamespace(time=lambda: time.time() + 3600)
    monkeypatch.setattr("sidelane.releases.stores.leases.time", later)
    assert lane.client.plan(lane.file).steps[0].action == "finish"


@pytest.mark.either_helm
def test_of_two_runs_that_bring_a_lane_at_once_one_wins(lane, tmp_path):
    lane.file.write_text(raced(1, [2, 3, 4, 5]))
    others = tmp_path / "git" / "others.yaml"
    others.write_text(raced(3, [5, 4, 3, 2]))
    moments = random.Random(20261125)
    for build in range(1, RACES + 1):
        racers = {"one": lane.begin(build, "--parallel", "2"), "other": None}
        time.sleep(moments.uniform(0, 0.1))
        racers["other"] = lane.begin(build, "--parallel", "2", file=others)
        said = {name: process.communicate() for name, process in racers.items()}
        codes = {name: process.returncode for name, process in racers.items()}
        assert sorted(codes.values()) == [0, 1], (codes, said)
        winner = next(name for name, code in codes.items() if code == 0)
        changes = {release["change"] for release in json.loads(said[winner][0])["releases"]}
        assert changes <= {"created", "unchanged"}
        wins = lane.client.plan(lane.file if winner == "one" else others, build=build)
        assert {step.action for step in wins.steps} == {"unchanged"}, "the whole lane is the winner's"
        replicas = lane.cluster.get(f"/apis/apps/v1/namespaces/{lane.namespace}/statefulsets/zk-coco-{build}")["spec"]
        assert replicas["replicas"] == {"one": 1, "other": 3}[winner]
        assert set(lane.statuses(build).values()) == {"deployed"}


@pytest.mark.either_helm
def test_atomic_removes_what_this_run_made_and_nothing_else(lane):
    lane.client.install(lane.file.parent / "tiny", "coco-1", name="svc3", service_version="v1")
    lane.file.write_text(WAITING)
    with pytest.raises(ApplyFailed) as failed:
        lane.client.apply(lane.file, timeout="3s", atomic=True)
    assert failed.value.undone == ("zookeeper-coco-1",)
    assert lane.statuses() == {"svc3-v1": "deployed"}
    assert {name for _, name in lane.objects(1)} == {"svc3-v1", "record-svc3-v1"}


@pytest.mark.either_helm
def test_a_run_that_is_told_to_stop_removes_what_it_made_when_it_is_atomic(lane):
    lane.file.write_text(WAITING)
    process = lane.begin(1, "--atomic")
    lane.cluster.until("Helm waits", lambda: len(lane.statuses()) == 2)
    process.terminate()
    _, stderr = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, stderr
    assert lane.statuses() == {}


@pytest.mark.either_helm
def test_scaling_that_was_killed_is_finished(lane):
    lane.apply(1)
    lane.file.write_text(LANE.replace("replicas: 1", "replicas: 1, podDisruptionBudget: {enabled: false}"))
    process = lane.begin(1)
    while process.poll() is None:
        if lane.status("zookeeper") == "pending-upgrade":
            kill(descendants(process.pid))
        time.sleep(0.02)  # it needs the processors, too
    process.communicate()
    assert set(lane.apply(1).values()) <= {"unchanged", "upgraded", "finished"}
    budgets = f"/apis/policy/v1/namespaces/{lane.namespace}/poddisruptionbudgets"
    assert lane.cluster.names(budgets) == []
    assert {step.action for step in lane.client.plan(lane.file).steps} == {"unchanged"}


@pytest.mark.either_helm
def test_a_retirement_that_is_killed_at_any_moment_is_taken_up_by_the_next(lane):
    moments = random.Random(20261126)
    for build in (1, 2):
        lane.apply(build)
        process = lane.begin(build, "--delete-claims", verb="retire")
        time.sleep(moments.uniform(0.3, 4))
        kill([process.pid] if moments.random() < 0.5 else descendants(process.pid))
        process.communicate()
        again = lane.begin(build, "--delete-claims", verb="retire")
        _, stderr = again.communicate()
        assert again.returncode == 0 or "there is no release" in stderr, stderr
        assert (lane.statuses(build), lane.objects(build)) == ({}, [])
        assert lane.cluster.names(f"/api/v1/namespaces/{lane.namespace}/persistentvolumeclaims") == []


@pytest.mark.either_helm
def test_a_control_plane_that_stops_and_comes_back(programs, helm, file, tmp_path):
    with ControlPlane(programs) as plane:
        api = pykube.HTTPClient(pykube.KubeConfig.from_file(plane.kubeconfig))
        api.session.trust_env = False
        api.session.post(f"{api.url}/api/v1/namespaces", json={"metadata": {"name": "streams"}})
        lane = Lane(None, plane.kubeconfig, "streams", helm, file, tmp_path)
        process = lane.begin(1, "--timeout", "30s")
        time.sleep(1.5)
        plane.stop()
        threading.Timer(2, plane.start).start()
        process.communicate()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            again = lane.begin(1, "--timeout", "30s")
            _, stderr = again.communicate()
            if again.returncode == 0:
                break
            assert again.returncode in (1, 3), stderr
            time.sleep(1)
        assert again.returncode == 0, stderr
        assert {release.status for release in lane.client.list("coco-1")} == {"deployed"}
        assert {step.action for step in lane.client.plan(file).steps} == {"unchanged"}


@pytest.mark.either_helm
def test_a_failed_lane_with_other_content_is_not_touched(lane):
    lane.file.write_text(ALONE)
    with pytest.raises(ApplyFailed):
        lane.client.apply(lane.file, wait=True, timeout="3s")
    lane.file.write_text(ALONE.replace(", image: {tag: never-ready}", ""))
    said = lane.client.plan(lane.file).refused[0].why[0]
    assert said.startswith("its status is failed, and it has other content: ")
    assert f"`sidelane uninstall zookeeper-coco-1 -n {lane.namespace} " in said
    with pytest.raises(ReleaseConflict):
        lane.client.apply(lane.file)
    assert lane.statuses() == {"zookeeper": "failed"}
