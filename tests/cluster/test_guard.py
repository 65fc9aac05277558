"""Charts refuse to be changed by themselves, with nothing but Helm: an upgrade changes operational values or nothing."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
import yaml

CHARTS = Path(__file__).parents[2] / "charts"
GUARDED = sorted(chart.parents[1] for chart in CHARTS.glob("*/templates/record.yaml"))
#: Attempts a chart and Helm; `make soak` asks for more.
ATTEMPTS = int(os.environ.get("SIDELANE_SOAK_UPGRADES", "6"))


@pytest.fixture(params=GUARDED, ids=lambda chart: chart.name)
def deployed(request, helm, cluster, namespace):
    """A release of the chart in a lane, and plain Helm for it."""
    release = Deployed(helm, cluster, namespace, request.param)
    release.run("install", "--values", release.ci("default"))
    return release


class Deployed:
    def __init__(self, helm, cluster, namespace, chart):
        self.helm, self.cluster, self.namespace, self.chart = helm, cluster, namespace, chart
        lane = yaml.safe_load(self.ci("default").read_text())
        lane = lane.get("global", lane)
        self.name = f"{chart.name}-{lane['Version']}-{lane['Build']}"

    def ci(self, name):
        return self.chart / "ci" / f"{name}-values.yaml"

    def run(self, verb, *arguments, chart=None):
        done = self.attempt(verb, *arguments, chart=chart)
        assert done.returncode == 0, done.stderr
        return done

    def attempt(self, verb, *arguments, chart=None):
        return self._helm(verb, self.name, chart or self.chart, *arguments)

    def stored(self):
        """What Helm keeps: the revision and its manifest."""
        history = json.loads(self._helm("history", self.name, "--output", "json").stdout)
        return history[-1]["revision"], self._helm("get", "manifest", self.name).stdout

    def _helm(self, *arguments):
        command = [self.helm, *arguments, "--namespace", self.namespace, "--kubeconfig", self.cluster.kubeconfig]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def leaves(node, path=()):
    """Every value of a chart that is no mapping with something in it, by its path."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, node


def schema_of(node, path):
    for key in path:
        node = node.get("properties", {}).get(key, {})
    return node


def another(value, schema):
    """A value of the same kind that is not this one."""
    if others := [choice for choice in schema.get("enum", []) if choice != value]:
        return others[0]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 2
    if isinstance(value, list):
        return [*value, {"name": "other"}]
    if isinstance(value, dict):
        return {"other": "value"}
    return f"{value}9" if value else "other"


def operational(chart):
    annotations = yaml.safe_load((chart / "Chart.yaml").read_text()).get("annotations", {})
    return {tuple(name.split(".")) for name in annotations.get("sidelane.dev/operational-values", "").split(",")}


def nested(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


def test_generated_changes_are_refused_and_change_nothing(deployed, tmp_path):
    defaults = {**yaml.safe_load((deployed.chart / "values.yaml").read_text())}
    schema = json.loads((deployed.chart / "values.schema.json").read_text())
    may = operational(deployed.chart)
    guarded = [
        (path, value)
        for path, value in leaves(defaults)
        if not any(path[: len(free)] == free for free in may) and path[-1] not in {"Version", "Build"}
    ]
    before = deployed.stored()
    for path, value in random.Random(deployed.chart.name).choices(guarded, k=ATTEMPTS):
        file = tmp_path / "change.yaml"
        file.write_text(json.dumps(nested(path, another(value, schema_of(schema, path)))))
        done = deployed.attempt("upgrade", "--reuse-values", "--values", file, "--skip-schema-validation")
        assert done.returncode != 0, path
        # The chart's other checks may speak first; whatever speaks, nothing is changed.
        assert "is deployed and never changed" in done.stderr or "execution error" in done.stderr, done.stderr
    assert deployed.stored() == before


def test_a_change_is_named_with_what_to_do(deployed):
    said = deployed.attempt("upgrade", "--reuse-values", "--set", "commonLabels.other=value").stderr
    if "pipeline" in deployed.name:  # it hands labels to no part
        said = deployed.attempt("upgrade", "--reuse-values", "--set", "ui.commonLabels.other=value").stderr
    assert f"the release '{deployed.name}' is deployed and never changed" in said
    assert "commonLabels.other" in said
    assert "another Build" in said


@pytest.mark.parametrize("change", ["Build", "Version"])
def test_a_release_keeps_its_lane(deployed, change):
    before = deployed.stored()
    place = "global." if "pipeline" in deployed.name else ""
    done = deployed.attempt("upgrade", "--reuse-values", "--set-string", f"{place}{change}=7")
    assert "and no record of it is there" in done.stderr, "Helm would delete what is there"
    assert deployed.stored() == before


def test_a_lane_of_another_release_is_not_taken_over(deployed, tmp_path):
    place = "global." if "pipeline" in deployed.name else ""
    other = Deployed(deployed.helm, deployed.cluster, deployed.namespace, deployed.chart)
    other.name = "other"
    other.run("install", "--values", other.ci("default"), "--set-string", f"{place}Build=7")
    before = deployed.stored()
    done = deployed.attempt("upgrade", "--values", deployed.ci("default"), "--set-string", f"{place}Build=7")
    assert "belongs to the release 'other'" in done.stderr
    assert deployed.stored() == before


def test_operational_values_pass(deployed, tmp_path):
    defaults = yaml.safe_load((deployed.chart / "values.yaml").read_text())
    for number, path in enumerate(sorted(operational(deployed.chart)), start=2):
        switched = next((p for p, value in leaves(defaults) if p[: len(path)] == path and value is False), None)
        change = nested(switched, True) if switched else nested(path, another_operational(defaults, path))
        file = tmp_path / "change.yaml"
        file.write_text(json.dumps(change))
        deployed.run("upgrade", "--reuse-values", "--values", file)
        assert deployed.stored()[0] == number


def another_operational(defaults, path):
    for key in path:
        defaults = defaults.get(key, {})
    value = defaults
    if isinstance(value, dict):  # a budget that is on by default
        return {"enabled": not value.get("enabled", True)}
    return value + 1


def test_the_same_again_passes(deployed):
    deployed.run("upgrade", "--values", deployed.ci("default"))
    assert deployed.stored()[0] == 2
