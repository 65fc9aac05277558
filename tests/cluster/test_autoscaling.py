"""A service's autoscaler switched on and off on a deployed release: a looked-up number is no other content."""

from pathlib import Path

import pytest
from clusters import settled
from sidelane.errors import ReleaseConflict

pytestmark = pytest.mark.either_helm

SERVICE = Path(__file__).parents[2] / "charts" / "service"
IMAGE = {"image": {"repository": "acme/svc1", "tag": "1.4.0"}}
ON, OFF = {"autoscaling": {"enabled": True}}, {"autoscaling": {"enabled": False}}
LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
releases:
  - {chart: service, name: svc1, serviceVersion: v1, values: {image: {repository: acme/svc1, tag: 1.4.0}}}
"""


@pytest.fixture
def deployment(cluster, namespace):
    """The service's Deployment as it is, and what an autoscaler does to it."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/svc1-v1-coco-1"

    class Deployment:
        def replicas(self):
            return cluster.get(path)["spec"]["replicas"]

        def scale(self, replicas):
            cluster.patch(f"{path}/scale", {"spec": {"replicas": replicas}})

    return Deployment()


@pytest.fixture
def autoscalers(cluster, namespace):
    return lambda: cluster.names(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers")


@pytest.fixture
def upgrade(client):
    def run(values):
        return client.upgrade("service", "coco-1", name="svc1", values=values, reuse_values=True)

    return run


def test_an_autoscaler_is_switched_on_and_off_by_the_sdk(client, upgrade, deployment, autoscalers):
    client.install("service", "coco-1", name="svc1", values=IMAGE | {"replicas": 3})
    assert (upgrade(ON).change, deployment.replicas()) == ("upgraded", 3)
    assert autoscalers() == ["svc1-v1-coco-1"]
    deployment.scale(4)
    assert upgrade(ON).change == "unchanged"
    assert upgrade({"autoscaling": {"maxReplicas": 12}}).change == "upgraded"
    assert deployment.replicas() == 4, "what the autoscaler chose"
    deployment.scale(5)
    again = client.install("service", "coco-1", name="svc1", values=IMAGE | {"replicas": 3})
    assert (again.change, len(again.kept_values)) == ("unchanged", 2)
    assert client.install("service", "coco-1", name="svc1", values=IMAGE | ON | {"replicas": 3}).change == "unchanged"
    with pytest.raises(ReleaseConflict, match="image"):
        upgrade({"image": {"tag": "1.5.0"}})
    assert upgrade(OFF).change == "upgraded"
    assert (autoscalers(), deployment.replicas()) == ([], 3)


def test_an_autoscaler_is_switched_on_and_off_by_a_file(client, deployment, autoscalers, tmp_path):
    file = tmp_path / "lane.yaml"
    for more, replicas in (("", 2), (", autoscaling: {enabled: true}", 2), (", autoscaling: {enabled: false}", 2)):
        file.write_text(LANE.replace("tag: 1.4.0}", "tag: 1.4.0}" + more))
        client.apply(file)
        assert (deployment.replicas(), len(autoscalers())) == (replicas, "true" in more)
        assert [step.action for step in client.plan(file).steps] == ["unchanged"]
    assert {result.state for result in settled(client, lane="coco-1")} == {"unchanged"}


def test_an_autoscaler_is_switched_on_and_off_on_the_command_line(sidelane, deployment, autoscalers):
    """With the flags that make Helm wait, too."""

    def change(verb, *arguments):
        return sidelane.json(verb, "service", "--lane", "coco-1", "--name", "svc1", *arguments)["change"]

    change("install", "--set", "image.repository=a/b,image.tag=x")
    assert change("upgrade", "--reuse-values", "--set", "autoscaling.enabled=true") == "upgraded"
    deployment.scale(3)
    assert change("upgrade", "--reuse-values", "--set", "autoscaling.maxReplicas=12", "--atomic") == "upgraded"
    assert (deployment.replicas(), len(autoscalers())) == (3, 1)
    assert change("upgrade", "--reuse-values", "--set", "autoscaling.enabled=false", "--wait") == "upgraded"
    assert (deployment.replicas(), len(autoscalers())) == (2, 0)


def test_an_autoscaler_that_plain_helm_switched_on_is_no_other_content(client, plain, deployment, upgrade):
    values = ("--set", "Version=coco,Build=1,name=svc1", "--set", "image.repository=acme/svc1,image.tag=1.4.0")
    plain("install", "svc1-v1-coco-1", SERVICE, *values)
    plain("upgrade", "svc1-v1-coco-1", SERVICE, "--reuse-values", "--set", "autoscaling.enabled=true")
    deployment.scale(3)
    assert upgrade({"autoscaling": {"maxReplicas": 12}}).change == "upgraded"
    assert deployment.replicas() == 3
