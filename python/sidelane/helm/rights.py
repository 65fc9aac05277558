"""Missing rights by verb, resource and namespace, from the API server's refusals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from sidelane.errors import ClusterDenied

_FORBIDDEN: Final = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)"'
    r'( in API group "(?P<group>[^"]*)")?( in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)?'
)


class Right(NamedTuple):
    """A right to use a verb on a resource. namespace: empty for cluster scope. user: who lacks it, if known."""

    verb: str
    resource: str
    group: str
    namespace: str
    user: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what} " + (f"in namespace {self.namespace}" if self.namespace else "in the cluster")


def missing_in(words: str) -> tuple[Right, ...]:
    """Return the rights that the API server reports as missing in Helm's message."""
    groups = (match.groupdict(default="") for match in _FORBIDDEN.finditer(words))
    rights = (Right(each["verb"], each["resource"], each["group"], each["namespace"], each["user"]) for each in groups)
    return tuple(dict.fromkeys(rights))


def denied(missing: Iterable[Right]) -> ClusterDenied:
    """Return the error that names these rights, a role that has them, and the command that shows them."""
    from sidelane.helm.roles import role_with  # noqa: PLC0415 - only for errors

    rights = list(missing)
    first = rights[0]
    who = f"{first.user!r} has" if first.user else "you have"
    what = f"{first.resource}.{first.group}" if first.group else first.resource
    where = f" -n {first.namespace}" if first.namespace else ""
    roles = {role_with(right.verb, right.group, right.resource) for right in rights}
    # The chart's roles are in namespaces; observer < router < deployer.
    role = max(roles, key=("", "observer", "router", "deployer").index)
    has = f"the role {role} of the chart guard has it; " if role and "" not in roles and first.namespace else ""
    return ClusterDenied(
        f"the API server refused, because {who} no right to " + "; ".join(map(str, rights)),
        remedy="ask for it, or use credentials that have it; "
        f"{has}`kubectl auth can-i {first.verb} {what}{where}` shows it",
    )
