"""The pipeline: the outer deployment, made of the charts of its parts in one release."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Render = Callable[..., list[dict[str, Any]]]
    Refusal = Callable[..., str]

PARTS = ("zookeeper", "nimbus", "supervisor", "ui")
LANE = {"global": {"Version": "2-coco", "Build": "1"}}


def workloads(objects: list[dict[str, Any]]) -> set[str]:
    kinds = ("StatefulSet", "Deployment")
    return {f"{item['kind']} {item['metadata']['name']}" for item in objects if item["kind"] in kinds}


def test_a_lane_is_all_that_it_takes(render: Render) -> None:
    assert workloads(render("pipeline", "--set", "global.Version=2-coco", "--set", "global.Build=1")) == {
        "StatefulSet zk-2-coco-1",
        "StatefulSet nimbus-2-coco-1",
        "StatefulSet supervisor-2-coco-1",
        "Deployment ui-2-coco-1",
    }


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_what_its_own_chart_makes(render: Render, part: str) -> None:
    alone = render(part, values={**LANE["global"]})
    together = render("pipeline", values=LANE)
    names = {(item["kind"], item["metadata"]["name"]): item for item in together}
    for item in alone:
        inside = names[item["kind"], item["metadata"]["name"]]
        if item["metadata"]["name"].endswith("-guard-2-coco-1"):
            continue  # each names the release that it is in
        assert inside == item


@pytest.mark.parametrize("part", PARTS)
def test_a_part_can_be_left_out(render: Render, part: str) -> None:
    whole, less = render("pipeline", values=LANE), render("pipeline", values={**LANE, part: {"enabled": False}})
    missing = {item["metadata"]["labels"]["app.kubernetes.io/name"] for item in whole} - {
        item["metadata"]["labels"]["app.kubernetes.io/name"] for item in less
    }
    assert missing == {part}


def test_without_a_lane_nothing_is_made(refusal: Refusal) -> None:
    assert "no Version is given, and a lane is never guessed" in refusal("pipeline")


def test_a_lane_under_one_part_alone_is_refused(refusal: Refusal) -> None:
    said = refusal("pipeline", values={**LANE, "nimbus": {"Version": "coco"}})
    assert "the Version is 'coco' in the chart's own values and '2-coco' in global" in said


def test_one_registry_for_every_image(render: Render) -> None:
    shared = {
        "imageRegistry": "mirror.example.org",
        "imagePullSecrets": [{"name": "mine"}],
        "clusterDomain": "k8s.local",
    }
    objects = render("pipeline", values={"global": {**LANE["global"], **shared}})
    pods = [item["spec"]["template"]["spec"] for item in objects if "template" in item.get("spec", {})]
    pods += [item["spec"] for item in objects if item["kind"] == "Pod"]
    images = {container["image"] for pod in pods for container in pod["containers"] + pod.get("initContainers", [])}
    assert images
    assert all(image.startswith("mirror.example.org/") for image in images)
    assert all(pod["imagePullSecrets"] == [{"name": "mine"}] for pod in pods)
    texts = [text for item in objects if item["kind"] == "ConfigMap" for text in item["data"].values()]
    assert any(".svc.k8s.local" in text for text in texts)
    assert not any(".svc.cluster.local" in text for text in texts)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"nimbus": {"replicas": 3}}, "nimbus.replicas is 3 and ui.nimbus.replicas is 2"),
        ({"nimbus": {"zookeeper": {"lane": "coco-1"}}}, "have different values under zookeeper"),
    ],
)
def test_parts_that_do_not_fit_are_refused(refusal: Refusal, values: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal("pipeline", values={**LANE, **values})


def test_what_parts_agree_on_is_given_once(render: Render) -> None:
    shared = {**LANE["global"], "nimbus": {"replicas": 3}, "zookeeper": {"lane": "coco-1"}}
    objects = render("pipeline", values={"global": shared, "zookeeper": {"enabled": False}})
    (nimbus,) = [item for item in objects if item["kind"] == "StatefulSet" and "nimbus" in item["metadata"]["name"]]
    assert nimbus["spec"]["replicas"] == 3
    storms = [yaml.safe_load(item["data"]["storm.yaml"]) for item in objects if "storm.yaml" in item.get("data", {})]
    assert len(storms) == 3
    for storm in storms:
        assert storm["storm.zookeeper.servers"] == ["zk-cs-coco-1.default.svc.cluster.local"]
        assert storm["storm.zookeeper.root"] == "/storm/2-coco-1"
    # Supervisors ask for the leader under one name; Nimbus and the UI have to know each.
    seeds = sorted([seed.split(".")[0] for seed in storm["nimbus.seeds"]] for storm in storms)
    each = [f"nimbus-2-coco-1-{n}" for n in range(3)]
    assert seeds == [each, each, ["nimbus-cs-2-coco-1"]]


def test_parts_that_are_left_out_need_not_fit(render: Render) -> None:
    assert render("pipeline", values={**LANE, "ui": {"enabled": False}, "nimbus": {"replicas": 3}})


def test_a_value_that_no_part_has_is_refused_with_its_path(refusal: Refusal) -> None:
    said = refusal("pipeline", values={**LANE, "zookeeper": {"jvm": {"heap": 5}}})
    assert "heap" in said
    assert "zookeeper" in said


def test_the_operational_values_are_those_of_the_parts(charts: Path) -> None:
    def declared(chart: str) -> list[str]:
        metadata = yaml.safe_load((charts / chart / "Chart.yaml").read_text())
        return metadata["annotations"]["sidelane.dev/operational-values"].split(",")

    assert declared("pipeline") == [f"{part}.{name}" for part in PARTS for name in declared(part)]


def test_the_parts_are_the_charts_of_this_checkout(charts: Path) -> None:
    metadata = yaml.safe_load((charts / "pipeline" / "Chart.yaml").read_text())
    for dependency in metadata["dependencies"]:
        part = yaml.safe_load((charts / dependency["name"] / "Chart.yaml").read_text())
        assert dependency["version"] == part["version"]
        assert dependency["repository"] == f"file://../{dependency['name']}"
        assert dependency["name"] == "common" or dependency["condition"] == f"{dependency['name']}.enabled"


# -- Values for a small machine ----------------------------------------------------------------------------------------


@pytest.fixture
def small(charts: Path) -> Path:
    """The values for a machine of 2 CPUs and 6 GiB."""
    return charts / "pipeline" / "values-small.yaml"


def asked(pod: dict[str, Any], kind: str, what: str) -> float:
    """The sum of the requests, or of the limits, of a pod's containers."""
    return sum(quantity(container["resources"][kind][what]) for container in pod["containers"])


def test_the_small_values_are_whole_and_valid(run: Callable[..., Any], charts: Path, small: Path) -> None:
    done = run("lint", "--strict", charts / "pipeline", "--values", small, values=LANE)
    assert done.returncode == 0, done.stdout
    assert "Fail" not in done.stderr + done.stdout


def test_two_small_lanes_fit_2_cpus_and_6_gib(render: Render, small: Path) -> None:
    objects = render("pipeline", "--values", small, values=LANE)
    pods = [item["spec"]["template"]["spec"] for item in objects if "template" in item.get("spec", {})]
    assert workloads(objects) == workloads(render("pipeline", values=LANE)), "no part is left out"
    assert all(item["spec"]["replicas"] == 1 for item in objects if "template" in item.get("spec", {}))
    # One after the other, beside the lanes.
    test = [max(asked(item["spec"], *each) for item in objects if item["kind"] == "Pod") for each in EACH]
    lane = [sum(asked(pod, *each) for pod in pods) for each in EACH]
    cpu, requested, limit = (2 * per_lane + more for per_lane, more in zip(lane, test, strict=True))
    assert cpu <= 1.5, "the node's own pods want some"
    assert requested <= 5 * 2**30, "and memory"
    assert limit - test[2] <= 6 * 2**30


#: What is added up: CPUs that the scheduler looks for, memory that it looks for, and memory that may be used.
EACH = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def test_the_small_values_travel_with_the_chart(
    run: Callable[..., Any], charts: Path, tmp_path: Path, small: Path
) -> None:
    done = run("package", charts / "pipeline", "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as package:
        file = package.extractfile("pipeline/values-small.yaml")
        assert file is not None
        assert file.read() == small.read_bytes()
