"""Requirements on every chart that can be installed, with each of the values files in its ci folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from quantities import quantity
from sidelane.checks.kubernetes.validating import Validation
from sidelane.manifest import Manifest
from sidelane.manifest.objects import CLUSTER_KINDS
from sidelane.pytest_plugin import Render
from values_files import loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Object = dict[str, Any]
    Rendered = Callable[..., list[Object]]

CHARTS = Path(__file__).resolve().parents[2] / "charts"
SCHEMAS = sorted(CHARTS.glob("*/values.schema.json"))
CI = sorted(CHARTS.glob("*/ci/*-values.yaml"))
every_chart = pytest.mark.parametrize("chart", [s.parent for s in SCHEMAS], ids=lambda chart: chart.name)
every_ci_file = pytest.mark.parametrize("ci", CI, ids=lambda ci: f"{ci.parents[1].name}-{ci.stem}")

RESTRICTED_VOLUMES = {"configMap", "secret", "emptyDir", "projected", "persistentVolumeClaim", "downwardAPI"}
# Definitions that are no part of Kubernetes.
OF_OTHERS = {"monitoring.coreos.com", "networking.istio.io", "gateway.networking.k8s.io"}
#: Every version that the charts are for and that schemas are published of, such as 30 for 1.30.
KUBERNETES = tuple(range(30, int(kubernetes_validate.latest_version().split(".")[1]) + 1))


@every_ci_file
def test_both_helms_render_alike(pytestconfig: pytest.Config, helm_named: Callable[[str], Path], ci: Path) -> None:
    """So the tests below, of what is rendered, run under one of them."""
    renders = (Render(pytestconfig, helm_named(name), lambda: ci.parents[1]) for name in ("helm3", "helm4"))
    one, other = ([resource.body for resource in render(flags=["--values", ci])] for render in renders)
    assert one == other != []


@pytest.mark.both_helms
@every_chart
def test_lint_without_values(run: Callable[..., Any], chart: Path) -> None:
    done = run("lint", "--strict", chart)
    assert done.returncode == 0, done.stdout


@every_ci_file
def test_lint(run: Callable[..., Any], ci: Path) -> None:
    done = run("lint", "--strict", ci.parents[1], "--values", ci)
    assert done.returncode == 0, done.stdout
    assert "Fail" not in done.stderr + done.stdout


@every_ci_file
def test_objects_are_labelled(render: Rendered, ci: Path) -> None:
    values = lane_values(ci)
    lane = f"{values['Version']}-{values['Build']}"
    for item in render(ci.parents[1], "--values", ci):
        metadata = item["metadata"]
        assert metadata["name"].endswith(f"-{lane}")
        group = item["apiVersion"].rpartition("/")[0]
        own = loaded(ci).get("namespaces", [])  # the guard's accounts are in those of the lanes
        if (group, item["kind"]) in CLUSTER_KINDS:
            assert "namespace" not in metadata
        else:
            assert metadata["namespace"] in {"default", *own}
        assert metadata["labels"]["app"].endswith(f"-{lane}")
        for label, value in (("version", values["Version"]), ("build", values["Build"]), ("lane", lane)):
            assert metadata["labels"][f"sidelane.dev/{label}"] == value
        for value in metadata["labels"].values():
            assert re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", value)


@every_ci_file
def test_objects_are_valid_on_every_kubernetes(render: Rendered, ci: Path) -> None:
    items = [i for i in render(ci.parents[1], "--values", ci) if i["apiVersion"].partition("/")[0] not in OF_OTHERS]
    manifest = Manifest.read(yaml.safe_dump_all(items))
    validation = Validation(manifest, KUBERNETES, ())
    for obj in manifest.objects:
        assert (validation.knows(obj), validation.missing(obj), [*validation.faults(obj)]) == (True, (), []), obj


@every_ci_file
def test_pods_meet_the_restricted_standard_and_know_their_lane(render: Rendered, ci: Path) -> None:
    for template in pod_templates(render(ci.parents[1], "--values", ci)):
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for volume in pod["volumes"]:
            assert volume.keys() & RESTRICTED_VOLUMES
        for container in pod["containers"] + pod.get("initContainers", []):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert container["resources"].keys() == {"requests", "limits"}
            environment = {variable["name"]: variable.get("value") for variable in container["env"]}
            assert environment["SIDELANE_LANE"] == template["metadata"]["labels"]["sidelane.dev/lane"]
            assert (
                f"{environment['SIDELANE_SERVICE']}-{environment['SIDELANE_LANE']}"
                == template["metadata"]["labels"]["app"]
            )


@every_ci_file
def test_the_last_words_of_a_container_that_fails_are_kept(render: Rendered, ci: Path) -> None:
    for pod in (template["spec"] for template in pod_templates(render(ci.parents[1], "--values", ci))):
        for container in pod["containers"] + pod.get("initContainers", []):
            assert container["terminationMessagePolicy"] == "FallbackToLogsOnError", container["name"]


@every_ci_file
def test_the_pods_of_helm_test_end_and_can_be_read_then(render: Rendered, ci: Path) -> None:
    for test in (item for item in render(ci.parents[1], "--values", ci) if item["kind"] == "Pod"):
        # Helm 3 deletes first and reads then: a pod that goes when it has succeeded makes `helm test --logs` fail.
        hook = {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation"}
        assert hook.items() <= test["metadata"]["annotations"].items()
        assert test["spec"]["restartPolicy"] == "Never"
        assert test["spec"]["activeDeadlineSeconds"] < 300, "Helm gives up after five minutes"
        for container in test["spec"]["containers"]:
            resources = container["resources"]
            assert quantity(resources["requests"]["cpu"]) <= 0.1
            assert quantity(resources["limits"]["memory"]) <= 512 * 2**20


@every_ci_file
def test_a_headless_service_translates_no_port(render: Rendered, ci: Path) -> None:
    objects = render(ci.parents[1], "--values", ci)
    pods = [item["spec"]["template"] for item in objects if "template" in item.get("spec", {})]
    for service in (item["spec"] for item in objects if item["kind"] == "Service"):
        if service.get("clusterIP") == "None":
            (pod,) = (pod for pod in pods if service["selector"].items() <= pod["metadata"]["labels"].items())
            named = {
                port["name"]: port["containerPort"]
                for container in pod["spec"]["containers"]
                for port in container["ports"]
            }
            assert all(port["port"] == named[port["targetPort"]] for port in service["ports"])


@every_ci_file
def test_a_new_version_of_the_chart_leaves_pods_and_claims_alone(render: Rendered, ci: Path) -> None:
    for item in render(ci.parents[1], "--values", ci):
        spec = item.get("spec", {})
        for made in [*spec.get("volumeClaimTemplates", []), *([spec["template"]] if "template" in spec else [])]:
            assert "sidelane.dev/lane" in made["metadata"]["labels"]
            assert not {"helm.sh/chart", "app.kubernetes.io/managed-by"} & made["metadata"]["labels"].keys()


@every_chart
def test_an_unknown_value_is_refused_by_name(refusal: Callable[..., str], chart: Path) -> None:
    assert "replica_count" in refusal(
        chart, "--values", chart / "ci" / "default-values.yaml", "--set", "replica_count=3"
    )


@every_chart
def test_the_schema_knows_every_value_and_no_other(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text())
    values = loaded(chart / "values.yaml")
    given = set(paths(values))
    known = {path for path, _ in properties(schema, schema)}
    assert given <= known
    # Beyond values.yaml a schema has what Helm and a parent chart add, the values of the chart's parts, and what a user
    # adds to a list or map of his own.
    added = {"global", "common", "storm", "enabled"} - values.keys()
    parts = {part.parent.name for part in chart.glob("charts/*/values.yaml")}
    beyond = {path for path in known - given if path[0] not in added | parts}
    assert not {path for path in beyond if not in_an_empty_value(values, path)}


@every_chart
def test_the_schema_describes_every_property(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text())
    assert [".".join(path) for path, node in properties(schema, schema) if not node.get("description")] == []
    assert schema["additionalProperties"] is False


def test_lines_of_templates_and_values_have_at_most_120_columns() -> None:
    files = [*CHARTS.glob("*/templates/**/*"), *CHARTS.glob("*/files/*"), *CHARTS.glob("*/*.yaml")]
    texts = {file: file.read_text().splitlines() for file in files if file.is_file()}
    assert [f"{file}:{n}" for file, lines in texts.items() for n, line in enumerate(lines, 1) if len(line) > 120] == []


def place_of_the_lane(chart: Path) -> str:
    """The path of the lane in a chart's values: a whole pipeline hands its lane to its parts."""
    return "global." if "global" in loaded(chart / "values.yaml") else ""


def lane_values(ci: Path) -> dict[str, str]:
    values = loaded(ci)
    values = values["global"] if place_of_the_lane(ci.parents[1]) else values
    return {key: values[key] for key in ("Version", "Build")}


def pod_templates(objects: list[Object]) -> list[Object]:
    """Pods, and what pods are made from."""
    pods = [item for item in objects if item["kind"] == "Pod"]
    return pods + [item["spec"]["template"] for item in objects if "template" in item.get("spec", {})]


def properties(node: Object, schema: Object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Object]]:
    """Every property that the schema declares, with its path."""
    if "$ref" in node:
        node = {**schema["definitions"][node["$ref"].rpartition("/")[2]], **node}
    for key, child in node.get("properties", {}).items():
        yield (*path, key), child
        yield from properties(child, schema, (*path, key))


def paths(values: Object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from paths(value, (*path, key))


def in_an_empty_value(values: object, path: tuple[str, ...]) -> bool:
    for key in path:
        if not values:
            return True
        values = values.get(key)
    return False
