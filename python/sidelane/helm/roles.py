"""The roles of the chart guard and their rights, for messages about missing rights.

A test holds this table to charts/guard/templates/roles.yaml.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_READ: Final = frozenset({"get", "list", "watch"})
_WRITE: Final = _READ | {"create", "update", "patch", "delete"}


class Rule(NamedTuple):
    """Rights to use verbs on resources of API groups; ``*`` stands for all resources of a group."""

    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """Return whether the rule has this right."""
        return verb in self.verbs and group in self.groups and bool({resource, "*"} & self.resources)


def _rule(groups: str, resources: str, verbs: frozenset[str]) -> Rule:
    # "core" stands for the group without a name.
    return Rule(
        frozenset("" if group == "core" else group for group in groups.split()), frozenset(resources.split()), verbs
    )


#: Each role may read the policies and the labels of every namespace.
_CLUSTER: Final = (
    _rule("admissionregistration.k8s.io", "validatingadmissionpolicies validatingadmissionpolicybindings",
          frozenset({"get", "list"})),
    _rule("core", "namespaces", frozenset({"get"})),
)  # fmt: skip
#: A shift writes events on the objects of its routes.
_EVENTS: Final = _rule("events.k8s.io", "events", frozenset({"create"}))
_ROUTERS: Final = "gateway.networking.k8s.io networking.istio.io"
_KINDS: Final = f"apps autoscaling batch policy networking.k8s.io {_ROUTERS} monitoring.coreos.com"

#: Role → its rules. The role with the fewest rights comes first.
ROLES: Final[dict[str, tuple[Rule, ...]]] = {
    "observer": (
        _rule(f"core {_KINDS} discovery.k8s.io events.k8s.io rbac.authorization.k8s.io", "*", _READ),
        *_CLUSTER,
    ),
    "router": (
        _rule("core", "configmaps secrets services", _WRITE),
        _rule(_ROUTERS, "httproutes virtualservices destinationrules", _WRITE),
        _rule("core apps discovery.k8s.io events.k8s.io", "*", _READ),
        _EVENTS,
        *_CLUSTER,
    ),
    "deployer": (
        _rule("core", "configmaps secrets services serviceaccounts persistentvolumeclaims pods", _WRITE),
        _rule(_KINDS, "*", _WRITE),
        _rule("core events.k8s.io", "events pods/log resourcequotas", _READ),
        _rule("discovery.k8s.io", "endpointslices", _READ),
        _rule("rbac.authorization.k8s.io", "roles rolebindings", _READ),
        *_CLUSTER,
    ),
}


def role_with(verb: str, group: str, resource: str) -> str:
    """Return the role with the fewest rights that has this one, empty if none has it."""
    return next(
        (role for role, rules in ROLES.items() if any(rule.allows(verb, group, resource) for rule in rules)), ""
    )
