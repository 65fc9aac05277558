"""Rollouts in progress: pods of an earlier template, which the workload's controller is replacing.

The workload's own status says that it is; only its controller writes that. Otherwise such pods are drift.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sidelane.manifest.fields import at, mapping
from sidelane.releases.running import owners
from sidelane.releases.running.reading import Running

#: Annotations and labels that differ between a workload's template and its copy in a revision.
RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
_HASH: Final = "pod-template-hash"
#: The label of a StatefulSet's or DaemonSet's pods.
_REVISION: Final = "controller-revision-hash"
#: Kind → the numbers of its status: pods of the present template, and all that should have it.
_COUNTS: Final = {
    "Deployment": ("updatedReplicas", "replicas"),
    "StatefulSet": ("updatedReplicas", "replicas"),
    "DaemonSet": ("updatedNumberScheduled", "desiredNumberScheduled"),
}


def earlier(workload: Mapping[str, Any], running: Running) -> dict[str, Mapping[str, Any]]:
    """Returns the templates that a rollout in progress replaces, by the names that revisions and pods have for them
    (``revisions``); empty if the status of the workload says that it is complete.
    """
    if not _is_in_progress(workload):
        return {}
    present = plain(at(dict(workload), "spec", "template"))
    return {
        name: template
        for body in running.of("ReplicaSet", "ControllerRevision")
        if owners.controller(body).get("uid") == owners.uid(workload)
        and isinstance(template := template_of(body), Mapping)
        and plain(template) != present
        for name in revisions(body)
    }


def _is_in_progress(workload: Mapping[str, Any]) -> bool:
    counts, status = _COUNTS.get(str(workload.get("kind"))), mapping(dict(workload), "status")
    if counts is None:
        return False
    if int(status.get("observedGeneration") or 0) < int(workload["metadata"].get("generation") or 0):
        return True  # the controller has not seen the change yet
    updated, total = (int(status.get(key) or 0) for key in counts)
    return updated < max(total, int(at(dict(workload), "spec", "replicas") or 0))


def template_of(revision: Mapping[str, Any]) -> Any:
    """Returns the template in a ReplicaSet or a ControllerRevision."""
    return at(dict(revision), *path_of(revision).split("."))


def path_of(revision: Mapping[str, Any]) -> str:
    """Returns the path of the template in a ReplicaSet or a ControllerRevision."""
    return "spec.template" if revision["kind"] == "ReplicaSet" else "data.spec.template"


def revisions(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the names of a revision, or of the revision that a pod says it has: the uid of a ReplicaSet, the name of
    a StatefulSet's revision, the hash of a DaemonSet's.
    """
    label = str(mapping(dict(body), "metadata", "labels").get(_REVISION) or "")
    if body["kind"] == "Pod":
        return tuple(filter(None, (str(owners.controller(body).get("uid") or ""), label)))
    own = owners.uid(body) if body["kind"] == "ReplicaSet" else str(body["metadata"]["name"])
    return tuple(filter(None, (own, label)))


def plain(node: Any) -> Any:
    """Returns a template without what its copies differ in, and without empty fields."""
    if isinstance(node, Mapping):
        left = {
            name: plain(value)
            for name, value in node.items()
            if name not in ("$patch", RESTARTED, _HASH) and value is not None
        }
        return {name: value for name, value in left.items() if not (value == {} and name in ("annotations", "labels"))}
    return [plain(item) for item in node] if isinstance(node, list) else node
