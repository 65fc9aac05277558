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
    left, right = ({one.identity for one in side if at(one.body, "spec", "replicas") is not None} for side in (a, b))
    odd = {one.identity for one in (*a, *b) if _target(one.identity) in scaled}
    odd &= left | right if numbers else left ^ right
    return _without(a, odd), _without(b, odd)


def autoscaled(objects: Sequence[Object]) -> set[Identity]:
    """Return the identities of the objects that an autoscaler among them scales."""
    scaled = _targets(objects)
    return {one.identity for one in objects if _target(one.identity) in scaled}


def _targets(objects: Sequence[Object]) -> set[_Target]:
    """Return the targets of the autoscalers among these objects."""
    autoscalers = [one for one in objects if one.kind == "HorizontalPodAutoscaler"]
    refs = [(one.identity.namespace, mapping(one.body, "spec", "scaleTargetRef")) for one in autoscalers]
    return {(namespace, ref.get("kind"), ref.get("name")) for namespace, ref in refs}


def _target(identity: Identity) -> _Target:
    return identity.namespace, identity.kind, identity.name


def _without(objects: Sequence[Object], odd: Collection[Identity]) -> Sequence[Object]:
    return [_without_replicas(one) if one.identity in odd else one for one in objects]


def _without_replicas(one: Object) -> Object:
    spec = {key: value for key, value in one.body["spec"].items() if key != "replicas"}
    return one._replace(body={**one.body, "spec": spec})
