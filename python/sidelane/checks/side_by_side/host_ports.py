"""No two pods of both releases need the same port of a node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sidelane.checks.side_by_side.clash import Clash, Side, Touch, containers
from sidelane.manifest import Object, PodTemplate
from sidelane.manifest.fields import mapping, walk

_ANY: Final = ("", "0.0.0.0", "::")  # noqa: S104 - the addresses that mean all of a node's

_POD: Final = """\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}}}
spec:
  template:
    spec:
      {spec}
      containers: [{{name: main, ports: [{{{port}}}]}}]
"""


class _Port(NamedTuple):
    obj: Object
    template: PodTemplate
    path: str
    address: str


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    others = _ports(theirs)
    for (number, protocol), ports in _ports(mine).items():
        for port in ports:
            for other in others.get((number, protocol), ()):
                if _meet(port, other) and theirs.identity(other.obj) not in mine.by_identity:
                    yield _touch(port, other, f"{number}/{protocol}")
                    break


def _touch(port: _Port, other: _Port, which: str) -> Touch:
    everywhere = port.obj.kind == other.obj.kind == "DaemonSet"
    effect = "no node can run both" if everywhere else "a node can run only one of them"
    message = f"needs port {which} of its node, as {other.obj.identity} of the other release does: {effect}"
    return Touch(port.obj, port.path, message, other.obj, other.path, severity="error" if everywhere else "warning")


def _ports(side: Side) -> Mapping[tuple[int, str], list[_Port]]:
    """Return the ports of nodes that a side's pods need, by number and protocol."""
    by_port: defaultdict[tuple[int, str], list[_Port]] = defaultdict(list)
    for obj, template in side.pods:
        on_host = template.spec.get("hostNetwork") is True
        for path, container in containers(template):
            for where, port in walk(container, "ports[]", path):
                fields = port if isinstance(port, dict) else {}
                number = fields.get("hostPort") or (fields.get("containerPort") if on_host else None)
                if isinstance(number, int):
                    key = "hostPort" if fields.get("hostPort") else "containerPort"
                    place = _Port(obj, template, f"{where}.{key}", str(fields.get("hostIP") or ""))
                    by_port[number, str(fields.get("protocol") or "TCP")].append(place)
    return by_port


def _meet(a: _Port, b: _Port) -> bool:
    """Return whether two ports can be on one node with one address."""
    addresses = a.address == b.address or a.address in _ANY or b.address in _ANY
    mine, theirs = _nodes(a.template), _nodes(b.template)
    return addresses and all(theirs.get(key, value) == value for key, value in mine.items())


def _nodes(template: PodTemplate) -> Mapping[str, Any]:
    return mapping(template.spec, "nodeSelector")


def _pod(name: str, port: str, kind: str = "DaemonSet", spec: str = "") -> str:
    return _POD.format(name=name, port=port, kind=kind, spec=spec)


CLASH: Final[Clash] = Clash(
    id="host-ports",
    title="No two pods need the same port of a node",
    explanation=(
        "A node gives a port to one pod: by hostPort, or with hostNetwork by every container port. The scheduler "
        "leaves the second pod pending. Two DaemonSets meet on every node, in whatever namespaces they are."
    ),
    remedy="give each release its own port, do without the host's network, or select other nodes",
    wrong=(
        (_pod("a", "containerPort: 80, hostPort: 80"), _pod("b", "containerPort: 8080, hostPort: 80")),
        (_pod("a", "containerPort: 9100", spec="hostNetwork: true"), _pod("b", "containerPort: 80, hostPort: 9100")),
        (
            _pod("a", "containerPort: 80, hostPort: 80, hostIP: 10.0.0.1"),
            _pod("b", "containerPort: 80, hostPort: 80, hostIP: 0.0.0.0", "Deployment"),
        ),
    ),
    right=(
        (_pod("a", "containerPort: 80, hostPort: 80"), _pod("b", "containerPort: 80, hostPort: 80, protocol: UDP")),
        (_pod("a", "containerPort: 80"), _pod("b", "containerPort: 80")),
        (
            _pod("a", "containerPort: 80, hostPort: 80, hostIP: 10.0.0.1"),
            _pod("b", "containerPort: 80, hostPort: 80, hostIP: 10.0.0.2"),
        ),
        (
            _pod("a", "containerPort: 80, hostPort: 80", spec="nodeSelector: {pool: a}"),
            _pod("b", "containerPort: 80, hostPort: 80", spec="nodeSelector: {pool: b}"),
        ),
    ),
    find=_find,
    origin="Kubernetes, API reference: ContainerPort; Scheduler Configuration: NodePorts",
)
