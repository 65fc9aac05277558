"""The rights that a verb needs, from what it does with Helm's Secrets and with the objects of a release.

Helm keeps a release in Secrets, and works on each object by its kind. Sidelane reads through Helm. A test runs each
verb with exactly these rights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from sidelane.errors import InvalidInput
from sidelane.helm.rights import Right
from sidelane.manifest import Object
from sidelane.manifest.objects import CLUSTER_KINDS
from sidelane.releases.stores.rights import resource_of

#: Verbs of the API, separated by spaces, on resources of groups: ``("list", ("", "pods"))``.
Rule = tuple[str, tuple[tuple[str, str], ...]]

#: The kinds that readiness is read from (waiting/).
_WAITING: Final[Rule] = ("list", (
    ("", "pods"), ("", "persistentvolumeclaims"), ("", "events"), ("apps", "replicasets"),
))  # fmt: skip
#: The kinds that verify lists (running/).
_LISTED: Final[Rule] = ("list", (
    ("", "pods"), ("", "services"), ("", "configmaps"), ("", "secrets"), ("", "serviceaccounts"),
    ("apps", "deployments"), ("apps", "statefulsets"), ("apps", "daemonsets"), ("apps", "replicasets"),
    ("apps", "controllerrevisions"), ("batch", "jobs"), ("batch", "cronjobs"),
    ("discovery.k8s.io", "endpointslices"), ("networking.k8s.io", "networkpolicies"),
    ("networking.k8s.io", "ingresses"), ("policy", "poddisruptionbudgets"),
    ("autoscaling", "horizontalpodautoscalers"), ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
))  # fmt: skip
#: The record, and the guard that an upgrade compares with.
_FACTS: Final = (("", "configmaps"),)
#: The targets of a route, with their ready endpoints.
_TARGETS: Final[tuple[Rule, ...]] = (("get", (("", "services"),)), ("list", (("discovery.k8s.io", "endpointslices"),)))
#: The account that every namespace has: a chart looks it up to know that it may look things up.
_LOOKS: Final[Rule] = ("get", (("", "serviceaccounts"),))
#: The pods of a route's targets, whose restarts end a shift, and the events of a shift.
_SHIFTING: Final[tuple[Rule, ...]] = (("list", (("", "pods"),)), ("create", (("events.k8s.io", "events"),)))
#: The claims that stay after a lane.
_CLAIMS: Final[Rule] = ("list", (("", "persistentvolumeclaims"),))
_POLICIES: Final[Rule] = ("list", (
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
))  # fmt: skip

_READ: Final = "get list"
_WRITE: Final = "get list create update delete"
#: On the objects of a release. Helm 4 watches them when it waits.
_CREATE: Final = "get list watch create patch"
_DELETE: Final = "get list watch delete"


class _Needs(NamedTuple):
    """The rights of a verb: on Helm's Secrets, on the kinds of the release, on the ConfigMaps of Sidelane, on others.

    cluster: on objects without a namespace; then it needs no others.
    """

    stored: str = _READ
    own: str = ""
    facts: str = ""
    more: tuple[Rule, ...] = ()
    cluster: tuple[Rule, ...] = ()


_ROUTING: Final = (*_TARGETS, _LOOKS)


def _routing(*more: Rule) -> _Needs:
    return _Needs(_WRITE, "get create patch delete", "", (*_ROUTING, *more))


#: Verb of the command line, with a hyphen for a space → its rights.
_VERBS: Final[dict[str, _Needs]] = {
    "list": _Needs("list"),
    "record": _Needs(),
    "check": _Needs(),  # with --deployed; without it a check needs no cluster
    "status": _Needs(_READ, _READ, _READ, (_WAITING,)),
    "wait": _Needs(_READ, _READ, _READ, (_WAITING,)),
    "verify": _Needs(_READ, "list", "list", (_WAITING, _LISTED)),
    "graph": _Needs("list"),
    "bundle": _Needs(),
    "diff": _Needs(_READ, "get list", "get list", (_LISTED,)),
    "plan": _Needs(_READ, "get", "get"),
    "install": _Needs("get list create update", _CREATE, _CREATE, (_WAITING,)),
    "upgrade": _Needs(_WRITE, f"{_CREATE} delete", f"{_CREATE} delete", (_WAITING,)),
    "apply": _Needs(_WRITE, f"{_CREATE} delete", f"{_CREATE} delete", (_WAITING, *_ROUTING)),
    "replay": _Needs("get list create update", _CREATE, _CREATE, (_WAITING, *_ROUTING)),
    "repair": _Needs(_WRITE, f"{_CREATE} delete", f"{_CREATE} delete", (_WAITING,)),
    "uninstall": _Needs("get list update delete", _DELETE, _DELETE, (_WAITING,)),
    "retire": _Needs("get list update delete", _DELETE, _DELETE, (_WAITING, _CLAIMS)),
    "route-set": _routing(),
    "route-undo": _routing(),
    "route-shift": _routing(*_SHIFTING),
    "route-show": _Needs("list", "get", "", _TARGETS),
    "route-list": _Needs("list"),
    "route-history": _Needs(),
    "shift": _routing(*_SHIFTING),
    "shift-promote": _routing(),
    "shift-status": _Needs("list"),
    "guard-status": _Needs("", cluster=(("get", (("", "namespaces"),)), _POLICIES)),
}
VERBS: Final = tuple(_VERBS)
#: The verbs that work on routes; their objects are those of the chart `route`.
ROUTING: Final = frozenset(verb for verb in VERBS if verb.startswith(("route-", "shift")))


def reads_objects(verb: str) -> bool:
    """Tells whether the rights depend on the objects of a release. Raises InvalidInput for an unknown verb."""
    return bool(_needs(verb).own)


def of_verb(verb: str, objects: Iterable[Object], namespace: str) -> tuple[Right, ...]:
    """Returns the rights in the namespace that a verb needs for a release with these objects, sorted.

    Raises InvalidInput for an unknown verb. Rights on objects without a namespace are not included, except for
    ``guard-status``, which needs no others.
    """
    needs = _needs(verb)
    rights = {Right(each, resource, group, namespace) for each, group, resource in _rights(needs, objects)}
    return tuple(sorted(rights | {Right(each, kind, group, "") for each, group, kind in _spread(needs.cluster)}))


def _needs(verb: str) -> _Needs:
    if verb not in _VERBS:
        raise InvalidInput(f"no rights are known for {verb!r}", remedy=f"name one of {', '.join(VERBS)}")
    return _VERBS[verb]


def _rights(needs: _Needs, objects: Iterable[Object]) -> Iterator[tuple[str, str, str]]:
    # Only `helm test` creates its objects.
    kinds = {(obj.identity.group, obj.kind) for obj in objects if not obj.is_test} - CLUSTER_KINDS
    own = tuple((group, resource_of(kind)) for group, kind in kinds)
    yield from _spread(((needs.stored, (("", "secrets"),)), (needs.own, own), (needs.facts, _FACTS), *needs.more))


def _spread(rules: Iterable[Rule]) -> Iterator[tuple[str, str, str]]:
    for verbs, resources in rules:
        yield from ((each, group, resource) for group, resource in resources for each in verbs.split())


def role(name: str, rights: Iterable[Right]) -> dict[str, Any]:
    """Returns a Role with these rights, which are in one namespace; or a ClusterRole for rights without a namespace."""
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
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "rules": [
            {"apiGroups": [group], "resources": resources, "verbs": list(names)}
            for (group, names), resources in by_verbs.items()
        ],
    }
