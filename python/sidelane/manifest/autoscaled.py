"""Comparison of two manifests without the numbers of pods that an autoscaler sets.

A chart that leaves replicas to an autoscaler omits the field on an install. On an upgrade it must write the number that
the cluster has, because Kubernetes sets a removed number to 1 (helm/helm#12650). So the same chart and values give a
manifest with or without the field, and with a different number a moment later.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sidelane.manifest.fields import at, mapping
from sidelane.manifest.objects import Identity, Object

_Target = tuple[str, object, object]  # namespace, kind and name


def without_their_replicas(
    a: Sequence[Object], b: Sequence[Object], *, numbers: bool = False
) -> tuple[Sequence[Object], Sequence[Object]]:
    """Return both without ``spec.replicas`` of the objects that are autoscaled in both, if only one has the field.

    numbers: also if both have it, because each number was read from the cluster at a different time.
    """
    scaled = _targets(a) & _targets(b)
    if not scaled:
        return a, b
    left, right = ({obj.identity for obj in side if at(obj.body, "spec", "replicas") is not None} for side in (a, b))
    odd = {obj.identity for obj in (*a, *b) if _target(obj.identity) in scaled}
    odd &= left | right if numbers else left ^ right
    return _without(a, odd), _without(b, odd)


def autoscaled(objects: Sequence[Object]) -> set[Identity]:
    """Return the identities of the objects that an autoscaler among them scales."""
    scaled = _targets(objects)
    return {obj.identity for obj in objects if _target(obj.identity) in scaled}


def _targets(objects: Sequence[Object]) -> set[_Target]:
    """Return the targets of the autoscalers among these objects."""
    autoscalers = [obj for obj in objects if obj.kind == "HorizontalPodAutoscaler"]
    refs = [
        (autoscaler.identity.namespace, mapping(autoscaler.body, "spec", "scaleTargetRef"))
        for autoscaler in autoscalers
    ]
    return {(namespace, ref.get("kind"), ref.get("name")) for namespace, ref in refs}


def _target(identity: Identity) -> _Target:
    return identity.namespace, identity.kind, identity.name


def _without(objects: Sequence[Object], odd: Collection[Identity]) -> Sequence[Object]:
    return [_without_replicas(obj) if obj.identity in odd else obj for obj in objects]


def _without_replicas(obj: Object) -> Object:
    spec = {key: value for key, value in obj.body["spec"].items() if key != "replicas"}
    return obj._replace(body={**obj.body, "spec": spec})
