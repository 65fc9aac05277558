"""The fields of a release's objects that operational values set, each object's own and no other's.

A chart names its operational values; their last names say which fields these set:

    replicas                  spec.replicas of one workload
    autoscaling               a HorizontalPodAutoscaler, which sets spec.replicas of the workload that it names
    networkPolicy             a NetworkPolicy
    podDisruptionBudget       a PodDisruptionBudget

``# Source:`` comments say which chart in a chart made an object: ``supervisor.replicas`` of the chart pipeline is
``replicas`` of the chart supervisor in it. Within a chart, a workload has the value of the section that is named as its
component (``web.replicas``), and only a workload without a section has the chart's own ``replicas``.
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

#: The field that sets how many pods a workload has.
REPLICAS: Final = "spec.replicas"

_SCALED: Final = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet")})
#: The kinds that values stand for.
_KINDS: Final = ("HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget")
_SOURCE: Final = re.compile(r"^(?P<chart>[^/]+)(?P<below>(?:/charts/[^/]+)*)/templates/")


def scalable(objects: Iterable[Object], names: Iterable[str], values: Mapping[str, Any]) -> dict[Identity, str]:
    """The workloads whose number of pods is operational, each with the value that sets it.

    names: the operational values. values: all values as templates see them, or as many as are known. The value is empty
    where an autoscaler of these objects alone sets the number.
    """
    workloads = [obj for obj in objects if (obj.identity.group, obj.kind) in _SCALED and not obj.is_hook]
    of_chart = Counter(_scope(obj) for obj in workloads)
    targets = autoscaled(objects)
    operational = frozenset(names)
    found = {}
    for obj in workloads:
        value = _own(obj, values, alone=of_chart[_scope(obj)] == 1)
        if under(value, operational):
            found[obj.identity] = value
        elif obj.identity in targets:
            found[obj.identity] = ""
    return found


def autoscaled(objects: Iterable[Object]) -> dict[Identity, int]:
    """The workloads that a HorizontalPodAutoscaler of these objects scales, each with its least number of pods."""
    found = {}
    for obj in objects:
        if obj.kind == "HorizontalPodAutoscaler":
            target = mapping(obj.body, "spec", "scaleTargetRef")
            group = str(target.get("apiVersion") or "").rpartition("/")[0]
            least = at(obj.body, "spec", "minReplicas")
            identity = Identity(group, str(target.get("kind")), obj.identity.namespace, str(target.get("name")))
            found[identity] = least if isinstance(least, int) else 1
    return found


def of_kind(obj: Object, paths: Iterable[str]) -> bool:
    """Whether one of these values stands for all objects of this one's kind, in the chart that made it."""
    scope = _scope(obj)
    return any(
        stands_for(obj.kind, path) and (scope is None or tuple(path.split("."))[: len(scope[1])] == scope[1])
        for path in paths
    )


def stands_for(kind: str, path: str) -> bool:
    """Whether a value stands for all objects of a kind: ``networkPolicy.enabled`` for a NetworkPolicy."""
    if kind not in _KINDS:
        return False
    name = "autoscaling" if kind == "HorizontalPodAutoscaler" else kind[:1].lower() + kind[1:]
    return name in path.split(".")


def known(path: str) -> bool:
    """Whether the fields that a value sets are known by its name."""
    return path.rpartition(".")[2] == "replicas" or any(stands_for(kind, path) for kind in _KINDS)


def nested(names: Iterable[str]) -> dict[str, Any]:
    """Values that have these names and nothing in them: as much as is known of a chart that is not at hand."""
    found: dict[str, Any] = {}
    for name in sorted(names):
        node = found
        for step in name.split("."):
            node = node.setdefault(step, {})
    return found


def under(path: str, names: Iterable[str]) -> bool:
    """Whether a path is one of these names, or leads to a value below one."""
    return any(path == name or path.startswith(f"{name}.") for name in names)


def without_replicas(obj: Object) -> str:
    """The object without its number of pods, as JSON that is the same for the same content."""
    spec = {key: value for key, value in mapping(obj.body, "spec").items() if key != "replicas"}
    return canonical({**obj.body, "spec": spec})


def _scope(obj: Object) -> tuple[str, tuple[str, ...]] | None:
    """The chart of an object, and the way to it from the release's chart; None where nothing tells."""
    match = _SOURCE.match(obj.source)
    if match is None:
        return None
    below = tuple(match["below"].split("/charts/")[1:])
    return (below[-1] if below else match["chart"]), below


def _own(obj: Object, values: Mapping[str, Any], *, alone: bool) -> str:
    """The path of the value that sets a workload's number of pods. alone: it is the only workload of its chart."""
    chart, scope = _scope(obj) or ("", ())
    section = _section(mapping(dict(values), *scope), _component(obj))
    if section is not None:
        name, has_replicas = section
        if has_replicas or not (alone or chart == _component(obj)):
            return ".".join((*scope, name, "replicas"))
    return ".".join((*scope, "replicas"))


def _component(obj: Object) -> str:
    """The name of a workload without its lane."""
    lane = obj.labels.get(LANE)
    named = obj.name.removesuffix(f"-{lane}") if lane else obj.name
    return str(obj.labels.get(COMPONENT) or named)


def _section(values: Mapping[str, Any], component: str) -> tuple[str, bool] | None:
    """The section of values that is named as a component, and whether it has a number of pods."""
    for key, value in values.items():
        if isinstance(value, Mapping) and re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", key).lower() == component.lower():
            return key, "replicas" in value
    return None


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """The value at a path of keys, None where there is none."""
    return at(dict(values), *path.split(".")) if path else None
