"""The throw-away real cluster proves itself: what it keeps apart from the machine, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cgroups
import nodecluster
import pytest
from controlplane import ControlPlaneError
from nodecluster import NodeCluster, find_node

SCRIPT = nodecluster.__file__


@pytest.fixture
def tools(unavailable):
    try:
        return find_node()
    except ControlPlaneError as error:
        unavailable(str(error))


def settings_of_the_machine():
    """All that a node could change for the machine: the kernel's settings, mounts, networks, and some folders."""
    kernel = ("net/ipv4/ip_forward", "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")
    folders = ("/sys/class/net", "/var/lib", "/var/log")
    return {
        **{name: Path("/proc/sys", name).read_text() for name in kernel},
        **{name: sorted(path.name for path in Path(name).iterdir()) for name in folders},
        "mounts": Path("/proc/self/mounts").read_text(),
    }


@pytest.fixture(scope="session")
def before():
    """The machine's settings before the other node; before the first one, too, where this file runs alone."""
    return settings_of_the_machine()


def groups_of(folder):
    return [*cgroups.ROOT.glob(f"*/{folder.name}"), *cgroups.ROOT.glob(folder.name)]


def test_two_at_once_do_not_meet_and_leave_the_machine_as_it_was(tools, before, node):
    with NodeCluster(tools) as other:
        other._call("POST", "/api/v1/namespaces", {"metadata": {"name": "of-other"}})
        assert b"of-other" in other._call("GET", "/api/v1/namespaces")
        assert b"of-other" not in node._call("GET", "/api/v1/namespaces")
        assert groups_of(other.folder)
        assert groups_of(node.folder)
        assert settings_of_the_machine() == before
    assert settings_of_the_machine() == before
    assert not other.folder.exists()
    assert not groups_of(other.folder)


def test_the_network_leads_nowhere(node):
    done = node.run("ip", "route", capture_output=True)
    assert "via" not in done.stdout
    assert node.run("ip", "-brief", "link", capture_output=True).stdout.split()[0] == "lo"
    assert node.run("ping", "-c1", "-W1", "192.0.2.1", capture_output=True).returncode != 0


def test_nothing_stays_when_the_owner_is_killed(tools, tmp_path):
    report = tmp_path / "told"
    code = (
        f"import sys, time; sys.path.insert(0, {str(Path(SCRIPT).parent)!r})\n"
        "from nodecluster import NodeCluster, find_node\n"
        "with NodeCluster(find_node()) as cluster:\n"
        f"    open({str(report)!r}, 'w').write(f'{{cluster.folder}}\\n{{cluster._first}}\\n')\n"
        "    time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        until("the cluster runs", lambda: report.exists() and report.read_text().count("\n") == 2, 120)
    finally:
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    folder, first = report.read_text().split()
    until("its processes are gone", lambda: not Path("/proc", first).exists(), 30)
    until("its folder is gone", lambda: not Path(folder).exists(), 30)
    until("its control groups are gone", lambda: not groups_of(Path(folder)), 30)


def until(what, condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def test_a_command_runs_inside_and_its_code_is_handed_on(tools):
    """One beside the node is tried by `make demo-cluster`."""
    command = [sys.executable, SCRIPT, "--inside", "--", "sh", "-c", "test -s $KUBECONFIG && exit 7"]
    assert subprocess.run(command, check=False).returncode == 7


def test_where_there_is_no_node_a_command_says_so_or_runs_on_a_control_plane(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "KUBEBUILDER_ASSETS": str(tmp_path)}
    command = [sys.executable, SCRIPT, "--", "true"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "build it with `make node`" in done.stderr or "by root" in done.stderr) == (3, True)
    done = subprocess.run(
        [*command[:2], "--or-control-plane", *command[2:]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "controlplane.py" in done.stderr, "it was tried"


def test_pods_find_names_and_services(node, cluster, namespace):
    """The tools that all other tests stand on: DNS, the API server from a pod, a pod's log and a volume."""
    secure = {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    script = (
        "getent hosts kubernetes.default.svc.cluster.local && echo kept >/data/file && cat /data/file && "
        "exec 3<>/dev/tcp/kubernetes.default/443 && echo connected"
    )
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    resources = {"requests": {"storage": "1Mi"}}
    cluster.create(
        claims, {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources}}
    )
    container = {
        "name": "main",
        "image": "docker.io/library/bash:5.2.37",
        "command": ["bash", "-c", script],
        "securityContext": secure,
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    spec = {
        "restartPolicy": "Never",
        "securityContext": {"fsGroup": 1000},
        "containers": [container],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    pods = f"/api/v1/namespaces/{namespace}/pods"
    cluster.create(pods, {"metadata": {"name": "asks"}, "spec": spec})
    phase = cluster.until(
        "the pod has ended",
        lambda: (
            cluster.get(f"{pods}/asks")["status"]["phase"] in ("Succeeded", "Failed")
            and cluster.get(f"{pods}/asks")["status"]["phase"]
        ),
        60,
    )
    log = cluster.api.session.get(f"{cluster.api.url}{pods}/asks/log", timeout=10).text
    assert (phase, log.split()[-2:]) == ("Succeeded", ["kept", "connected"]), log
