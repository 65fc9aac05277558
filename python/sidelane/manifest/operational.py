"""The fields of a release's objects that operational values set.

A chart lists its operational values. The last part of a value's name says which fields it sets:

    replicas                  spec.replicas of one workload
    autoscaling               a HorizontalPodAutoscaler, which sets spec.replicas of the workload that it names
    networkPolicy             a NetworkPolicy
    podDisruptionBudget       a PodDisruptionBudget

``# Source:`` comments name the subchart of an object: ``supervisor.replicas`` of the chart pipeline is ``replicas`` of
its subchart supervisor. Within a chart, a workload uses the section with its component's name (``web.replicas``); only
a workload without a section uses the chart's own ``replicas``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sidelane.manifest import Identity, Object
from sidelane.manifest.fields import at, mapping
from sidelane.manifest.objects import canonical
from sidelane.naming.labels import COMPONENT, LANE

#: The field with a workload's number of pods.
REPLICAS: Final = "spec.replicas"

_SCALED: Final = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet")})
#: The kinds whose objects a value sets as a whole.
_KINDS: Final = ("HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget")
_SOURCE: Final = re.compile(r"^(?P<chart>[^/]+)(?P<below>(?:/charts/[^/]+)*)/templates/")


def scalable(objects: Iterable[Object], names: Iterable[str], values: Mapping[str, Any]) -> dict[Identity, str]:
    """Return the workloads whose number of pods may change, each with the value that sets it.

    names: the operational values. values: all values as templates see them, or as many as are known. The value is empty
    if only an autoscaler among these objects sets the number.
    """
    workloads = [obj for obj in objects if (obj.identity.group, obj.kind) in _SCALED and not obj.is_hook]
    of_chart = Counter(_scope(obj) for obj in workloads)
    targets = autoscaled(objects)
    operational = frozenset(names)
    setters = {}
    for obj in workloads:
        value = _own(obj, values, alone=of_chart[_scope(obj)] == 1)
        if under(value, operational):
            setters[obj.identity] = value
        elif obj.identity in targets:
            setters[obj.identity] = ""
    return setters


def autoscaled(objects: Iterable[Object]) -> dict[Identity, int]:
    """Return the workloads that a HorizontalPodAutoscaler among these objects scales, with their minReplicas."""
    minimums = {}
    for obj in objects:
        if obj.kind == "HorizontalPodAutoscaler":
            target = mapping(obj.body, "spec", "scaleTargetRef")
            group = str(target.get("apiVersion") or "").rpartition("/")[0]
            least = at(obj.body, "spec", "minReplicas")
            identity = Identity(group, str(target.get("kind")), obj.identity.namespace, str(target.get("name")))
            minimums[identity] = least if isinstance(least, int) else 1
    return minimums


def of_kind(obj: Object, paths: Iterable[str]) -> bool:
    """Return whether one of these values sets all objects of this one's kind in its chart."""
    scope = _scope(obj)
    return any(
        stands_for(obj.kind, path) and (scope is None or tuple(path.split("."))[: len(scope[1])] == scope[1])
        for path in paths
    )


def stands_for(kind: str, path: str) -> bool:
    """Return whether a value sets all objects of a kind: ``networkPolicy.enabled`` for a NetworkPolicy."""
    if kind not in _KINDS:
        return False
    name = "autoscaling" if kind == "HorizontalPodAutoscaler" else kind[:1].lower() + kind[1:]
    return name in path.split(".")


def known(path: str) -> bool:
    """Return whether a value's name tells which fields it sets."""
    return path.rpartition(".")[2] == "replicas" or any(stands_for(kind, path) for kind in _KINDS)


def nested(names: Iterable[str]) -> dict[str, Any]:
    """Return empty values under these names, for a chart that is not available."""
    values: dict[str, Any] = {}
    for name in sorted(names):
        node = values
        for step in name.split("."):
            node = node.setdefault(step, {})
    return values


def under(path: str, names: Iterable[str]) -> bool:
    """Return whether a path is one of these names or below one."""
    return any(path == name or path.startswith(f"{name}.") for name in names)


def without_replicas(obj: Object) -> str:
    """Return the object without its number of pods, as canonical JSON."""
    spec = {key: value for key, value in mapping(obj.body, "spec").items() if key != "replicas"}
    return canonical({**obj.body, "spec": spec})


def _scope(obj: Object) -> tuple[str, tuple[str, ...]] | None:
    """Return an object's chart, and the chart's path below the release's chart; None if it is unknown."""
    match = _SOURCE.match(obj.source)
    if match is None:
        return None
    below = tuple(match["below"].split("/charts/")[1:])
    return (below[-1] if below else match["chart"]), below


def _own(obj: Object, values: Mapping[str, Any], *, alone: bool) -> str:
    """Return the path of the value that sets a workload's number of pods. alone: it is its chart's only workload."""
    chart, scope = _scope(obj) or ("", ())
    section = _section(mapping(dict(values), *scope), _component(obj))
    if section is not None:
        name, has_replicas = section
        if has_replicas or not (alone or chart == _component(obj)):
            return ".".join((*scope, name, "replicas"))
    return ".".join((*scope, "replicas"))


def _component(obj: Object) -> str:
    """Return a workload's component: its name without the lane."""
    lane = obj.labels.get(LANE)
    named = obj.name.removesuffix(f"-{lane}") if lane else obj.name
    return str(obj.labels.get(COMPONENT) or named)


def _section(values: Mapping[str, Any], component: str) -> tuple[str, bool] | None:
    """Return the section of values with a component's name, and whether it has ``replicas``."""
    for key, value in values.items():
        if isinstance(value, Mapping) and re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", key).lower() == component.lower():
            return key, "replicas" in value
    return None


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or None."""
    return at(dict(values), *path.split(".")) if path else None
