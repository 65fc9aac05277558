"""A lane from a file on a real node: killed on its way, taken up, verified, bundled, and again in another namespace."""

import json

from clusters import new_namespace
from killing import descendants, kill
from sidelane import Client

from node.pods import Pods

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


def test_a_lane_is_brought_taken_up_verified_and_brought_again(
    node, cluster, namespace, client, sidelane, helm, tmp_path
):
    file = tmp_path / "lane.yaml"
    file.write_text(FILE)
    first = sidelane.begin("apply", file, "-o", "json")
    cluster.until(
        "Helm waits for the first service",
        lambda: [release.status for release in client.list()] == ["pending-install"] and first.poll() is None,
        60,
    )
    kill(descendants(first.pid))
    first.communicate()
    assert [(release.name, release.status) for release in client.list()] == [(f"svc1-v1-{LANE}", "pending-install")]

    second = sidelane.begin("apply", file, "-o", "json")
    stdout, stderr = second.communicate(timeout=180)
    assert second.returncode == 0, stderr
    assert [release["change"] for release in json.loads(stdout)["releases"]] == ["finished", "created"]
    stands(Pods(node, cluster, namespace))
    assert {result.state for result in client.verify(lane=LANE)} == {"unchanged"}

    bundle = tmp_path / "lane.tar.gz"
    client.bundle(LANE, bundle)
    with new_namespace(cluster) as other:
        elsewhere = Client(namespace=other, kubeconfig=cluster.kubeconfig, helm=helm)
        replayed = elsewhere.replay(bundle, wait=True, timeout="2m")
        assert [release.change for release in replayed.releases] == ["created"] * 3
        stands(Pods(node, cluster, other))
        assert {result.state for result in elsewhere.verify(lane=LANE)} == {"unchanged"}


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
