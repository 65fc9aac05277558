"""The rules of Helm's --wait for a ready object.

Source: Helm 3.17 pkg/kube/ready.go; for Helm 4 the package kstatus, as its pkg/kube/statuswait.go uses it. Each rule
takes an object from the API server, and returns the reason why it is not ready, in one clause; empty if it is ready.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sidelane.manifest.fields import at, mapping

Body = Mapping[str, Any]


def lacking(body: Body, helm: int) -> str:
    """Returns the reason why Helm of this major version would still wait for this object; empty when it would not."""
    kind = _kind(body)
    if helm >= 4 and at(body, "metadata", "deletionTimestamp"):
        return "it is being deleted"
    rule = (_RULES_3 if helm < 4 else _RULES_4).get(kind)
    if helm >= 4 and not (kind == "apps/Deployment" and at(body, "spec", "paused")):
        observed = at(body, "status", "observedGeneration")
        if observed is not None and observed != at(body, "metadata", "generation"):
            return "its controller has not seen its last change"
        return rule(body) if rule else _generic(body)
    return rule(body) if rule else ""


def wanted(body: Body) -> int:
    """Returns the number of wanted pods of an object; 1 for an object without pods that Helm waits for."""
    kind = _kind(body)
    if kind == "apps/DaemonSet":
        return int(at(body, "status", "desiredNumberScheduled") or 0)
    if kind in ("apps/Deployment", "apps/StatefulSet", "apps/ReplicaSet", "ReplicationController"):
        return _number(body, 1, "spec", "replicas")
    return 1


def is_waited_for(body: Body, helm: int) -> bool:
    """Returns True for an object that Helm's --wait may wait for. ``body`` may come from a manifest."""
    kind = _kind(body)
    if kind == "Service":
        return bool(at(body, "spec", "type") == "LoadBalancer")
    if kind in (_RULES_3 if helm < 4 else _RULES_4):
        return True
    # Helm 4 reads the conditions of custom resources.
    group = kind.partition("/")[0] if "/" in kind else ""
    return helm >= 4 and "." in group and not group.endswith(".k8s.io")


def condition(body: Body, kind: str) -> dict[str, Any]:
    """Returns an object's condition of a type, empty if there is none."""
    conditions = at(body, "status", "conditions")
    every = conditions if isinstance(conditions, list) else []
    return next((each for each in every if isinstance(each, dict) and each.get("type") == kind), {})


def _kind(body: Body) -> str:
    group, slash, _ = str(body.get("apiVersion") or "").partition("/")
    return f"{group}/{body.get('kind')}" if slash else str(body.get("kind"))


def _number(body: Body, default: int, *keys: str) -> int:
    value = at(body, *keys)
    return value if isinstance(value, int) else default


def _status(body: Body, name: str) -> int:
    return _number(body, 0, "status", name)


def _of(have: int, want: int, what: str) -> str:
    return f"{have} of {want} pods are {what}" if have < want else ""


def _generation(body: Body) -> str:
    seen = at(body, "status", "observedGeneration") == at(body, "metadata", "generation")
    return "" if seen else "its controller has not seen its last change"


def _share(value: object, total: int, *, up: bool) -> int:
    """Returns the number for a value that is a number or a percentage of a total."""
    if isinstance(value, str) and value.endswith("%"):
        try:
            percent = int(value[:-1])
        except ValueError:
            return total
        return -(-total * percent // 100) if up else total * percent // 100
    return value if isinstance(value, int) else total


# -- Helm 3 --------------------------------------------------------------------------------------------------------


def _deployment_3(body: Body) -> str:
    if at(body, "spec", "paused"):
        return ""
    replicas = wanted(body)
    spare = 0
    rolling = mapping(body, "spec", "strategy", "rollingUpdate")
    if at(body, "spec", "strategy", "type") == "RollingUpdate" and replicas:
        surge = _share(rolling.get("maxSurge", "25%"), replicas, up=True)
        spare = _share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        spare = min(spare or (0 if surge else 1), replicas)
    # ``assess`` puts the ready pods of the newest ReplicaSet there.
    return _generation(body) or _of(_number(body, 0, "newReady"), replicas - spare, "ready")


def _stateful_set_3(body: Body) -> str:
    if problem := _generation(body):
        return problem
    if at(body, "spec", "updateStrategy", "type") != "RollingUpdate":
        return ""
    replicas = wanted(body)
    partition = _number(body, 0, "spec", "updateStrategy", "rollingUpdate", "partition")
    if problem := _of(_status(body, "updatedReplicas"), replicas - partition, "up to date"):
        return problem
    if _status(body, "readyReplicas") != replicas:
        return f"{_status(body, 'readyReplicas')} of {replicas} pods are ready"
    return _revision(body) if partition == 0 else ""


def _revision(body: Body) -> str:
    same = at(body, "status", "currentRevision") == at(body, "status", "updateRevision")
    return "" if same else "its rollout has not ended"


def _daemon_set_3(body: Body) -> str:
    if problem := _generation(body):
        return problem
    if at(body, "spec", "updateStrategy", "type") != "RollingUpdate":
        return ""
    desired = _status(body, "desiredNumberScheduled")
    if _status(body, "updatedNumberScheduled") != desired:
        return f"{_status(body, 'updatedNumberScheduled')} of {desired} pods are up to date"
    spare = _share(mapping(body, "spec", "updateStrategy", "rollingUpdate").get("maxUnavailable", 1), desired, up=True)
    return _of(_status(body, "numberReady"), desired - spare, "ready")


def _service_3(body: Body) -> str:
    if at(body, "spec", "type") == "ExternalName":
        return ""
    if at(body, "spec", "clusterIP") in (None, ""):
        return "it has no cluster IP"
    waits = at(body, "spec", "type") == "LoadBalancer" and not at(body, "spec", "externalIPs")
    return "its load balancer has no address" if waits and not at(body, "status", "loadBalancer", "ingress") else ""


def _replicas_3(body: Body) -> str:
    return _generation(body) or _of(_status(body, "readyReplicas"), _status(body, "replicas"), "ready")


def _pod_3(body: Body) -> str:
    return "" if condition(body, "Ready").get("status") == "True" else "it is not ready"


def _claim(body: Body) -> str:
    phase = at(body, "status", "phase")
    return "" if phase == "Bound" else f"its phase is {phase or 'not set'}"


def _definition(body: Body) -> str:
    established = condition(body, "Established").get("status") == "True"
    refused = condition(body, "NamesAccepted").get("status") == "False"
    return "" if established or refused else "it is not established"


# -- Helm 4 --------------------------------------------------------------------------------------------------------


def _deployment_4(body: Body) -> str:
    if at(body, "spec", "paused"):
        return ""
    progressing = condition(body, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return "its progress deadline is exceeded"
    replicas, updated = wanted(body), _status(body, "updatedReplicas")
    old = _status(body, "replicas") - replicas
    return (
        _of(_status(body, "replicas"), replicas, "made")
        or _of(updated, replicas, "up to date")
        or (f"{old} surplus pods are still terminating" if old > 0 else "")
        or _of(_status(body, "availableReplicas"), updated, "available")
        or _of(_status(body, "readyReplicas"), replicas, "ready")
        or _deployment_conditions(body, progressing)
    )


def _deployment_conditions(body: Body, progressing: Body) -> str:
    limit = at(body, "spec", "progressDeadlineSeconds") in (None, 2**31 - 1)
    if not limit and (progressing.get("status"), progressing.get("reason")) != ("True", "NewReplicaSetAvailable"):
        return "its rollout has not ended"
    return "" if condition(body, "Available").get("status") == "True" else "it is not available"


def _stateful_set_4(body: Body) -> str:
    if at(body, "spec", "updateStrategy", "type") == "OnDelete":
        return ""
    replicas, old = wanted(body), _status(body, "replicas") - wanted(body)
    partition = at(body, "spec", "updateStrategy", "rollingUpdate", "partition")
    problem = (
        _of(_status(body, "replicas"), replicas, "made")
        or _of(_status(body, "readyReplicas"), replicas, "ready")
        or (f"{old} surplus pods are still terminating" if old > 0 else "")
    )
    if problem or partition is not None:
        return problem or _of(_status(body, "updatedReplicas"), replicas - (partition or 0), "up to date")
    return _of(_status(body, "currentReplicas"), replicas, "of its current revision") or _revision(body)


def _daemon_set_4(body: Body) -> str:
    desired = at(body, "status", "desiredNumberScheduled")
    if desired is None or at(body, "status", "observedGeneration") is None:
        return "its controller has not seen it"
    return (
        _of(_status(body, "currentNumberScheduled"), desired, "made")
        or _of(_status(body, "updatedNumberScheduled"), desired, "up to date")
        or _of(_status(body, "numberAvailable"), desired, "available")
        or _of(_status(body, "numberReady"), desired, "ready")
    )


def _replica_set_4(body: Body) -> str:
    failure = condition(body, "ReplicaFailure")
    if failure.get("status") == "True":
        return str(failure.get("reason") or "its pods cannot be created")
    replicas, old = wanted(body), _status(body, "replicas") - wanted(body)
    return (
        _of(_status(body, "fullyLabeledReplicas"), replicas, "made")
        or _of(_status(body, "availableReplicas"), replicas, "available")
        or _of(_status(body, "readyReplicas"), replicas, "ready")
        or (f"{old} surplus pods are still terminating" if old > 0 else "")
    )


def _job_4(body: Body) -> str:
    if condition(body, "Failed").get("status") == "True":
        return "it failed"
    done = condition(body, "Complete").get("status") == "True"
    return "" if done or at(body, "status", "startTime") else "it has not started"


def _pod_4(body: Body) -> str:
    phase = at(body, "status", "phase")
    done = phase in ("Succeeded", "Failed")  # Helm 4 accepts either end
    return "" if done else _pod_3(body)


def _service_4(body: Body) -> str:
    waits = at(body, "spec", "type") == "LoadBalancer" and not at(body, "spec", "clusterIP")
    return "it has no cluster IP" if waits else ""


def _generic(body: Body) -> str:
    for kind, bad in (("Reconciling", "True"), ("Stalled", "True"), ("Ready", "False"), ("Ready", "Unknown")):
        state = condition(body, kind)
        if state.get("status") == bad:
            return str(state.get("message") or state.get("reason") or f"its condition {kind} is {bad}")
    return ""


_RULES_3: Final[dict[str, Callable[[Body], str]]] = {
    "Pod": _pod_3,
    "PersistentVolumeClaim": _claim,
    "Service": _service_3,
    "ReplicationController": _replicas_3,
    "apps/Deployment": _deployment_3,
    "apps/StatefulSet": _stateful_set_3,
    "apps/DaemonSet": _daemon_set_3,
    "apps/ReplicaSet": _replicas_3,
    "apiextensions.k8s.io/CustomResourceDefinition": _definition,
}
_RULES_4: Final[dict[str, Callable[[Body], str]]] = {
    "Pod": _pod_4,
    "PersistentVolumeClaim": _claim,
    "Service": _service_4,
    "ReplicationController": _generic,
    "apps/Deployment": _deployment_4,
    "apps/StatefulSet": _stateful_set_4,
    "apps/DaemonSet": _daemon_set_4,
    "apps/ReplicaSet": _replica_set_4,
    "batch/Job": _job_4,
    "apiextensions.k8s.io/CustomResourceDefinition": _definition,
}


def job_lacking(body: Body) -> str:
    """Returns the reason why Helm still waits for a Job that is one of its hooks; empty when it is complete."""
    if condition(body, "Failed").get("status") == "True":
        return "it failed"
    return "" if condition(body, "Complete").get("status") == "True" else "it is not complete"
