"""The guard of a namespace, judged by its label and the policies and bindings of the cluster, made by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from sidelane.releases.guarding import POLICIES, judged

LABELS = {"sidelane.dev/lane": "guard-1", "app.kubernetes.io/name": "guard"}
MODES = {"deny": "Deny", "warn": "Warn", "audit": "Audit"}


def made(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": f"{name}-guard-1", "labels": LABELS}, "spec": spec}


def policies() -> list[dict[str, Any]]:
    return [made(policy, failurePolicy="Fail") for policy in POLICIES]


def bindings() -> list[dict[str, Any]]:
    of_mode = [
        made(f"{policy}-{mode}", policyName=f"{policy}-guard-1", validationActions=[action], matchResources={
            "namespaceSelector": {"matchLabels": {"sidelane.dev/guard": mode}}
        })
        for policy in POLICIES if policy != "namespaces"
        for mode, action in MODES.items()
    ]  # fmt: skip
    return [*of_mode, made("namespaces-deny", policyName="namespaces-guard-1", validationActions=["Deny"])]


def space(mode: str = "") -> dict[str, Any]:
    return {"metadata": {"name": "streams", "labels": {"sidelane.dev/guard": mode} if mode else {}}}


def test_a_guarded_namespace_has_no_gap() -> None:
    guarding = judged(space("deny"), policies(), bindings(), "")
    assert (guarding.mode, guarding.policies, guarding.gaps, guarding.enforced) == ("deny", POLICIES, (), True)
    assert guarding.to_json()["enforced"] is True


@pytest.mark.parametrize("mode", ["", "warn", "audit", "none-of-these"])
def test_another_label_is_a_gap_with_the_command_that_sets_it(mode: str) -> None:
    guarding = judged(space(mode), policies(), bindings(), "")
    assert not guarding.enforced
    assert "`kubectl label namespace streams sidelane.dev/guard=deny --overwrite`" in guarding.gaps[0]
    assert guarding.policies == (POLICIES if mode in MODES else ())
    assert guarding.mode == (mode if mode in MODES else "none")


def test_each_reason_is_named() -> None:
    def gaps(change: Any) -> tuple[str, ...]:
        changed = copy.deepcopy((policies(), bindings()))
        change(*changed)
        guarding = judged(space("deny"), *changed, "")
        assert not guarding.enforced
        return guarding.gaps

    def without_binding(_: Any, bound: list[dict[str, Any]]) -> None:
        bound[:] = [binding for binding in bound if binding["metadata"]["name"] != "lane-objects-deny-guard-1"]

    def only_audits(_: Any, bound: list[dict[str, Any]]) -> None:
        next(binding for binding in bound if binding["metadata"]["name"] == "endpoints-deny-guard-1")["spec"][
            "validationActions"
        ] = ["Audit"]

    assert "policy lane-scale is missing" in gaps(lambda policies, _: policies.remove(policies[3]))[0]
    assert "lane-objects-guard-1 has no binding with Deny" in gaps(without_binding)[0]
    assert "endpoints-guard-1 has no binding with Deny" in gaps(only_audits)[0]
    assert (
        "passes requests when it fails"
        in gaps(lambda policies, _: policies[0]["spec"].update(failurePolicy="Ignore"))[0]
    )
    warning = {"typeChecking": {"expressionWarnings": [{"fieldRef": "spec.x", "warning": "undefined field"}]}}
    assert "spec.x: undefined field" in gaps(lambda policies, _: policies[0].update(status=warning))[0]
    assert "no policy of the chart guard is installed" in gaps(lambda found, bound: (found.clear(), bound.clear()))[-1]


def test_a_second_build_of_the_guard_closes_the_gap_of_the_first() -> None:
    second = copy.deepcopy((policies(), bindings()))
    for body in (*second[0], *second[1]):
        body["metadata"]["name"] = body["metadata"]["name"].replace("guard-1", "guard-2")
        body["metadata"]["labels"] = {**LABELS, "sidelane.dev/lane": "guard-2"}
        if "policyName" in body["spec"]:
            body["spec"]["policyName"] = body["spec"]["policyName"].replace("guard-1", "guard-2")
    first = policies()
    first[0]["spec"]["failurePolicy"] = "Ignore"
    assert judged(space("deny"), [*first, *second[0]], [*bindings(), *second[1]], "").enforced


def test_policies_that_cannot_be_read_are_not_assumed() -> None:
    guarding = judged(space("deny"), (), (), "the policies can't be read: no right")
    assert (guarding.enforced, guarding.known) == (False, False)


@pytest.mark.parametrize(("actions", "mode"), [(["Deny", "Audit"], "deny"), (["Warn"], "warn"), (["Audit"], "audit")])
def test_the_mode_for_objects_without_a_namespace_is_that_of_its_binding(actions: list[str], mode: str) -> None:
    policy = made("cluster-objects", failurePolicy="Fail")
    binding = made(f"cluster-objects-{mode}", policyName="cluster-objects-guard-1", validationActions=actions)
    guarding = judged(space("deny"), [*policies(), policy], [*bindings(), binding], "")
    assert (guarding.cluster_objects, guarding.enforced, guarding.policies) == (mode, True, POLICIES)
    assert guarding.to_json()["clusterObjects"] == mode
    assert judged(space("deny"), [*policies(), policy], bindings(), "").cluster_objects == "none"
    open_ = made("cluster-objects", failurePolicy="Ignore")
    assert judged(space("deny"), [open_], [binding], "").cluster_objects == "none"
