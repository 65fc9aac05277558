"""Sixty ways to break the charts zookeeper and service, each with the rule that must find it.

Each chart renders once with its fullest values; a mutation changes one field of one object in memory.
"""

from __future__ import annotations

import copy
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from sidelane.checks.conventions import preset
from sidelane.checks.engine import check
from sidelane.checks.kubernetes.versions import parse
from sidelane.checks.rules import RULES
from sidelane.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable

CHARTS = Path(__file__).resolve().parents[2] / "charts"
GONE: Final = "(gone)"  # the field, or the object for an empty path
COPY: Final = "(copy)"  # of the object
LANE: Final = "2-coco-20261122"
NOW: Final = str(int(time.time()))

STS, DEPLOYMENT, SERVICE, CONFIG = (
    "StatefulSet zk",
    "Deployment order",
    "Service order",
    "ConfigMap order-api-v2-config",
)
HEADLESS, CLIENTS, ZOO, BUDGET = "Service zk-hs", "Service zk-cs", "ConfigMap zk-2", "PodDisruptionBudget"
POD, FIRST = "spec.template.spec", "spec.template.spec.containers[0]"
LABELS = "spec.template.metadata.labels"

# rule, object (kind and the beginning of its name), field, new value; [+] appends to a list
MUTATIONS: Final[tuple[tuple[str, str, str, Any], ...]] = (
    ("lane-suffix", CLIENTS, "metadata.name", "zk-cs"),
    ("lane-suffix", CONFIG, "metadata.name", "order-api-v2-config-2-coco"),
    ("lane-suffix", BUDGET, "metadata.name", "zk-20261122"),
    ("lane-labels", ZOO, "metadata.labels[sidelane.dev/lane]", GONE),
    ("lane-labels", DEPLOYMENT, f"{LABELS}[sidelane.dev/build]", "20261121"),
    ("lane-labels", SERVICE, "metadata.labels.version", "v1"),
    ("lane-labels", "ServiceAccount zk", "metadata.labels.app", "zk"),
    ("name-limits", SERVICE, "metadata.name", f"order-{'x' * 60}-{LANE}"),
    ("name-limits", STS, f"{FIRST}.ports[0].name", "a-port-name-that-is-too-long"),
    ("name-limits", CONFIG, "data[a/b]", "x"),
    ("lane-selectors", CLIENTS, "spec.selector", {"app.kubernetes.io/name": "zookeeper"}),
    ("lane-selectors", BUDGET, "spec.selector.matchLabels[sidelane.dev/lane]", "2-coco-1"),
    ("lane-selectors", STS, "spec.selector.matchLabels.app", "zk"),
    ("lane-selectors", DEPLOYMENT, f"{POD}.topologySpreadConstraints[0].labelSelector.matchLabels.app", "order-api"),
    ("references-exist", STS, "spec.serviceName", "zk-headless"),
    ("references-exist", ZOO, "", GONE),
    ("references-exist", "ServiceAccount zk", "", GONE),
    ("references-exist", "HorizontalPodAutoscaler", "spec.scaleTargetRef.name", "order-api"),
    ("references-exist", DEPLOYMENT, f"{POD}.volumes[+]", {"name": "x", "secret": {"secretName": "db-2-coco-1"}}),
    ("references-exist", STS, f"{FIRST}.envFrom", [{"configMapRef": {"name": f"zk-settings-{LANE}"}}]),
    ("reference-keys", STS, f"{FIRST}.env[+]",
     {"name": "X", "valueFrom": {"configMapKeyRef": {"name": f"zk-{LANE}", "key": "zoo.conf"}}}),
    ("reference-keys", DEPLOYMENT, f"{POD}.volumes[+]",
     {"name": "x", "configMap": {"name": f"order-api-v2-config-{LANE}", "items": [{"key": "none", "path": "a"}]}}),
    ("volumes-exist", STS, f"{FIRST}.volumeMounts[0].name", "conf"),
    ("volumes-exist", STS, "spec.volumeClaimTemplates", GONE),
    ("volumes-exist", DEPLOYMENT, f"{POD}.volumes", []),
    ("port-names", CLIENTS, "spec.ports[0].targetPort", "klient"),
    ("port-names", SERVICE, "spec.ports[0].targetPort", "web"),
    ("port-names", DEPLOYMENT, f"{FIRST}.livenessProbe", {"tcpSocket": {"port": "web"}}),
    ("port-names", STS, f"{FIRST}.ports", []),
    ("host-names", STS, f"{FIRST}.env[+]", {"name": "X", "value": "zk-cs-2-coco-1:2181"}),
    ("host-names", DEPLOYMENT, f"{FIRST}.args[+]", "--peer=http://stock-2-coco-20261121/v1"),
    ("host-names", ZOO, "data[zoo.cfg]", "server.1=zk-2-coco-1-0.zk-hs-2-coco-1.default.svc:2888:3888"),
    ("host-names", HEADLESS, "", GONE),
    ("unique-identity", CLIENTS, "", COPY),
    ("unique-identity", CONFIG, "", COPY),
    ("list-keys", STS, f"{FIRST}.env[+]", {"name": "SIDELANE_LANE", "value": LANE}),
    ("list-keys", SERVICE, "spec.ports[+]", {"name": "again", "port": 80}),
    ("list-keys", DEPLOYMENT, f"{POD}.hostAliases[+]", {"ip": "10.0.0.10", "hostnames": ["x"]}),
    ("text-fields", STS, f"{FIRST}.env[0].value", 1e3),
    ("text-fields", CONFIG, "data.port", 8080),
    ("text-fields", DEPLOYMENT, f"{POD}.priorityClassName", 1000),
    ("versions-reach-pods", STS, f"{FIRST}.env", []),
    ("versions-reach-pods", DEPLOYMENT, f"{FIRST}.env[+]", {"name": "SIDELANE_VERSION", "value": "3-coco"}),
    ("images-pinned", STS, f"{FIRST}.image", "registry.example.org:5000/mirror/zookeeper"),
    ("images-pinned", DEPLOYMENT, f"{FIRST}.image", "acme/order-api:latest"),
    ("images-by-digest", STS, f"{FIRST}.image", "zookeeper:3.9.5"),
    ("immutable-configuration", ZOO, "immutable", GONE),
    ("no-fixed-namespace", CONFIG, "metadata.namespace", "streams"),
    ("nothing-random", STS, "spec.template.metadata.annotations[rolled]", NOW),
    ("exceptions-hit", CONFIG, "metadata.annotations[except.sidelane.dev/lane-suffix]", "no finding needs it"),
    ("removed-apis", BUDGET, "apiVersion", "policy/v1beta1"),
    ("removed-apis", "HorizontalPodAutoscaler", "apiVersion", "autoscaling/v2beta2"),
    ("deprecated-apis", "ServiceAccount zk", "",
     {"apiVersion": "resource.k8s.io/v1beta1", "kind": "ResourceClaim", "spec": {}}),
    ("budgets-allow-drains", BUDGET, "spec.maxUnavailable", 0),
    ("spreading", STS, f"{POD}.topologySpreadConstraints", GONE),
    ("spreading", BUDGET, "", GONE),
    ("probes", STS, f"{FIRST}.readinessProbe", GONE),
    ("resources-set", DEPLOYMENT, f"{FIRST}.resources.limits", GONE),
    ("restricted-pods", STS, f"{POD}.securityContext.runAsNonRoot", GONE),
    ("restricted-pods", DEPLOYMENT, f"{FIRST}.securityContext.capabilities.add", ["SYS_ADMIN"]),
    ("restricted-pods", DEPLOYMENT, f"{POD}.hostNetwork", True),
    ("kubernetes-schemas", STS, "spec.replica", 3),
    ("kubernetes-schemas", DEPLOYMENT, f"{FIRST}.ports[0].containerPort", "8080"),
)  # fmt: skip


@pytest.fixture(scope="module")
def rendered() -> dict[str, list[dict[str, Any]]]:
    return {}


@pytest.fixture
def objects(rendered: dict[str, list[dict[str, Any]]], render: Callable[..., list[dict[str, Any]]]) -> list[Any]:
    """The objects of both charts, which are in one lane."""
    for chart in () if rendered else ("zookeeper", "service"):
        rendered[chart] = render(chart, "--values", CHARTS / chart / "ci" / "full-values.yaml")
    return copy.deepcopy([obj for some in rendered.values() for obj in some])


def findings_of(objects: list[Any], rule: str) -> set[tuple[str, str, str]]:
    """The findings as rule, object and field; with a rule that must be asked for."""
    asked = {each.id: each.severity for each in RULES if each.scope == "asked" and each.id == rule}
    text = "\n---\n".join(map(json.dumps, objects))
    own = preset("sidelane")._replace(rules=asked, kubernetes=parse("1.30-1.36") if "kubernetes" in rule else ())
    report = check(Manifest.read(text), conventions=own)
    return {(finding.rule, str(finding.identity), finding.path) for finding in report.findings}


def mutate(objects: list[Any], which: str, path: str, value: Any) -> None:
    kind, _, name = which.partition(" ")
    obj = next(each for each in objects if each["kind"] == kind and each["metadata"]["name"].startswith(name))
    if not path:
        objects.extend([{**copy.deepcopy(obj), **value}] if isinstance(value, dict) else [obj] * (value == COPY))
        if value == GONE:
            objects.remove(obj)
        return
    *parents, last = [step.strip("[]") for step in re.findall(r"\[[^\]]*\]|[^.\[\]]+", path)]
    node = obj
    for step in parents:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    if value == GONE:
        del node[last]
    elif last == "+":
        node.append(value)
    else:
        node[int(last) if isinstance(node, list) else last] = value


def test_there_are_sixty_for_every_rule() -> None:
    assert len(MUTATIONS) >= 60
    without_lanes = {"own-references", "name-pattern", "label-pattern", "selector-labels"}
    in_text = {"duplicate-keys"}  # objects have no such keys any more
    assert {rule for rule, *_ in MUTATIONS} == {rule.id for rule in RULES} - without_lanes - in_text


def test_the_charts_are_clean(objects: list[Any]) -> None:
    assert findings_of(objects, "") == set()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[f"{at}-{rule}" for at, (rule, *_) in enumerate(MUTATIONS)])
def test_a_mutation_is_found_by_its_rule(objects: list[Any], mutation: tuple[str, str, str, Any]) -> None:
    rule, *change = mutation
    # Without the mutation there is nothing, but for the one rule that our charts leave to their users.
    before = findings_of(objects, rule) if rule == "images-by-digest" else set()
    mutate(objects, *change)
    assert rule in {identifier for identifier, *_ in findings_of(objects, rule) - before}
