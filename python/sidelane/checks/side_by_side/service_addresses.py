"""No two Services of both releases have the same node port or address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch
from sidelane.manifest import Object
from sidelane.manifest.fields import at, walk

_SERVICE: Final = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{ports: [{{port: {port}{more}}}]{spec}}}
"""
#: A claim on an address: its kind, the address, and the port for addresses that Services share by port.
_Claim = tuple[str, str, str]
_REFUSED: Final = ("node port", "cluster IP")


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    others: dict[_Claim, tuple[Object, str]] = {}
    for obj in theirs.of_kind("Service"):
        for claim, path in _claims(obj):
            others.setdefault(claim, (obj, path))
    for obj in mine.of_kind("Service"):
        for claim, path in _claims(obj):
            other, other_path = others.get(claim, (None, ""))
            if other is not None and theirs.identity(other) not in mine.by_identity:
                yield _touch(obj, path, claim, other, other_path)


def _touch(obj: Object, path: str, claim: _Claim, other: Object, other_path: str) -> Touch:
    what, address, port = claim
    where = f"{address}, port {port}," if port else address
    effect = "the API server refuses the second" if what in _REFUSED else "only one of them gets the requests"
    return Touch(
        obj,
        path,
        f"wants the {what} {where} as {other.identity} of the other release does: {effect}",
        other,
        other_path,
    )


def _claims(obj: Object) -> Iterator[tuple[_Claim, str]]:
    if obj.identity.group:
        return
    for path, number in (*walk(obj.body, "spec.ports[].nodePort"), *walk(obj.body, "spec.healthCheckNodePort")):
        if number:
            yield ("node port", str(number), ""), path
    for path, address in (*walk(obj.body, "spec.clusterIP"), *walk(obj.body, "spec.clusterIPs[]")):
        if address not in ("", "None"):
            yield ("cluster IP", str(address), ""), path
    ports = [f"{at(port, 'port')}/{at(port, 'protocol') or 'TCP'}" for _, port in walk(obj.body, "spec.ports[]")]
    addresses = (
        *(("load balancer address", *claim) for claim in walk(obj.body, "spec.loadBalancerIP")),
        *(("external IP", *claim) for claim in walk(obj.body, "spec.externalIPs[]")),
    )
    for what, path, address in addresses:
        for port in ports if address else ():
            yield (what, str(address), port), path


def _service(name: str, *, port: int = 80, more: str = "", spec: str = "") -> str:
    return _SERVICE.format(name=name, port=port, more=more, spec=spec)


CLASH: Final[Clash] = Clash(
    id="service-addresses",
    title="No two Services have the same node port or address",
    explanation=(
        "A node port and a cluster IP belong to one Service of the cluster: the API server refuses the second, after "
        "Helm has made a part of its release. Of two Services with one external or load balancer address and port, one "
        "gets no requests."
    ),
    remedy="leave the port or address out, so that the cluster chooses one, or give each release its own",
    wrong=(
        (_service("a", more=", nodePort: 30080"), _service("b", port=81, more=", nodePort: 30080")),
        (_service("a", spec=", clusterIP: 10.0.0.9"), _service("b", spec=", clusterIP: 10.0.0.9")),
        (_service("a", spec=", loadBalancerIP: 192.0.2.1"), _service("b", spec=", loadBalancerIP: 192.0.2.1")),
        (_service("a", spec=", externalIPs: [192.0.2.1]"), _service("b", spec=", externalIPs: [192.0.2.1]")),
    ),
    right=(
        (_service("a", more=", nodePort: 30080"), _service("b", more=", nodePort: 30081")),
        (_service("a", spec=", clusterIP: None"), _service("b", spec=", clusterIP: None")),
        (
            _service("a", spec=", loadBalancerIP: 192.0.2.1"),
            _service("b", port=81, spec=", loadBalancerIP: 192.0.2.1"),
        ),
    ),
    find=_find,
    origin="Kubernetes, Service: type NodePort, Choosing your own IP address, External IPs",
)
