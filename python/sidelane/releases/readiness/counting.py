"""The number of ready and wanted pods of a workload, from the workload alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sidelane.manifest import Object
from sidelane.manifest.fields import at
from sidelane.releases.readiness.objects import condition

#: Kinds with a number of wanted pods in their spec, and of ready ones in their status.
_SCALED: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


def short_of_pods(asked: Object, live: Mapping[str, Any], *, may_differ: bool, least: int = 1) -> str:
    """Describes in one clause that a workload has too few ready pods; empty if it has enough.

    may_differ: others may set the replicas, so the live number counts. But 0 never counts as wanted: then the deployed
    number counts, or ``least``, the autoscaler's minimum.
    """
    if asked.kind == "Pod":
        ended = at(live, "status", "phase") == "Succeeded"
        return "" if ended or condition(live, "Ready").get("status") == "True" else "it is not ready"
    if asked.kind == "DaemonSet":
        ready, wanted = (_count(live, "status", key) for key in ("numberReady", "desiredNumberScheduled"))
    elif asked.kind in _SCALED:
        ready, wanted = _count(live, "status", "readyReplicas"), _wanted(asked, live, may_differ, least)
    else:
        return ""
    return f"{ready} of {wanted} pods are ready" if ready < wanted else ""


def _wanted(asked: Object, live: Mapping[str, Any], may_differ: bool, least: int) -> int:
    said = at(asked.body, "spec", "replicas")
    there = at(live, "spec", "replicas")
    deployed = said if isinstance(said, int) else least
    return (there if isinstance(there, int) and there > 0 else deployed) if may_differ else deployed


def _count(body: Mapping[str, Any], *keys: str) -> int:
    value = at(body, *keys)
    return value if isinstance(value, int) else 0
