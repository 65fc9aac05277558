"""The throw-away control plane proves itself: what runs on it, what it refuses, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import controlplane
import pykube
import pytest
from access import Access
from clusters import connect
from controlplane import ControlPlane, ControlPlaneError

SCRIPT = controlplane.__file__
RESTRICTED = {
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


def pod_template(image="acme/app:1.0", security=RESTRICTED, **spec):
    container = {"name": "app", "image": image, "securityContext": security}
    return {"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [container], **spec}}


def workload(**spec):
    body = {"selector": {"matchLabels": {"app": "app"}}, "template": pod_template(), **spec}
    return {"metadata": {"name": "app"}, "spec": body}


def claim(name):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name}, "spec": spec}


def test_pods_of_a_deployment_become_ready(cluster, namespace):
    cluster.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", workload(replicas=2))
    cluster.until("2 pods are ready", lambda: len(cluster.ready_pods(namespace)) == 2)
    cluster.until(
        "the Deployment says so",
        lambda: (
            cluster.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/app")["status"].get("availableReplicas") == 2
        ),
    )


def test_a_rollout_that_does_not_end_can_be_played(cluster, namespace):
    stuck = workload(replicas=1, template=pod_template(image="acme/app:never-ready"))
    cluster.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", stuck)
    cluster.until("the pod runs", lambda: phases(cluster, namespace) == {"Running"})
    assert cluster.ready_pods(namespace) == []


def test_a_job_succeeds(cluster, namespace):
    job = {"metadata": {"name": "job"}, "spec": {"template": pod_template(restartPolicy="Never")}}
    cluster.create(f"/apis/batch/v1/namespaces/{namespace}/jobs", job)
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs/job"
    cluster.until("the Job succeeded", lambda: cluster.get(path)["status"].get("succeeded") == 1)


def phases(cluster, namespace, kind="pods"):
    return {item["status"].get("phase") for item in cluster.list(f"/api/v1/namespaces/{namespace}/{kind}")}


def test_members_of_a_stateful_set_get_their_names_and_claims(cluster, namespace):
    members = workload(replicas=3, serviceName="app", volumeClaimTemplates=[claim("data")])
    cluster.create(f"/apis/apps/v1/namespaces/{namespace}/statefulsets", members)
    cluster.until("3 members are ready", lambda: cluster.ready_pods(namespace) == ["app-0", "app-1", "app-2"])
    assert cluster.names(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims") == [
        f"data-app-{i}" for i in range(3)
    ]
    assert phases(cluster, namespace, "persistentvolumeclaims") == {"Bound"}


def test_claims_get_volumes_without_end_and_give_them_back(cluster, namespace):
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    for number in range(40):
        cluster.create(claims, claim(f"claim-{number}"))
    cluster.until("all are bound", lambda: phases(cluster, namespace, "persistentvolumeclaims") == {"Bound"})

    cluster.delete(claims)
    cluster.until("their volumes are gone", lambda: namespace not in volume_owners(cluster))


def volume_owners(cluster):
    return {volume["spec"]["claimRef"]["namespace"] for volume in cluster.list("/api/v1/persistentvolumes")}


def test_a_pod_that_is_not_restricted_is_refused(cluster, namespace):
    pod = {**pod_template(security={}), "metadata": {"name": "app"}}
    with pytest.raises(pykube.exceptions.HTTPError, match='violates PodSecurity "restricted') as refused:
        cluster.create(f"/api/v1/namespaces/{namespace}/pods", pod)
    assert refused.value.code == 403


def test_helm_reaches_it_and_nothing_else(helm, cluster, namespace):
    command = [helm, "list", "--short", "--namespace", namespace]
    run = subprocess.run([*command, "--kubeconfig", cluster.kubeconfig], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, ""), run.stderr

    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode != 0, "without --kubeconfig there is no cluster, whatever the developer's files say"
    assert "localhost:8080" in run.stderr


def test_controllers_act_under_their_own_names(cluster):
    accounts = cluster.names("/api/v1/namespaces/kube-system/serviceaccounts")
    assert {"namespace-controller", "generic-garbage-collector"} <= set(accounts)


@pytest.mark.parametrize(("who", "code"), [("unknown", 401), ("powerless", 403)])
def test_credentials_that_do_not_suffice(cluster, namespace, request, who, code):
    kubeconfig = request.getfixturevalue(who)
    api = pykube.HTTPClient(pykube.KubeConfig.from_file(kubeconfig))
    api.session.trust_env = False
    answer = api.session.get(f"{cluster.api.url}/api/v1/namespaces/{namespace}/pods")
    assert answer.status_code == code
    assert kubeconfig.stat().st_mode & 0o077 == 0, "others can read the token"


def test_tokens_are_only_in_files_of_the_owner(cluster, unavailable):
    if cluster.plane is None:
        unavailable("run without --kubeconfig: the tokens of a cluster of someone else are not ours to look for")
    folder = cluster.plane.folder
    tokens = [row.split(",")[0] for row in (folder / "tokens.csv").read_text().splitlines()]
    assert len(tokens) == len(controlplane.ControlPlane.identities)
    holders = [path for path in folder.glob("*") if path.is_file() and any(token in read(path) for token in tokens)]
    assert {path.name.partition("-")[0] for path in holders} == {"tokens.csv", "kubeconfig"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in holders)
    assert not any(token in line for line in processes_of(folder).values() for token in tokens)


def processes_of(folder):
    """The command lines of the processes that were started with something in the folder, by their ids."""
    lines = {path.parent.name: read(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    return {process: line for process, line in lines.items() if str(folder) in line}


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:  # it ended between the listing and the reading
        return ""


def assert_nothing_stays(folder):
    deadline = time.monotonic() + 5
    while (processes_of(folder) or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(folder) == {}
    assert not folder.exists()


def test_nothing_stays_when_the_owner_is_killed(programs):
    code = """
import sys, time, controlplane, pathlib
with controlplane.ControlPlane(pathlib.Path(sys.argv[1])) as plane:
    print(plane.folder, flush=True)
    time.sleep(600)
"""
    command = [sys.executable, "-c", code, programs]
    with subprocess.Popen(command, cwd=Path(SCRIPT).parent, stdout=subprocess.PIPE, text=True) as owner:
        folder = Path(owner.stdout.readline().strip())
        assert len(processes_of(folder)) == len(controlplane.PROGRAMS) + 1
        owner.send_signal(signal.SIGKILL)
    assert_nothing_stays(folder)


def test_the_processes_of_a_run_share_one_that_ends_with_the_last(programs, tmp_path):
    code = """
import sys, pathlib, clusters, controlplane
controlplane.ControlPlane._start_the_rest = lambda self: None  # nothing has to run
with clusters.shared_plane(*map(pathlib.Path, sys.argv[1:])) as plane:
    print(plane.folder, flush=True)
    sys.stdin.read()
"""

    def begin():
        command = [sys.executable, "-c", code, programs, tmp_path]
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | path
        )  # fmt: skip
        return process, Path(process.stdout.readline().strip())

    (first, folder), (second, same) = begin(), begin()
    assert folder == same
    first.stdin.close()
    time.sleep(0.5)  # long enough to end what it started, if it did not wait
    third, same = begin()
    assert folder == same
    access = Access.load(tmp_path / "access.json")
    assert connect(access.kubeconfig, access).names("/api/v1/namespaces")
    for process in (second, third):
        process.communicate()
    assert [process.wait() for process in (first, second, third)] == [0, 0, 0]
    first.stdout.close()
    assert_nothing_stays(folder)


def test_a_command_runs_on_a_control_plane_of_its_own(programs):
    shell = ["sh", "-c", 'echo "$KUBECONFIG"; exit 7']
    run = subprocess.run([sys.executable, SCRIPT, "--", *shell], capture_output=True, text=True, check=False)
    assert run.returncode == 7, run.stderr
    assert_nothing_stays(Path(run.stdout.strip()).parent)


def test_missing_programs_are_named_with_the_remedy(tmp_path):
    (tmp_path / "etcd").touch()
    run = subprocess.run(
        [sys.executable, SCRIPT, "--assets", tmp_path, "--", "true"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 3
    assert "lacks kube-apiserver, kube-controller-manager, kube-scheduler, kwok; `make tools`" in run.stderr


def test_a_program_that_does_not_start_shows_its_log(tmp_path):
    (tmp_path / "etcd").write_text("#!/bin/sh\necho the disk is on fire\nexit 5\n")
    (tmp_path / "etcd").chmod(0o755)
    plane = ControlPlane(tmp_path)
    with pytest.raises(ControlPlaneError, match=r"etcd ended with code 5\n(.*\n)*the disk is on fire"), plane:
        pass
    assert_nothing_stays(plane.folder)
