"""Pods and containers of a manifest, for rules about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.checks.rules.rule import Context
from sidelane.manifest import LabelIndex, Manifest, Object, PodTemplate
from sidelane.manifest.fields import Fields, at, walk
from sidelane.manifest.objects import remembered

#: Workloads that run until they are removed; Jobs and bare Pods end.
LASTING: Final = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")})
ALL: Final = ("containers", "initContainers", "ephemeralContainers")
_SETTINGS: Final = Fields((pattern, None) for pattern in ("command[]", "args[]", "env[].value"))


def templates(manifest: Manifest) -> Iterator[tuple[Object, PodTemplate]]:
    """Yield every object that creates pods, with its template. Helm's test pods are left out."""
    for obj in manifest.objects:
        if (template := obj.pod_template) and not is_test(obj):
            yield obj, template


def lasting(manifest: Manifest) -> Iterator[tuple[Object, PodTemplate]]:
    """Yield the workloads that run until they are removed."""
    for obj, template in templates(manifest):
        if (obj.identity.group, obj.kind) in LASTING:
            yield obj, template


def is_test(obj: Object) -> bool:
    """Return whether only `helm test` creates an object."""
    hooks = obj.annotations.get("helm.sh/hook")
    return isinstance(hooks, str) and "test" in hooks


_Containers = tuple[tuple[str, Mapping[str, Any]], ...]


def containers(template: PodTemplate, kinds: tuple[str, ...] = ALL) -> _Containers:
    """Return the containers of a template, each with its path in the object."""
    own = _containers(template)
    return own[ALL] if kinds is ALL else tuple(pair for kind in kinds for pair in own[kind,])


@remembered
def _containers(template: PodTemplate) -> dict[tuple[str, ...], _Containers]:
    base = template.within("spec")
    own: dict[tuple[str, ...], _Containers] = {
        (kind,): tuple(pair for pair in walk(template.spec, f"{kind}[]", base) if isinstance(pair[1], dict))
        for kind in ALL
    }
    return {**own, ALL: tuple(pair for pairs in own.values() for pair in pairs)}


@remembered
def settings(template: PodTemplate) -> tuple[tuple[str, str], ...]:
    """Return the texts that containers get as arguments and variables, each with its path in the object."""
    own = (setting for base, container in containers(template) for setting in _SETTINGS.walk(container, base))
    return tuple((path, text) for path, text, _ in own if isinstance(text, str))


def served(template: PodTemplate) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the containers that run as long as the pod, with sidecars: init containers that always restart."""
    yield from containers(template, ("containers",))
    for path, container in containers(template, ("initContainers",)):
        if container.get("restartPolicy") == "Always":
            yield path, container


def replicas(obj: Object) -> int:
    """Return the number of pods that a workload asks for; 1 if it does not say."""
    number = at(obj.body, "spec", "replicas")
    return number if isinstance(number, int) and not isinstance(number, bool) else 1


@remembered
def pods_by_label(context: Context) -> LabelIndex:
    """Return the objects that create pods, by the labels of these pods. Helm's test pods are left out."""
    return LabelIndex((obj, template.labels) for obj, template in templates(context.manifest))
