"""No lease elects one leader for both releases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sidelane.checks.side_by_side.clash import Clash, Side, Touch, containers
from sidelane.manifest import Object
from sidelane.manifest.fields import at, mapping, walk

#: An argument `--leader-election-id=x`, or the name of an environment variable, for a lease's name and namespace.
_NAME: Final = re.compile(
    r"-{1,2}(?:[\w-]+-)?(?:leader-elect(?:ion|or)?(?:-(?:id|resource-name|lease-name|lock-name|config-map|configmap|name))"
    r"|election-id|lease-(?:name|id|lock-name)|lock-object-name)",
    re.IGNORECASE,
)
_NAMESPACE: Final = re.compile(
    r"-{1,2}(?:[\w-]+-)?(?:leader-elect(?:ion|or)?-(?:resource-)?(?:namespace|ns)|(?:lease|lock)(?:-lock|-object)?-namespace)",
    re.IGNORECASE,
)
#: `leaderElection:` in the file of a controller, with the lease's name.
_FILE: Final = re.compile(r"^ *leaderElection:\s*\n(?: +.*\n)*? +resourceName: *\"?([\w.-]+)", re.MULTILINE)

_POD: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{name: main, image: "app:1", {fields}}}]}}}}}}
"""
_CONFIG: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
data:
  config.yaml: |
    leaderElection:
      leaderElect: true
      resourceName: {lease}
"""


class _Lease(NamedTuple):
    namespace: str
    name: str


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    others: dict[_Lease, tuple[Object, str]] = {}
    for obj, path, lease in _leases(theirs):
        others.setdefault(lease, (obj, path))
    for obj, path, lease in _leases(mine):
        other, other_path = others.get(lease, (None, ""))
        if other is not None and theirs.identity(other) not in mine.by_identity:
            message = f"takes part in the election {lease.name} of {lease.namespace}, as {other.identity} does"
            yield Touch(obj, path, f"{message}: only one release has a leader", other, other_path)


def _leases(side: Side) -> Iterator[tuple[Object, str, _Lease]]:
    for obj, template in side.pods:
        for path, container in containers(template):
            if (lease := _lease(obj, container)) is not None:
                yield obj, f"{path}.{lease[0]}", lease[1]
    for obj in side.of_kind("ConfigMap"):
        for key, text in mapping(obj.body, "data").items():
            if "leaderElection:" in str(text) and (named := _FILE.search(str(text))):
                yield obj, f"data.{key}", _Lease(obj.identity.namespace, named[1])


def _lease(obj: Object, container: Any) -> tuple[str, _Lease] | None:
    """Return the lease of a container, with the path of its name. A name that is built in is told by the image."""
    names = dict[str, str]()
    namespace = ""
    for path, option, value in _options(container):
        if _NAME.fullmatch(option):
            names.setdefault(path, value)
        elif _NAMESPACE.fullmatch(option):
            namespace, where = value, path
    own = "$" in namespace or not namespace
    place = obj.identity.namespace if own else namespace
    for path, name in names.items():
        if name and "$" not in name:
            return path, _Lease(place, name)
    if own or names:
        return None
    image = str(at(container, "image")).partition("@")[0].rpartition(":")[0]
    return where, _Lease(place, f"that {image} has built in")


def _options(container: Any) -> Iterator[tuple[str, str, str]]:
    """Yield path, option and value of the arguments, and of environment variables as if they were arguments."""
    for key in ("command", "args"):
        words = walk(container, f"{key}[]")
        for number, (path, word) in enumerate(words):
            option, equals, value = str(word).partition("=")
            if not equals and number + 1 < len(words):
                value = str(words[number + 1][1])
            if option.startswith("-"):
                yield path, option, value
    for path, variable in walk(container, "env[]"):
        if isinstance(value := at(variable, "value"), str):
            yield path, f"--{str(at(variable, 'name')).replace('_', '-')}", value


def _pod(name: str, fields: str) -> str:
    return _POD.format(name=name, fields=fields)


CLASH: Final[Clash] = Clash(
    id="shared-leases",
    title="No lease elects one leader for both releases",
    explanation=(
        "Replicas of a controller elect a leader by a lease with a fixed name and namespace. If two releases use one "
        "lease, the second's controllers wait for ever, and take over when the first's leader stops."
    ),
    remedy="put the release's name into the lease's name, or the lease into the release's namespace",
    wrong=(
        (_pod("a", "args: [--leader-election-id=app]"), _pod("b", "args: [--leader-election-id, app]")),
        (_pod("a", "args: [--election-id=app-leader]"), _pod("b", "args: [--election-id=app-leader]")),
        (
            _pod("a", "env: [{name: LEADER_ELECTION_ID, value: app}]"),
            _pod("b", "env: [{name: LEADER_ELECTION_ID, value: app}]"),
        ),
        (_CONFIG.format(name="a", lease="app"), _CONFIG.format(name="b", lease="app")),
        (
            _pod("a", "args: [--leader-election-namespace=kube-system]"),
            _pod("b, namespace: other", "args: [--leader-election-namespace=kube-system]"),
        ),
    ),
    right=(
        (_pod("a", "args: [--leader-election-id=a]"), _pod("b", "args: [--leader-election-id=b]")),
        (_pod("a", "args: [--leader-elect]"), _pod("b", "args: [--leader-elect]")),
        (
            _pod("a", "args: [--leader-election-id=app]"),
            _pod("b, namespace: other", "args: [--leader-election-id=app]"),
        ),
        (
            _pod("a", "args: [--leader-election-namespace=$(POD_NAMESPACE)]"),
            _pod("b", "args: [--leader-election-namespace=$(POD_NAMESPACE)]"),
        ),
    ),
    find=_find,
    origin="Kubernetes, Leases: Leader election",
)
