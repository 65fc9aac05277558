"""Several pods of a workload spread, and evictions leave some of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.examples import RELEASE, edited, made
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.checks.rules.workloads import lasting, pods_by_label, replicas
from sidelane.manifest import Identity, Object, PodTemplate, selectors

_ANTI: Final = "affinity.podAntiAffinity"


def _check(context: Context) -> Iterator[Problem]:
    guarded = _guarded(context)
    for obj, template in lasting(context.manifest):
        if obj.kind == "DaemonSet" or replicas(obj) < 2:
            continue
        if not _is_spread(obj, template):
            yield Problem(
                obj,
                template.within("spec.topologySpreadConstraints"),
                f"{replicas(obj)} pods have no constraint that spreads them by their own labels",
            )
        if obj.identity not in guarded:
            yield Problem(
                obj, "spec.replicas", f"{replicas(obj)} pods have no disruption budget", "add a PodDisruptionBudget"
            )


def _is_spread(obj: Object, template: PodTemplate) -> bool:
    """Return whether a constraint or an anti-affinity of the pods matches the pods themselves."""
    base = template.within("spec")
    own = [s for s in selectors(obj) if s.path.startswith((f"{base}.topologySpread", f"{base}.{_ANTI}"))]
    return any(selector.matches(template.labels) for selector in own)


def _guarded(context: Context) -> set[Identity]:
    """Return the workloads with a disruption budget."""
    budgets = [obj for obj in context.manifest.objects if obj.kind == "PodDisruptionBudget"]
    return {
        workload.identity
        for obj in budgets
        for selector in selectors(obj)
        for workload in pods_by_label(context).matches(obj.identity.namespace, selector)
    }


_SPREAD: Final = (
    "      automountService",
    (
        "      topologySpreadConstraints:\n"
        "        - {topologyKey: kubernetes.io/hostname, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway,\n"
        "           labelSelector: {matchLabels: *own}}\n"
        "      automountService"
    ),
)
_MANY: Final = ("replicas: 1", "replicas: 3")
_SELECTOR: Final = "selector: {matchLabels: {app: svc1-2-coco-1, version: v1, sidelane.dev/lane: 2-coco-1}}"
_BUDGET: Final = made("policy/v1", "PodDisruptionBudget", f"spec: {{maxUnavailable: 1, {_SELECTOR}}}")
SERVED: Final = edited(RELEASE, _MANY, _SPREAD) + _BUDGET

RULE: Final[Rule] = Rule(
    id="spreading",
    title="Several pods of a workload spread, and evictions leave some of them",
    explanation=(
        "Several pods protect from the loss of a node only if they run on several, and from a drain only if a "
        "disruption budget keeps some of them. A constraint whose selector does not match the workload's own pods "
        "counts others and spreads nothing. A workload of one pod needs neither."
    ),
    remedy="add topologySpreadConstraints with the selector of the workload",
    wrong=(
        edited(RELEASE, _MANY) + _BUDGET,
        edited(RELEASE, _MANY, _SPREAD),
    ),
    right=(SERVED, RELEASE),
    check=_check,
    origin="Kubernetes, Pod Topology Spread Constraints; Specifying a Disruption Budget",
    scope="practice",
    severity="warning",
)
