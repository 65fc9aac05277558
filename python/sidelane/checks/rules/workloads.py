"""Pods and containers of a manifest, for rules about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.manifest import Manifest, Object, PodTemplate, Selector
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


class Pods:
    """The pod templates of a manifest by label, so that a selector is compared only with those that could match."""

    def __init__(self, manifest: Manifest) -> None:
        self._by_label: defaultdict[tuple[str, str, str], list[tuple[Object, PodTemplate]]] = defaultdict(list)
        for obj, template in templates(manifest):
            for key, value in template.labels.items():
                if isinstance(value, str):
                    self._by_label[obj.identity.namespace, key, value].append((obj, template))

    def matching(self, namespace: str, selector: Selector) -> list[tuple[Object, PodTemplate]]:
        """Return the templates that a selector with labels matches. A selector without labels matches none here."""
        if not selector.labels:
            return []
        label = min(selector.labels.items(), key=lambda pair: len(self._found(namespace, pair)))
        return [each for each in self._found(namespace, label) if selector.matches(each[1].labels)]

    def _found(self, namespace: str, label: tuple[str, Any]) -> list[tuple[Object, PodTemplate]]:
        return self._by_label.get((namespace, label[0], str(label[1])), [])
