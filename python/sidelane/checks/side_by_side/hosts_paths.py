"""No host and path lead to both releases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch, is_route
from sidelane.manifest import Object
from sidelane.manifest.fields import at, walk

_ROUTES: Final = ("HTTPRoute", "GRPCRoute", "TLSRoute")
_CLASS: Final = "kubernetes.io/ingress.class"
#: What requests match: the kind of the entry, the entry itself, host, and path or other conditions.
_Match = tuple[str, str, str, str]

_INGRESS: Final = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}}}
spec:
  ingressClassName: {class_}
  rules: [{{host: {host}, http: {{paths: [{{path: {path}, pathType: Prefix}}]}}}}]
"""
_ROUTE: Final = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: {gateway}}}]
  hostnames: [app.example.com]
  rules: [{{matches: [{{path: {{type: PathPrefix, value: {path}}}}}]}}]
"""
_VIRTUAL: Final = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec: {{hosts: [{host}], gateways: [{gateway}], http: [{{match: [{{uri: {{prefix: {path}}}}}], route: []}}]}}
"""


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    others: dict[_Match, tuple[Object, str]] = {}
    for obj in theirs.objects:
        for match, path in _matches(obj):
            others.setdefault(match, (obj, path))
    for obj in mine.objects:
        for match, path in _matches(obj):
            other, other_path = others.get(match, (None, ""))
            if other is not None and theirs.identity(other) not in mine.by_identity:
                yield _touch(obj, path, match, other, other_path)


def _touch(obj: Object, path: str, match: _Match, other: Object, other_path: str) -> Touch:
    _, _, host, condition = match
    message = f"takes requests to {host or 'every host'}{condition}, as {other.identity} of the other release does"
    return Touch(obj, path, message, other, other_path)


def _matches(obj: Object) -> Iterator[tuple[_Match, str]]:
    group, kind = obj.identity.group, obj.kind
    if is_route(obj):
        return
    if (group, kind) == ("networking.k8s.io", "Ingress"):
        yield from _of_ingress(obj)
    elif group == "gateway.networking.k8s.io" and kind in _ROUTES:
        yield from _of_route(obj)
    elif (group, kind) == ("networking.istio.io", "VirtualService"):
        yield from _of_virtual_service(obj)
    elif (group, kind) == ("route.openshift.io", "Route"):
        for path, host in walk(obj.body, "spec.host"):
            yield ("Route", "", str(host), str(at(obj.body, "spec", "path") or "/")), path
    elif (group, kind) == ("projectcontour.io", "HTTPProxy"):
        for path, host in walk(obj.body, "spec.virtualhost.fqdn"):
            yield ("HTTPProxy", "", str(host), ""), path


def _of_ingress(obj: Object) -> Iterator[tuple[_Match, str]]:
    entry = str(at(obj.body, "spec", "ingressClassName") or obj.annotations.get(_CLASS) or "")
    if at(obj.body, "spec", "defaultBackend") is not None:
        yield ("Ingress", entry, "", ""), "spec.defaultBackend"
    for base, rule in walk(obj.body, "spec.rules[]"):
        host = str(at(rule, "host") or "")
        for where, path in walk(rule, "http.paths[]", base):
            yield ("Ingress", entry, host, str(at(path, "path") or "/")), where


def _of_route(obj: Object) -> Iterator[tuple[_Match, str]]:
    hosts = [str(host) for _, host in walk(obj.body, "spec.hostnames[]")] or [""]
    parents = [_parent(obj, parent) for _, parent in walk(obj.body, "spec.parentRefs[]")]
    for base, rule in walk(obj.body, "spec.rules[]"):
        matches = walk(rule, "matches[]", base) or [(base, {})]
        for (where, match), parent, host in product(matches, parents, hosts):
            yield (obj.kind, parent, host, _written(match)), where


def _parent(obj: Object, parent: Any) -> str:
    namespace = at(parent, "namespace") or obj.identity.namespace
    return "/".join(str(part or "") for part in (namespace, at(parent, "name"), at(parent, "sectionName")))


def _of_virtual_service(obj: Object) -> Iterator[tuple[_Match, str]]:
    namespace = obj.identity.namespace
    for _, gateway in walk(obj.body, "spec.gateways[]") or [("", "mesh")]:
        in_mesh = gateway == "mesh"
        entry = str(gateway) if in_mesh or "/" in str(gateway) else f"{namespace}/{gateway}"
        for path, host in walk(obj.body, "spec.hosts[]"):
            name = str(host) if "." in str(host) or host == "*" else f"{host}.{namespace}"
            # In the mesh only one VirtualService of a host counts; at a gateway they are merged.
            conditions = {"": path} if in_mesh else _conditions(obj)
            for condition, where in conditions.items():
                yield ("VirtualService", entry, name, condition), where


def _conditions(obj: Object) -> dict[str, str]:
    conditions: dict[str, str] = {}
    for pattern in ("spec.http[]", "spec.tls[]", "spec.tcp[]"):
        for base, rule in walk(obj.body, pattern):
            for where, match in walk(rule, "match[]", base) or [(base, {})]:
                conditions.setdefault(_written(match), where)
    return conditions


def _written(match: Any) -> str:
    """Return a match's conditions for people: its path if it has nothing else, or all as JSON."""
    path = at(match, "path", "value")
    if path is not None and len(match) == 1 and at(match, "path", "type") in (None, "PathPrefix"):
        return str(path)
    return f" with {json.dumps(match, sort_keys=True, ensure_ascii=False)}" if match else ""


def _ingress(name: str, host: str = "app.example.com", path: str = "/", class_: str = "nginx") -> str:
    return _INGRESS.format(name=name, host=host, path=path, class_=class_)


def _virtual(name: str, gateway: str, path: str, host: str = "app.example.com") -> str:
    return _VIRTUAL.format(name=name, gateway=gateway, path=path, host=host)


CLASH: Final[Clash] = Clash(
    id="hosts-paths",
    title="No host and path lead to both releases",
    explanation=(
        "An ingress controller or a gateway sends a host and path to one backend. If two releases claim one, the "
        "older, or the first by name, gets all requests; some controllers refuse the second. Namespaces don't help."
    ),
    remedy="give each release a host or path of its own, or leave the entry to a route",
    wrong=(
        (_ingress("a"), _ingress("b")),
        (_ingress("a", '""'), _ingress("b, namespace: other", '""')),
        (_ROUTE.format(name="a", gateway="web", path="/"), _ROUTE.format(name="b", gateway="web", path="/")),
        (_virtual("a", "mesh", "/a", "svc"), _virtual("b", "mesh", "/b", "svc")),
        (_virtual("a", "web", "/"), _virtual("b", "web", "/")),
    ),
    right=(
        (_ingress("a"), _ingress("b", "b.example.com")),
        (_ingress("a"), _ingress("b", path="/b")),
        (_ingress("a"), _ingress("b", class_="internal")),
        (_ROUTE.format(name="a", gateway="web", path="/"), _ROUTE.format(name="b", gateway="web", path="/b")),
        (_ROUTE.format(name="a", gateway="web", path="/"), _ROUTE.format(name="b", gateway="other", path="/")),
        (_virtual("a", "web", "/a"), _virtual("b", "web", "/b")),
    ),
    find=_find,
    origin="Kubernetes, Ingress; Gateway API, HTTPRoute: Conflict resolution; Istio, VirtualService: hosts",
)
