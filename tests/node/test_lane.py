"""A lane from a file on a real node: killed on its way, taken up, verified, bundled, and again in another namespace."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path

from clusters import new_namespace
from killing import descendants, kill
from node.pods import Pods
from sidelane import Client

SIDELANE = Path(sysconfig.get_path("scripts")) / "sidelane"
LANE = "2-coco-1"
FILE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: 2-coco, Build: "1"}
releases:
  - chart: service
    name: svc1
    serviceVersion: v1
    values:
      image: &image {repository: acme/svc1, tag: 1.4.0}
      resources: &small {requests: {cpu: 20m, memory: 32Mi}, limits: {memory: 96Mi}}
  - chart: service
    name: svc2
    serviceVersion: v1
    needs: [svc1-v1]
    values: {image: *image, resources: *small, neighbours: {services: {svc1: {}}}, drainSeconds: 0, replicas: 1}
routes:
  - {service: svc1, weights: {v1: 1}}
"""


def test_a_lane_is_brought_taken_up_verified_and_brought_again(node, cluster, namespace, client, helm, tmp_path):
    file = tmp_path / "lane.yaml"
    file.write_text(FILE)

    def apply():
        command = [SIDELANE, "apply", file, "-n", namespace, "--kubeconfig", cluster.kubeconfig, "-o", "json"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "helm").symlink_to(helm)
    environment = {**os.environ, "PATH": f"{tmp_path / 'programs'}:{os.environ['PATH']}"}
    first = apply()
    cluster.until(
        "Helm waits for the first service",
        lambda: [one.status for one in client.list()] == ["pending-install"] and first.poll() is None,
        60,
    )
    kill(descendants(first.pid))
    first.communicate()
    assert [(one.name, one.status) for one in client.list()] == [(f"svc1-v1-{LANE}", "pending-install")]

    second = apply()
    stdout, stderr = second.communicate(timeout=180)
    assert second.returncode == 0, stderr
    assert [one["change"] for one in json.loads(stdout)["releases"]] == ["finished", "created"]
    stands(Pods(node, cluster, namespace))
    assert {one.state for one in client.verify(lane=LANE)} == {"unchanged"}

    bundle = tmp_path / "lane.tar.gz"
    client.bundle(LANE, bundle)
    with new_namespace(cluster) as other:
        elsewhere = Client(namespace=other, kubeconfig=cluster.kubeconfig, helm=helm)
        replayed = elsewhere.replay(bundle, wait=True, timeout="2m")
        assert [one.change for one in replayed.releases] == ["created"] * 3
        stands(Pods(node, cluster, other))
        assert {one.state for one in elsewhere.verify(lane=LANE)} == {"unchanged"}


def stands(pods):
    """Holds that all pods are ready, and that svc2 reaches a svc1 of its own namespace by its stable name."""
    names = pods.cluster.names(pods.path)
    assert len(names) == 3
    assert pods.cluster.ready_pods(pods.namespace) == names
    (svc2,) = pods.of(f"svc2-v1-{LANE}")
    asked = (
        "import os, urllib.request; print(urllib.request.urlopen(os.environ['SVC1_URL'], timeout=5).read().decode())"
    )

    def answered():
        done = pods.execute(svc2["metadata"]["name"], "svc2", "python3", "-c", asked)
        return done.stdout.split() if done.returncode == 0 else None

    version, pod = pods.cluster.until("the route answers", answered)
    assert (version, pod in names) == ("1.4.0", True)
