"""No selector of one release matches pods or Services of the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from sidelane.checks.findings import Severity
from sidelane.checks.side_by_side.clash import Clash, Side, Touch, is_route
from sidelane.manifest import LabelIndex, Object, Selector, selectors
from sidelane.manifest.fields import at

_PODS: Final = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {labels}}}
  template: {{metadata: {{labels: {labels}}}, spec: {{{spec}}}}}
"""
_OBJECT: Final = """\
---
apiVersion: {version}
kind: {kind}
metadata: {{name: {name}, labels: {{app: web}}}}
spec: {{{spec}}}
"""
_BUDGET: Final = "selector: {matchLabels: {app: web}}"
_SPREAD: Final = "topologySpreadConstraints: [{labelSelector: {matchLabels: {app: web}}}]"
_APART: Final = (
    "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
    "[{topologyKey: host, labelSelector: {matchLabels: {app: web}}}]}}"
)


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    for obj in mine.objects:
        if obj.is_hook or is_route(obj):
            continue
        for selector in selectors(obj):
            # The user says whom a policy lets in.
            if selector.role == "peer":
                continue
            index = theirs.labels[selector.selects]
            if matched := _matches(obj, selector, index, mine, theirs):
                yield _touch(obj, selector, matched)


def _matches(obj: Object, selector: Selector, index: LabelIndex, mine: Side, theirs: Side) -> list[Object]:
    """Return the other's objects that the selector matches, without those that both releases share."""
    candidates = (
        each for namespace in _namespaces(obj, selector, index) for each in index.matches(namespace, selector)
    )
    return [each for each in candidates if theirs.identity(each) not in mine.by_identity]


def _namespaces(obj: Object, selector: Selector, index: LabelIndex) -> Collection[str]:
    """Return the namespaces in which the selector acts: its own, or for a monitor and an affinity those it names."""
    named = at(obj.body, "spec", "namespaceSelector")
    if selector.elsewhere or at(named, "any") is True:
        return index.namespaces
    names = at(named, "matchNames")
    return tuple(map(str, names)) if isinstance(names, list) and names else (obj.identity.namespace,)


def _touch(obj: Object, selector: Selector, matched: list[Object]) -> Touch:
    more = f" and {len(matched) - 1} more" if len(matched) > 1 else ""
    what = (
        f"selects the pods of {matched[0].identity}" if selector.selects == "pods" else f"selects {matched[0].identity}"
    )
    return Touch(obj, selector.path, f"{what}{more} of the other release", matched[0], severity=_severity(selector))


def _severity(selector: Selector) -> Severity:
    """Preferences only move pods; whatever else a selector does reaches the other's."""
    return "warning" if "preferred" in selector.path or "topologySpread" in selector.path else "error"


def _web(name: str, spec: str = "") -> str:
    return _PODS.format(name=name, labels="{app: web}", spec=spec)


def _own(name: str, spec: str = "") -> str:
    return _PODS.format(name=name, labels=f"{{app: web, release: {name}}}", spec=spec)


CLASH: Final[Clash] = Clash(
    id="foreign-selectors",
    title="No selector matches the other release's pods or Services",
    explanation=(
        "A Service leads to all pods of its namespace that its selector matches, a budget and a policy apply to all of "
        "them, and a monitor reads all matching Services. Helm and the API server accept a selector that also matches "
        "the other release's: requests then reach both versions, and nobody is told."
    ),
    remedy="add app.kubernetes.io/instance, or the label of the lane, to the selector and to the pods",
    wrong=(
        (_web("a"), _web("b")),
        (_OBJECT.format(version="v1", kind="Service", name="a", spec="selector: {app: web}"), _own("b")),
        (_own("a"), _OBJECT.format(version="policy/v1", kind="PodDisruptionBudget", name="b", spec=_BUDGET)),
        (
            _OBJECT.format(version="networking.k8s.io/v1", kind="NetworkPolicy", name="a", spec="podSelector: {}"),
            _own("b"),
        ),
        (
            _OBJECT.format(version="monitoring.coreos.com/v1", kind="ServiceMonitor", name="a", spec=_BUDGET),
            _OBJECT.format(version="v1", kind="Service", name="b", spec="ports: []"),
        ),
        (_own("a", _SPREAD), _own("b")),
        (_own("a"), _own("b", _APART)),
    ),
    right=(
        (_own("a"), _own("b")),
        (_OBJECT.format(version="v1", kind="Service", name="a", spec="clusterIP: None"), _own("b")),
        (
            _OBJECT.format(version="v1", kind="Service", name="a, namespace: one", spec="selector: {app: web}"),
            _own("b"),
        ),
    ),
    find=_find,
    both_ways=True,
    origin="Kubernetes, Labels and Selectors; Deployments: Selector",
)
