"""No object has an API version that Kubernetes will remove."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.apis import NEWEST
from sidelane.checks.rules.examples import made
from sidelane.checks.rules.removed_apis import ending_objects, instead, newest
from sidelane.checks.rules.rule import Context, Problem, Rule


def _check(context: Context) -> Iterator[Problem]:
    for obj, ending in ending_objects(context):
        if ending.deprecated <= newest(context) < ending.removed:
            message = (
                f"{obj.body['apiVersion']} {obj.kind} is deprecated since Kubernetes 1.{ending.deprecated}, "
                f"and 1.{ending.removed} removes it"
            )
            yield Problem(obj, "apiVersion", message, instead(ending))


RULE: Final[Rule] = Rule(
    id="deprecated-apis",
    title="No object has an API version that Kubernetes will remove",
    explanation=(
        "A deprecated API version works until the cluster is upgraded. Then the next install of the same chart fails. "
        f"The rule knows what is deprecated in Kubernetes 1.{NEWEST}."
    ),
    remedy="use the version that replaces it",
    wrong=(made("resource.k8s.io/v1beta1", "ResourceClaim", "spec: {}"),),
    right=(made("resource.k8s.io/v1", "ResourceClaim", "spec: {}"),),
    check=_check,
    origin="Kubernetes, Deprecated API Migration Guide; k8s.io/api v0.37.1",
    scope="all",
    severity="warning",
)
