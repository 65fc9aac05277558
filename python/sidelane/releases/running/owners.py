"""Which live objects controllers created for a release: their owners by uid, which nobody can invent for a live owner.

A uid in an owner reference alone proves nothing, because anybody can write one. So only the kinds that Kubernetes'
controllers create are accepted, and pods and revisions are compared with their workload (pods.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sidelane.manifest.fields import mapping
from sidelane.releases.running.reading import Running

#: Kind → the kinds of the objects that a controller creates for it.
_CREATED: Final = {
    "Deployment": ("ReplicaSet",),
    "StatefulSet": ("ControllerRevision", "Pod"),
    "DaemonSet": ("ControllerRevision", "Pod"),
    "ReplicaSet": ("Pod",),
    "CronJob": ("Job",),
    "Job": ("Pod",),
    "Service": ("EndpointSlice",),
}


def uid(body: Mapping[str, Any]) -> str:
    """Returns an object's uid, empty for an object without one."""
    return str(mapping(dict(body), "metadata").get("uid") or "")


def controller(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the owner reference of an object's controller, empty if it has none."""
    owners = mapping(dict(body), "metadata").get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller") is True), {})


def created(running: Running, roots: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Returns the objects that controllers created for these, at any depth: by uid, each with its root."""
    level = {uid(root): root for root in roots if uid(root)}
    kinds = {uid(root): str(root.get("kind")) for root in level.values()}
    objects: dict[str, Mapping[str, Any]] = {}
    while level:
        below: dict[str, Mapping[str, Any]] = {}
        for body in _candidates(running, {kinds[each] for each in level}):
            owner = str(controller(body).get("uid") or "")
            if owner in level and str(body["kind"]) in _created_for(kinds[owner]):
                below[uid(body)] = level[owner]
                kinds[uid(body)] = str(body["kind"])
        level = {each: root for each, root in below.items() if each not in objects}
        objects |= level
    return objects


def _created_for(kind: str) -> tuple[str, ...]:
    # An operator creates objects of any kind for its own.
    return _CREATED.get(kind, tuple(_CREATED) if kind not in _PLAIN else ())


def _candidates(running: Running, kinds: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    yield from running.of(*sorted({below for kind in kinds for below in _created_for(kind)}))


#: Kinds of Kubernetes for which no controller creates other objects.
_PLAIN: Final = frozenset({
    "Pod", "ConfigMap", "Secret", "ServiceAccount", "ControllerRevision", "EndpointSlice", "NetworkPolicy", "Ingress",
    "PodDisruptionBudget", "HorizontalPodAutoscaler", "Role", "RoleBinding",
})  # fmt: skip
