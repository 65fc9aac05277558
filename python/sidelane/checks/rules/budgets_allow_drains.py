"""A disruption budget lets pods be evicted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.checks.rules.spreading import SERVED
from sidelane.checks.rules.workloads import pods_by_label, replicas
from sidelane.manifest import Object, selectors
from sidelane.manifest.fields import at, walk


def _check(context: Context) -> Iterator[Problem]:
    budgets = [obj for obj in context.manifest.objects if obj.kind == "PodDisruptionBudget"]
    for obj in budgets:
        for path, most in walk(obj.body, "spec.maxUnavailable"):
            if most in (0, "0", "0%") and most is not False:
                yield Problem(obj, path, "lets no pod be evicted")
        least = at(obj.body, "spec", "minAvailable")
        pods = pods_by_label(context)
        matched = [workload for each in selectors(obj) for workload in pods.matches(obj.identity.namespace, each)]
        if least == "100%" or _holds_all(least, matched):
            yield Problem(obj, "spec.minAvailable", f"{least} of the pods must stay, so none can be evicted")


def _holds_all(least: object, workloads: list[Object]) -> bool:
    """Return whether a number is not less than that of all pods, if no autoscaler may change it."""
    if not isinstance(least, int) or isinstance(least, bool) or not workloads:
        return False
    known = all(
        isinstance(at(workload.body, "spec", "replicas"), int) and workload.kind != "DaemonSet"
        for workload in workloads
    )
    return known and 0 < sum(map(replicas, workloads)) <= least


RULE: Final[Rule] = Rule(
    id="budgets-allow-drains",
    title="A disruption budget lets pods be evicted",
    explanation=(
        "A budget that never allows an eviction stops the drain of each node with such a pod, and with it the upgrade "
        "of the cluster, until somebody deletes the budget."
    ),
    remedy="use maxUnavailable: 1, or a minAvailable below the number of pods",
    wrong=(
        SERVED.replace("maxUnavailable: 1", "maxUnavailable: 0"),
        SERVED.replace("maxUnavailable: 1", "minAvailable: 100%"),
        SERVED.replace("maxUnavailable: 1", "minAvailable: 3"),
    ),
    right=(SERVED, SERVED.replace("maxUnavailable: 1", "minAvailable: 2")),
    check=_check,
    origin="Kubernetes, Specifying a Disruption Budget for your Application",
    scope="all",
    severity="warning",
)
