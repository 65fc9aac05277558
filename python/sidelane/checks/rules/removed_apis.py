"""No object has an API version that Kubernetes has removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.apis import ENDINGS, NEWEST, Ending
from sidelane.checks.rules.examples import made
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.manifest import Object


def _check(context: Context) -> Iterator[Problem]:
    for obj, ending in ending_objects(context):
        if ending.removed <= newest(context):
            message = f"{obj.body['apiVersion']} {obj.kind} was removed in Kubernetes 1.{ending.removed}"
            yield Problem(obj, "apiVersion", message, instead(ending))


def ending_objects(context: Context) -> Iterator[tuple[Object, Ending]]:
    """Yield the objects whose API version is deprecated or removed."""
    for obj in context.manifest.objects:
        if ending := ENDINGS.get((str(obj.body.get("apiVersion")), obj.kind)):
            yield obj, ending


def newest(context: Context) -> int:
    """Return the newest version of Kubernetes, as 37 of 1.37: the last of the range, or else the newest known one."""
    return max(context.conventions.kubernetes, default=NEWEST)


def instead(ending: Ending) -> str:
    """Return the remedy."""
    return f"use {ending.instead}" if ending.instead else "remove the object; Kubernetes has no successor of the kind"


RULE: Final[Rule] = Rule(
    id="removed-apis",
    title="No object has an API version that Kubernetes has removed",
    explanation=(
        "The API server does not know a removed API version, so the install fails; and Helm cannot upgrade or remove "
        f"a release that holds one. The rule knows what was removed up to Kubernetes 1.{NEWEST}."
    ),
    remedy="use the version that replaced it",
    wrong=(
        made("networking.k8s.io/v1beta1", "IngressClass", "spec: {controller: acme.example/ingress}"),
        made("autoscaling/v2beta2", "HorizontalPodAutoscaler", "spec: {maxReplicas: 2}"),
    ),
    right=(
        made("networking.k8s.io/v1", "IngressClass", "spec: {controller: acme.example/ingress}"),
        made("resource.k8s.io/v1beta1", "ResourceClaim", "spec: {}"),
    ),
    check=_check,
    origin="Kubernetes, Deprecated API Migration Guide; k8s.io/api v0.37.1",
    scope="all",
)
