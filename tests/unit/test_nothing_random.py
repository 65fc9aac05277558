"""The rule nothing-random: two renderings of the same values."""

from __future__ import annotations

import time

from sidelane.checks.engine import check
from sidelane.checks.rules import nothing_random
from sidelane.manifest import Manifest

ONE = """
{apiVersion: v1, kind: Secret, metadata: {name: a, annotations: {at: "%s"}}, stringData: {password: %s}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: b}, spec: {template: {spec: {
  containers: [{name: a, args: [%s]}]}}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c-%s}}
"""


def findings_of(one: str, other: str | None) -> list[tuple[str, str]]:
    again = None if other is None else Manifest.read(other)
    report = check(Manifest.read(one), again=again, rules=(nothing_random.RULE,))
    return [(f"{finding.identity.kind} {finding.path}", finding.message) for finding in report.findings]


def test_whatever_differs_is_found_once_and_no_value_is_shown() -> None:
    now = int(time.time())
    places = findings_of(ONE % (now, "hunter21", "x", "a"), ONE % (now + 1, "hunter22", "y", "b"))
    assert sorted(place for place, _ in places) == [
        "ConfigMap metadata.name",
        "Deployment spec.template.spec.containers[0].args[0]",
        "Secret metadata.annotations[at]",
        "Secret stringData[password]",
    ]
    assert "hunter2" not in str(places)


def test_an_equal_or_a_missing_second_rendering_is_clean() -> None:
    text = ONE % ("old", "hunter21", "x", "a")
    assert findings_of(text, text) == findings_of(text, None) == []
