"""Exceptions from rules, and objects that are left out."""

from __future__ import annotations

import pytest
from sidelane.checks import conventions
from sidelane.checks.conventions.exceptions import apply
from sidelane.checks.engine import check
from sidelane.checks.rules import RULES, Problem
from sidelane.manifest import Manifest

HEAD = "apiVersion: sidelane.dev/v1alpha1\nkind: Conventions\nextends: helm\n"
NUMBERS = """
# Source: demo/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: web-a, labels: {app.kubernetes.io/instance: web}, annotations: {%s}}
data: {limit: 1}
---
# Source: demo/charts/redis/templates/b.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: web-b, labels: {app.kubernetes.io/instance: web}, annotations: {helm.sh/hook: "pre-install, test"}}
data: {limit: 1}
"""
EXCEPTION = "exceptions: [{rule: text-fields, reason: vendor, %s}]\n"


def findings_of(text: str = "", annotations: str = "") -> list[str]:
    own = conventions.read((HEAD + text).encode(), "sidelane.yaml")
    report = check(Manifest.read(NUMBERS % annotations), conventions=own)
    return [
        f"{finding.identity.name} {finding.severity} {finding.path}: {finding.message}" for finding in report.findings
    ]


A, B = "web-a error data[limit]: 1 is not text", "web-b error data[limit]: 1 is not text"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", [B, A]),
        (EXCEPTION % "name: web-a", [B]),
        (EXCEPTION % "name: 'web-?', kind: ConfigMap", []),
        (EXCEPTION % "path: 'data[[]limit]'", []),
        (EXCEPTION % "template: demo/charts/*", [A]),
        (EXCEPTION % "name: web-b, until: 2999-12-31", [A]),
        ("leaveOut: {subcharts: [redis]}", [A]),
        ("leaveOut: {templates: ['demo/templates/*']}", [B]),
        ("leaveOut: {hooks: [test]}", [A]),
        ("rules: {text-fields: off}", []),
    ],
)
def test_exceptions_of_the_file(text: str, left: list[str]) -> None:
    assert findings_of(text) == left


def test_an_exception_that_matches_nothing_is_a_finding() -> None:
    expected = "sidelane.yaml warning exceptions[0]: the exception from text-fields matches no finding"
    assert findings_of(EXCEPTION % "name: other") == [B, A, expected]
    assert findings_of(EXCEPTION % "name: other" + "rules: {exceptions-hit: off}") == [B, A]
    # One file may be for several charts, and a rule may be off.
    assert findings_of(EXCEPTION % "template: other/templates/a.yaml") == [B, A]
    assert findings_of(EXCEPTION % "name: other" + "rules: {text-fields: off}") == []


def test_an_exception_ends_after_its_last_day() -> None:
    own = conventions.read((HEAD + EXCEPTION % "until: 2026-05-31").encode(), "sidelane.yaml")
    manifest = Manifest.read(NUMBERS % "")
    findings = check(manifest, conventions=own._replace(exceptions=())).findings
    assert apply(findings, manifest, own, ["text-fields"], today="2026-05-31") == ((), ())
    active, (useless,) = apply(findings, manifest, own, ["text-fields"], today="2026-06-01")
    assert active == findings
    assert useless.message == "the exception from text-fields ended on 2026-05-31"


def test_annotations() -> None:
    assert findings_of(annotations="except.sidelane.dev/text-fields: vendor") == [B]
    assert findings_of(annotations="except.sidelane.dev/text-fields: 'until 2999-01-31: vendor'") == [B]
    place = "web-a warning metadata.annotations[except.sidelane.dev/text-fields]"
    ended = findings_of(annotations="except.sidelane.dev/text-fields: 'until 2020-01-31: vendor'")
    assert ended == [B, A, f"{place}: the exception from text-fields ended on 2020-01-31"]
    assert findings_of(annotations="except.sidelane.dev/text-fields: ''") == [
        B, A, f"{place}: the exception from text-fields has no reason",
    ]  # fmt: skip
    misnamed = "web-a warning metadata.annotations[except.sidelane.dev/text-feilds]: 'text-feilds' is not a rule; "
    assert findings_of(annotations="except.sidelane.dev/text-feilds: vendor") == [
        B, A, f"{misnamed}did you mean text-fields?",
    ]  # fmt: skip
    # A rule that did not run here, such as one of the proof with --side-by-side, is no mistake.
    assert findings_of(annotations="except.sidelane.dev/shared-objects: one for all") == [B, A]


def test_annotations_do_not_hold_where_the_conventions_say_so() -> None:
    own = conventions.preset("helm")._replace(annotated=False)
    report = check(Manifest.read(NUMBERS % "except.sidelane.dev/text-fields: vendor"), conventions=own)
    assert {finding.rule for finding in report.findings} == {"text-fields"}
    assert len(report.findings) == 2


def test_there_is_no_exception_from_a_crash() -> None:
    crashing = RULES[0]._replace(scope="all", check=lambda context: [Problem(context.nothing, "", "")])
    own = conventions.read((HEAD + "exceptions: [{rule: lane-suffix, reason: x}]").encode(), "sidelane.yaml")
    report = check(Manifest.read(NUMBERS % ""), conventions=own, rules=[crashing])
    assert [finding.message[:15] for finding in report.findings] == ["the rule failed"]


def test_a_rule_may_not_concern_test_hooks() -> None:
    rule = next(rule for rule in RULES if rule.id == "text-fields")._replace(tests=False)
    report = check(Manifest.read(NUMBERS % ""), conventions=conventions.preset("helm"), rules=[rule])
    assert [finding.identity.name for finding in report.findings] == ["web-a"]
