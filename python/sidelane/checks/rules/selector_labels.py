"""Selectors match only their own release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sidelane.checks.conventions import Conventions
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.manifest import Selector, selectors

_SERVICE: Final = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {{app.kubernetes.io/name: shop, app.kubernetes.io/instance: web}}
spec:
  selector: {selector}
"""


def _check(context: Context) -> Iterator[Problem]:
    conventions = context.conventions
    if not conventions.selectors or conventions.parts_lanes:  # lane-selectors checks those
        return
    for obj in context.manifest.objects:
        known = context.known(obj)
        for selector in selectors(obj):
            if message := _message(selector, conventions, known):
                yield Problem(obj, selector.path, message)


def _message(selector: Selector, conventions: Conventions, known: Mapping[str, str]) -> str:
    if selector.role == "peer" or selector.elsewhere:
        return ""
    if selector.is_empty:
        return f"is empty, so it selects all {selector.selects} of the namespace"
    if conventions.parts(selector, known):
        return ""
    return f"does not require {conventions.wanted(known)}, so it may match other releases"


RULE: Final[Rule] = Rule(
    id="selector-labels",
    title="Selectors match only their own release",
    explanation=(
        "A Service, a workload, a disruption budget or a policy acts on every pod in the namespace that its selector "
        "matches. If a selector requires only the chart's name, the Service of one release leads to the pods of "
        "another one, and Helm says nothing. So a selector must require a label that only its own release has. "
        "Selectors of a lane are checked by lane-selectors; peers of a NetworkPolicy may be outside the release."
    ),
    remedy="add the release's label, app.kubernetes.io/instance, to the selector and to the pods",
    wrong=(
        _SERVICE.format(selector="{app.kubernetes.io/name: shop}"),
        _SERVICE.format(selector="{app.kubernetes.io/instance: other}"),
    ),
    right=(
        _SERVICE.format(selector="{app.kubernetes.io/name: shop, app.kubernetes.io/instance: web}"),
        _SERVICE.format(selector="{release: web, app: shop}"),
        _SERVICE.format(selector="{app.kubernetes.io/name: web-shop}"),
    ),
    check=_check,
    origin="Kubernetes, Recommended Labels; Helm, Best Practices: Labels and Annotations",
    scope="all",
    conventions="extends: helm",
)
