"""Every rule of the registry: its examples, its form, and that nothing makes it fail."""

from __future__ import annotations

import copy
import functools
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sidelane import kubeyaml
from sidelane.checks import conventions
from sidelane.checks.engine import check
from sidelane.checks.rules import RULES, Rule, syntax
from sidelane.checks.rules.rule import in_lane
from sidelane.errors import InvalidManifest
from sidelane.manifest import Manifest
from sidelane.naming import labels
from sidelane.naming.contract import COMPONENT, component_name, parse_name, service_version_name
from sidelane.naming.lane import VERSION, Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sidelane.checks.findings import Finding

WRONG = [pytest.param(rule, text, id=f"{rule.id}-{i}") for rule in RULES for i, text in enumerate(rule.wrong)]
RIGHT = [pytest.param(rule, text, id=f"{rule.id}-{i}") for rule in RULES for i, text in enumerate(rule.right)]
LANE = Lane("2-coco", 1)


def _findings(rule: Rule, text: str, lane: Lane | None) -> tuple[Finding, ...]:
    """The findings of every rule, and of this one also where it must be asked for."""
    head = "apiVersion: sidelane.dev/v1alpha1\nkind: Conventions\n"
    own = conventions.preset("sidelane")
    if rule.conventions:
        own = conventions.read((head + rule.conventions).encode(), "sidelane.yaml")
    own = own._replace(rules={**own.rules, rule.id: rule.severity})
    lane = lane if labels.LANE in text else None  # some rules are about charts without lanes
    return check(Manifest.read(text), conventions=own, lane=lane).findings


class TestRegistry:
    @pytest.mark.parametrize("lane", [None, LANE])
    @pytest.mark.parametrize(("rule", "text"), WRONG)
    def test_wrong_examples_break_their_rule_only(self, rule: Rule, text: str, lane: Lane | None) -> None:
        findings = _findings(rule, text, lane)
        assert rule.id in {finding.rule for finding in findings}
        assert {finding.rule for finding in findings if finding.severity == "error"} <= {rule.id}

    @pytest.mark.parametrize("lane", [None, LANE])
    @pytest.mark.parametrize(("rule", "text"), RIGHT)
    def test_right_examples_keep_every_rule(self, rule: Rule, text: str, lane: Lane | None) -> None:
        findings = _findings(rule, text, lane)
        assert rule.id not in {finding.rule for finding in findings}
        assert [finding for finding in findings if finding.severity == "error"] == []

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
    def test_says_what_people_need(self, rule: Rule) -> None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
        assert rule.wrong
        assert rule.right
        assert rule.explanation.endswith(".")
        assert not rule.title.endswith(".")
        assert not rule.remedy.endswith(".")

    @pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fix], ids=lambda rule: rule.id)
    def test_a_fix_removes_its_finding_and_brings_no_other(self, rule: Rule) -> None:
        fixed = 0
        for text in rule.wrong:
            findings = _findings(rule, text, LANE)
            for finding in (each for each in findings if each.fix is not None):
                documents = _read(text)
                at: Any = next(doc for doc in documents if doc["kind"] == finding.identity.kind)
                *parents, last = [step.strip("[]") for step in re.findall(r"\[[^\]]*\]|[^.\[\]]+", finding.fix.path)]
                for key in parents:
                    at = at[key]
                at[last] = finding.fix.value
                left = _findings(rule, "\n---\n".join(map(json.dumps, documents)), LANE)
                assert len(left) < len(findings)
                fixed += 1
        assert fixed

    def test_only_a_rule_that_says_so_has_fixes(self) -> None:
        for rule in (rule for rule in RULES if not rule.fix):
            assert not [
                each for text in rule.wrong for each in _findings(rule, text, LANE) if each.rule == rule.id and each.fix
            ]

    def test_ids_are_unique(self) -> None:
        assert len({rule.id for rule in RULES}) == len(RULES)


# Every place in the examples, and what has no business there.
ODD = [None, True, 1, 1.5, "x", "", [], {}, [None], [1], ["x"], [{}], [[]], {"a": 1}, {"name": 1}, {"name": {}}]


def _read(text: str) -> list[object]:
    return [document.data for document in kubeyaml.read_documents(text, duplicates=[])]


MORE = """
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: svc1-2-coco-1}, spec: {rules: [
  {backendRefs: [{name: svc1-v1-2-coco-1, kind: Service, group: ""}]}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: svc1-2-coco-1}, spec: {http: [
  {route: [{destination: {host: svc1-v1-2-coco-1.ns.svc.cluster.local}}]}]}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: svc1-2-coco-1}, spec: {
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: svc1-2-coco-1}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: svc1-2-coco-1},
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: x}, subjects: [{kind: ServiceAccount, name: x}]}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: svc1-2-coco-1, labels: {sidelane.dev/lane: 2-coco-1}}, spec: {
  selector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: In, values: [x]}]},
  template: {metadata: {labels: {a: b}}, spec: {
    topologySpreadConstraints: [{labelSelector: {matchLabels: {a: b}}}],
    affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {}}]}},
    volumes: [{name: a, projected: {sources: [{secret: {name: x}}]}}]}}}}
"""


@functools.cache
def _documents() -> list[object]:
    examples = (text for rule in RULES for text in (*rule.wrong, *rule.right))
    return [document for text in (*examples, MORE) for document in _read(text)]


def _paths(node: Any, path: tuple = ()) -> Iterator[tuple]:
    if path:
        yield path
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from _paths(value, (*path, key))


@given(st.data())
def test_no_shape_makes_a_rule_fail(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(_documents())))
    *parents, last = data.draw(st.sampled_from(list(_paths(document))))
    node: Any = document
    for key in parents:
        node = node[key]
    node[last] = data.draw(st.sampled_from(ODD))
    try:
        manifest = Manifest.read(json.dumps(document))
    except InvalidManifest:
        return
    assert not [finding for finding in check(manifest).findings if "the rule failed" in finding.message]


VERSIONS = st.from_regex(VERSION, fullmatch=True).filter(lambda text: len(text) <= 20)
LANES = st.builds(Lane, VERSIONS, st.integers(0, 10**6))
COMPONENTS = st.from_regex(COMPONENT, fullmatch=True).filter(lambda text: len(text) <= 12)


class TestNames:
    @given(COMPONENTS, LANES)
    def test_a_name_reads_as_what_it_was_made_of(self, component: str, lane: Lane) -> None:
        assume(not re.search(r"-v[0-9][a-z0-9]*$", component))
        assert parse_name(component_name(component, lane)) == (component, lane)
        assert parse_name(service_version_name(component, "v1", lane, kind="Service")) == (f"{component}-v1", lane)

    @pytest.mark.parametrize(
        "name", ["zk", "zk-1", "coco-1", "2-coco-1", "-coco-1", "zk--coco-1", "zk-coco-01", "Zk-coco-1"]
    )
    def test_others_do_not_read(self, name: str) -> None:
        assert parse_name(name) is None

    def test_a_lane_is_more_than_an_ending(self) -> None:
        assert in_lane("zk-coco-1", Lane("coco", 1))
        assert not in_lane("zk-2-coco-1", Lane("coco", 1))
        assert not in_lane(None, Lane("coco", 1))


# As apimachinery's own util/validation answers (v0.36).
SYNTAX = [
    (syntax.dns_label, ["a", "1a", "a-b", "a" * 63], ["", "A", "-a", "a-", "a.b", "a_b", "a" * 64, "a\n", 1]),
    (syntax.dns_label_1035, ["a", "a1", "a" * 63], ["", "1a", "a.b", "a" * 64]),
    (syntax.dns_subdomain, ["a", "1.a", "a-b.c", "a" * 253], ["", ".a", "a.", "a..b", "A", "a" * 254]),
    (syntax.port_name, ["a", "http", "9a", "a" * 15], ["", "9", "a--b", "-a", "A", "a" * 16, "a_b"]),
    (syntax.data_key, ["a", ".a", "a..b", "A_b-c.d"], ["", ".", "..", "..a", "a/b", "a" * 254]),
    (syntax.label_key, ["a", "A.b_c", "a.b/c", "a" * 253 + "/b"], ["", "/a", "a/", "a/b/c", "A/b", "-a", "a" * 64]),
    (
        syntax.label_value,
        ["", "a", "1.4.0", "2-coco", "A_b", "a" * 63],
        ["1.4.0+b1", "-a", "a ", "a" * 64, 1, None, True],
    ),
]


@pytest.mark.parametrize(("check_syntax", "good", "bad"), SYNTAX, ids=lambda value: getattr(value, "__name__", ""))
def test_syntax(check_syntax: Callable[[Any], str], good: list, bad: list) -> None:
    assert [value for value in good if check_syntax(value)] == []
    assert [value for value in bad if not check_syntax(value)] == []


def _labelled(kind: str, name: str, rest: str = "", lane: str = "2-coco-1", app: str = "svc1-2-coco-1") -> str:
    version, _, kind = kind.rpartition("/")
    return (
        f"---\napiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  labels: &labels\n    app: {app}\n"
        f'    sidelane.dev/version: 2-coco\n    sidelane.dev/build: "1"\n    sidelane.dev/lane: {lane}\n{rest}\n'
    )


def _messages(text: str, lane: Lane | None = LANE) -> list[str]:
    findings = check(Manifest.read(text), lane=lane).findings
    return [f"{finding.path}: {finding.message}" for finding in findings if finding.severity == "error"]


class TestCases:
    """Cases beyond the examples beside the rules."""

    def test_the_given_lane_is_what_counts(self) -> None:
        text = _labelled("v1/ConfigMap", "svc1-2-coco-1")
        assert _messages(text) == []
        assert "metadata.name: the name 'svc1-2-coco-1' does not end in '-2-coco-2'" in _messages(
            text, Lane("2-coco", 2)
        )

    def test_a_label_that_is_no_lane(self) -> None:
        text = _labelled("v1/ConfigMap", "svc1-2-coco-1", lane="coco")
        assert _messages(text, None) == ["metadata.labels[sidelane.dev/lane]: 'coco' is not a lane"]

    def test_objects_without_a_namespace_keep_the_suffix_too(self) -> None:
        assert _messages(_labelled("rbac.authorization.k8s.io/v1/ClusterRole", "svc1"))

    def test_annotations(self) -> None:
        text = "  annotations: {Upper.case/is-fine: x, bad key: x, number: 1, big: " + "x" * 300_000 + "}"
        assert sorted(
            message.partition(":")[0] for message in _messages(_labelled("v1/ConfigMap", "svc1-2-coco-1", text))
        ) == [
            "metadata.annotations",
            "metadata.annotations[bad key]",
            "metadata.annotations[number]",
        ]

    def test_keys_of_data(self) -> None:
        (message,) = _messages(_labelled("v1/ConfigMap", "svc1-2-coco-1", "data: {a.b: x, a/b: x}"))
        assert message.startswith("data[a/b]: the key")

    def test_routes_may_lead_to_other_releases_of_their_lane_only(self) -> None:
        rest = "spec: {rules: [{backendRefs: [{name: svc1-v1-2-coco-1}, {name: svc1-v1-2-coco-3}]}]}"
        (message,) = _messages(_labelled("gateway.networking.k8s.io/v1/HTTPRoute", "svc1-2-coco-1", rest))
        assert message.startswith("spec.rules[0].backendRefs[1].name: Service svc1-v1-2-coco-3 is in lane 2-coco-3")

    def test_an_autoscaler_needs_its_target(self) -> None:
        rest = "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: somewhere}}"
        (message,) = _messages(_labelled("autoscaling/v2/HorizontalPodAutoscaler", "svc1-2-coco-1", rest))
        assert "must be in this lane" in message

    def test_a_test_pod_is_nothing_that_a_service_has_to_match(self) -> None:
        service = _labelled("v1/Service", "svc1-2-coco-1", "spec: {selector: {app: svc1-2-coco-1, version: v1}}")
        pod = _labelled("v1/Pod", "test-2-coco-1", "  annotations: {helm.sh/hook: test}", app="test-2-coco-1")
        assert _messages(service + pod) == []

    def test_a_workload_without_a_selector(self) -> None:
        rest = "spec: {template: {metadata: {labels: *labels}, spec: {}}}"
        assert _messages(_labelled("apps/v1/Deployment", "svc1-2-coco-1", rest)) == ["spec.selector: is missing"]

    def test_affinity_to_other_namespaces_is_let_be(self) -> None:
        term = "{labelSelector: {matchLabels: {app: dns}}, namespaces: [kube-system]}"
        rest = f"spec: {{affinity: {{podAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{term}]}}}}}}"
        assert _messages(_labelled("v1/Pod", "svc1-2-coco-1", rest)) == []
        assert _messages(_labelled("v1/Pod", "svc1-2-coco-1", rest.replace(", namespaces: [kube-system]", "")))
