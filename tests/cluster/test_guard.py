"""Charts refuse by themselves to be changed, with nothing but Helm: only operational values pass."""

import json
import os
import random
import secrets
import subprocess
from pathlib import Path

import helm_secrets
import pytest
import yaml
from clusters import WITHOUT_SCHEMAS, alone

CHARTS = Path(__file__).parents[2] / "charts"
GUARDED = sorted(chart.parents[1] for chart in CHARTS.glob("*/templates/guard.yaml"))
#: Attempts for each chart and Helm, of so many for all; `make soak` asks for more.
ATTEMPTS = -(-int(os.environ.get("SIDELANE_SOAK_UPGRADES", "14")) // (2 * len(GUARDED)))


def helms(chart):
    """Every chart has the guard of the same library: these are tried under both Helms, each other one under one."""
    marks = [] if chart.name in ("pipeline", "zookeeper") else [pytest.mark.either_helm(shared=True)]
    return pytest.param(chart, marks=marks, id=chart.name)


@pytest.fixture(scope="module", params=map(helms, GUARDED))
def deployed(request, helm, cluster):
    """A release of the chart in a lane, and plain Helm for it. The tests of one chart share it: none changes it."""
    namespace = f"guard-{secrets.token_hex(4)}"
    cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    release = Deployed(helm, cluster, namespace, request.param)
    with alone(request.param):
        release.run("install", "--values", release.ci("default"))
        yield release
        if request.param.name == "guard":
            release.remove()
    cluster.done_with(namespace)


class Deployed:
    def __init__(self, helm, cluster, namespace, chart):
        self.helm, self.cluster, self.namespace, self.chart = helm, cluster, namespace, chart
        self.values = yaml.safe_load(self.ci("default").read_text())
        # A whole pipeline has its lane in `global`, and labels and the like in its parts.
        self.lane_at, self.part = ("global.", "ui.") if "global" in self.values else ("", "")
        self.name = "under-guard"

    def ci(self, name):
        return self.chart / "ci" / f"{name}-values.yaml"

    def run(self, verb, *arguments, chart=None):
        done = self.attempt(verb, *arguments, chart=chart)
        assert done.returncode == 0, done.stderr
        return done

    def remove(self):
        """Uninstalls it, and what another test installed beside it."""
        for name in helm_secrets.statuses(self.cluster, self.namespace):
            self._helm("uninstall", name)

    def attempt(self, verb, *arguments, chart=None):
        return self._helm(verb, self.name, chart or self.chart, *arguments)

    def attempt_with(self, verb, values, *arguments, chart):
        command = (verb, self.name, chart, *arguments, "--values", "-")
        return self._helm(*command, text=json.dumps(values))

    def part_values(self, part):
        """The values of a part of the chart, with the lane as the part has it alone."""
        return {
            **self.values.get(part, {}),
            "Version": self.values["global"]["Version"],
            "Build": self.values["global"]["Build"],
        }

    def objects(self):
        """The workloads as they are: which, and how often they were changed."""
        kinds = [f"/apis/apps/v1/namespaces/{self.namespace}/{kind}" for kind in ("deployments", "statefulsets")]
        items = [item["metadata"] for kind in kinds for item in self.cluster.list(kind)]
        return {
            (obj["name"], obj["uid"], obj["generation"], obj["annotations"]["meta.helm.sh/release-name"])
            for obj in items
        }

    def stored(self):
        """Helm's own state: the last revision and its manifest."""
        last = helm_secrets.content(helm_secrets.revisions(self.cluster, self.namespace, self.name)[-1])
        return last["version"], last["manifest"]

    def _helm(self, *arguments, text=None):
        command = [self.helm, *arguments, "--namespace", self.namespace, "--kubeconfig", self.cluster.kubeconfig]
        if arguments[0] in ("install", "upgrade"):
            command.append(WITHOUT_SCHEMAS)
        return subprocess.run(command, capture_output=True, text=True, check=False, input=text)


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
    names = annotations.get("sidelane.dev/operational-values", "").split(",")
    return {tuple(name.split(".")) for name in names if name}


def nested(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


def test_generated_changes_are_refused_and_change_nothing(deployed, tmp_path):
    defaults = yaml.safe_load((deployed.chart / "values.yaml").read_text())
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
    value = f"{deployed.part}commonLabels.other"
    said = deployed.attempt("upgrade", "--reuse-values", "--set", f"{value}=value").stderr
    assert f"the release '{deployed.name}' is deployed and never changed" in said
    assert "commonLabels.other" in said
    assert "another Build" in said


def test_a_release_keeps_its_lane(deployed):
    before = deployed.stored()
    for change in ("Build", "Version"):
        done = deployed.attempt("upgrade", "--reuse-values", "--set-string", f"{deployed.lane_at}{change}=7")
        assert "and its guard is missing" in done.stderr, "Helm would delete what is there"
    assert deployed.stored() == before


def test_a_lane_of_another_release_is_not_taken_over(deployed):
    other = Deployed(deployed.helm, deployed.cluster, deployed.namespace, deployed.chart)
    other.name = "other"
    build = ("--set-string", f"{deployed.lane_at}Build=8")
    other.run("install", "--values", other.ci("default"), *build)
    before = deployed.stored()
    done = deployed.attempt("upgrade", "--values", deployed.ci("default"), *build)
    assert "belongs to the release 'other'" in done.stderr
    assert deployed.stored() == before


def test_a_deployed_lane_is_not_taken_by_an_installation(deployed):
    """With this flag Helm changes what is there, one object after the other, before anything can fail."""
    taker = Deployed(deployed.helm, deployed.cluster, deployed.namespace, deployed.chart)
    taker.name = "taker"
    before, uids = deployed.stored(), deployed.objects()
    for part in [deployed.chart, *(deployed.chart / "charts").glob("*/templates/guard.yaml")]:
        chart = part if part == deployed.chart else part.parents[1]
        values = deployed.values if chart == deployed.chart else deployed.part_values(chart.name)
        said = taker.attempt_with("install", values, "--take-ownership", chart=chart)
        assert f"belongs to the release '{deployed.name}'" in said.stderr, chart.name
    assert (deployed.stored(), deployed.objects()) == (before, uids)


def test_operational_values_pass(deployed, tmp_path):
    defaults = yaml.safe_load((deployed.chart / "values.yaml").read_text())
    for part in (deployed.chart / "charts").glob("*/values.yaml"):
        defaults[part.parent.name] |= yaml.safe_load(part.read_text())
    changes = [nested(path, toggled(at(defaults, path))) for path in sorted(operational(deployed.chart))]
    files = []
    for n, change in enumerate(changes):
        files += ["--values", tmp_path / f"{n}.yaml"]
        files[-1].write_text(json.dumps(change))
    # All in one upgrade: of what is refused, each would be named.
    revision, before = deployed.stored()
    deployed.run("upgrade", "--reuse-values", *files)
    after, changed = deployed.stored()
    assert (after, changed == before) == (revision + 1, not changes)


def at(node, path):
    for key in path:
        node = node[key]
    return node


def toggled(value):
    """An operational value changed: one more, or the part that is switched by it."""
    return {"enabled": not value["enabled"]} if isinstance(value, dict) else value + 1


def test_the_same_again_passes(deployed):
    revision, _ = deployed.stored()
    deployed.run("upgrade", "--values", deployed.ci("default"))
    assert deployed.stored()[0] == revision + 1
