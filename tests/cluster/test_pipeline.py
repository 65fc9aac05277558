"""Whole pipelines, with services of several versions, in two lanes: by plain Helm on a real API server."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = pytest.mark.either_helm

CHARTS = Path(__file__).parents[2] / "charts"
KINDS = (
    *(f"/apis/apps/v1/{kind}" for kind in ("statefulsets", "deployments", "replicasets")),
    "/apis/policy/v1/poddisruptionbudgets",
    *(f"/api/v1/{kind}" for kind in ("pods", "services", "configmaps", "serviceaccounts", "persistentvolumeclaims")),
)
LANES = (("2-coco", "1"), ("coco", "7"))
#: What the naming contract promises for the pods of a lane.
PODS = (
    *("zk-LANE-0", "nimbus-LANE-0", "nimbus-LANE-1", "supervisor-LANE-0"),
    *("ui-LANE-<hash>-<id>", "svc1-v1-LANE-<hash>-<id>", "svc1-v2-LANE-<hash>-<id>"),
)


def test_two_lanes_with_two_versions_of_a_service_each(cluster, namespace, plain):
    for version, build in LANES:
        install(plain, version, build)
    for version, build in LANES:
        lane = f"{version}-{build}"
        ready = [name for name in cluster.ready_pods(namespace) if f"-{lane}-" in name]
        assert sorted(map(without_hash, ready)) == sorted(name.replace("LANE", lane) for name in PODS)

    hooks = plain("get", "hooks", "pipeline-2-coco-1").stdout
    tested = re.findall(r"^  name: (\S+-test-2-coco-1)$", hooks, re.MULTILINE)
    assert sorted(tested) == [f"{part}-test-2-coco-1" for part in ("nimbus", "supervisor", "ui", "zk")]
    assert plain("test", "pipeline-2-coco-1").stdout.count("Succeeded") == len(tested)

    before = objects(cluster, namespace, "coco-7")
    assert before
    for release in ("svc1-v1-2-coco-1", "svc1-v2-2-coco-1", "pipeline-2-coco-1"):
        plain("uninstall", release, "--wait")
    # Helm leaves the pods of its tests, as the charts' READMEs say.
    assert sorted(name for name in pods(cluster, namespace) if "-test-" in name) == sorted(tested)
    for name in tested:
        cluster.delete(f"/api/v1/namespaces/{namespace}/pods/{name}")
    cluster.until("the lane is gone", lambda: not [p for p in pods(cluster, namespace) if "-2-coco-1-" in p])
    assert objects(cluster, namespace, "coco-7") == before
    cluster.until("the tests' pods are gone", lambda: not [p for p in pods(cluster, namespace) if "-test-" in p])
    left = {kind for kind, _ in objects(cluster, namespace, "2-coco-1")}
    assert left == {"persistentvolumeclaims"}, "the data stays"


def install(plain, version, build):
    """A lane as its operator brings it in: the pipeline, and two versions of a service, side by side."""
    lane = f"{version}-{build}"
    whole = ("--set", f"global.Version={version},zookeeper.replicas=1,supervisor.replicas=1")
    whole += ("--set-string", f"global.Build={build}")
    service = (CHARTS / "service", "--set", f"Version={version},name=svc1,replicas=1", "--set-string", f"Build={build}")
    image = ("--set", "image.repository=acme/svc1,image.tag=1.4.0")
    commands = [
        ("install", f"pipeline-{lane}", CHARTS / "pipeline", *whole),
        *(("install", f"svc1-{v}-{lane}", *service, *image, "--set", f"serviceVersion={v}") for v in ("v1", "v2")),
    ]
    with ThreadPoolExecutor() as side_by_side:
        list(side_by_side.map(lambda command: plain(*command, "--wait", "--timeout", "3m"), commands))


def objects(cluster, namespace, lane):
    return cluster.labelled(namespace, f"sidelane.dev/lane={lane}", KINDS)


def pods(cluster, namespace):
    return cluster.names(f"/api/v1/namespaces/{namespace}/pods")


def without_hash(name):
    return re.sub(r"-[a-z0-9]{6,10}-[a-z0-9]{5}$", "-<hash>-<id>", name)
