"""The rights that a verb needs in its namespace, from what it does with the objects of a chart.

Helm keeps a release in Secrets, and works on each object by its kind. Sidelane reads through Helm. A test runs each
verb with exactly these rights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sidelane.errors import InvalidInput
from sidelane.helm.rights import Right
from sidelane.manifest import Object
from sidelane.manifest.objects import CLUSTER_KINDS
from sidelane.releases.stores.rights import resource_of

#: The kinds that readiness is read from (waiting/), and those that verify lists (running/), by group and resource.
_WAITING: Final = (
    ("", "pods"), ("", "persistentvolumeclaims"), ("", "events"), ("apps", "replicasets"),
)  # fmt: skip
_LISTED: Final = (
    ("", "pods"), ("", "services"), ("", "configmaps"), ("", "secrets"), ("", "serviceaccounts"),
    ("apps", "deployments"), ("apps", "statefulsets"), ("apps", "daemonsets"), ("apps", "replicasets"),
    ("apps", "controllerrevisions"), ("batch", "jobs"), ("batch", "cronjobs"),
    ("discovery.k8s.io", "endpointslices"), ("networking.k8s.io", "networkpolicies"),
    ("networking.k8s.io", "ingresses"), ("policy", "poddisruptionbudgets"),
    ("autoscaling", "horizontalpodautoscalers"), ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
)  # fmt: skip

#: Verb → the verbs on Helm's Secrets, and on the objects of the release.
_VERBS: Final[dict[str, tuple[str, str]]] = {
    "list": ("list", ""),
    "record": ("get list", ""),
    "status": ("get list", "get list"),
    "wait": ("get list", "get list"),
    "verify": ("get list", "list"),
    "install": ("get list create update", "get create patch"),
    "upgrade": ("get list create update delete", "get list create patch delete"),
    "repair": ("get list create update delete", "get list create patch delete"),
    "shift": ("get list create update delete", "get list create patch delete"),
    "uninstall": ("get list update delete", "get list delete"),
}
#: The rights of a shift of a route beyond its objects: its targets, their pods, its events.
_SHIFTING: Final = (
    ("get", "", "services"), ("list", "discovery.k8s.io", "endpointslices"), ("list", "", "pods"),
    ("create", "events.k8s.io", "events"),
)  # fmt: skip
#: The verbs that also read pods, claims and events.
_READINESS: Final = frozenset({"status", "wait", "verify", "uninstall"})
VERBS: Final = tuple(_VERBS)


def of_verb(verb: str, objects: Iterable[Object], namespace: str) -> tuple[Right, ...]:
    """Returns the rights in the namespace that a verb needs for a release with these objects, sorted.

    Raises InvalidInput for an unknown verb. Rights on objects without a namespace are not included.
    """
    if verb not in _VERBS:
        raise InvalidInput(f"no rights are known for {verb!r}", remedy=f"name one of {', '.join(VERBS)}")
    return tuple(sorted({Right(each, resource, group, namespace) for each, group, resource in _rights(verb, objects)}))


def _rights(verb: str, objects: Iterable[Object]) -> Iterator[tuple[str, str, str]]:
    stored, own = (text.split() for text in _VERBS[verb])
    yield from ((each, "", "secrets") for each in stored)
    if own:
        # The record, and the guard that an upgrade compares with, are ConfigMaps.
        kinds = {("", "configmaps")}
        for obj in objects:
            group = obj.identity.group
            if (group, obj.kind) not in CLUSTER_KINDS:
                kinds.add((group, resource_of(obj.kind)))
        yield from ((each, group, resource) for group, resource in kinds for each in own)
    if verb in _READINESS:
        yield from (("list", group, resource) for group, resource in _WAITING)
    if verb == "shift":
        yield from _SHIFTING
    if verb == "verify":
        yield from (("list", group, resource) for group, resource in _LISTED)


def role(name: str, rights: Iterable[Right]) -> dict[str, Any]:
    """Returns a Role with these rights, which are in one namespace."""
    verbs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    namespace = ""
    for right in sorted(rights):
        verbs[right.group, right.resource].append(right.verb)
        namespace = right.namespace
    by_verbs: defaultdict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource), names in sorted(verbs.items()):
        by_verbs[group, tuple(names)].append(resource)
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": namespace},
        "rules": [
            {"apiGroups": [group], "resources": resources, "verbs": list(names)}
            for (group, names), resources in by_verbs.items()
        ],
    }
