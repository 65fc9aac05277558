"""References by name of an object to other objects of its namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from sidelane.manifest.fields import Fields, at, walk
from sidelane.manifest.objects import CLUSTER_KINDS, Identity, Object, remembered


class Reference(NamedTuple):
    """One reference by name, with the path of its field.

    ``optional``: the object works without the target. ``routed``: the target may belong to another release.
    ``required``: the object cannot work without the target.
    """

    path: str
    target: Identity
    optional: bool = False
    routed: bool = False
    required: bool = False


class _Row(NamedTuple):
    """The place of a name: the node's pattern, the name's key within it, and the kind of the target."""

    pattern: str
    key: str
    kind: str
    group: str = ""
    required: bool = False


def _containers(pattern: str, kind: str) -> tuple[_Row, ...]:
    return tuple(
        _Row(f"{c}[].{pattern}", "name", kind) for c in ("containers", "initContainers", "ephemeralContainers")
    )


_POD: Final = (
    *_containers("env[].valueFrom.configMapKeyRef", "ConfigMap"),
    *_containers("env[].valueFrom.secretKeyRef", "Secret"),
    *_containers("envFrom[].configMapRef", "ConfigMap"),
    *_containers("envFrom[].secretRef", "Secret"),
    _Row("volumes[].configMap", "name", "ConfigMap"),
    _Row("volumes[].secret", "secretName", "Secret"),
    _Row("volumes[].persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
    _Row("volumes[].projected.sources[].configMap", "name", "ConfigMap"),
    _Row("volumes[].projected.sources[].secret", "name", "Secret"),
    _Row("volumes[].csi.nodePublishSecretRef", "name", "Secret"),
    _Row("imagePullSecrets[]", "name", "Secret"),
    _Row("resourceClaims[]", "resourceClaimName", "ResourceClaim", "resource.k8s.io"),
    _Row("resourceClaims[]", "resourceClaimTemplateName", "ResourceClaimTemplate", "resource.k8s.io"),
)
_OF_PODS: Final = Fields((row.pattern, row) for row in _POD)
_ACCOUNT: Final = _Row("", "serviceAccountName", "ServiceAccount")
_FIELDS: Final[dict[tuple[str, str], tuple[_Row, ...]]] = {
    ("apps", "StatefulSet"): (_Row("spec", "serviceName", "Service", required=True),),
    ("", "ServiceAccount"): (_Row("secrets[]", "name", "Secret"), _Row("imagePullSecrets[]", "name", "Secret")),
    ("networking.k8s.io", "Ingress"): (
        _Row("spec.defaultBackend.service", "name", "Service"),
        _Row("spec.rules[].http.paths[].backend.service", "name", "Service"),
        _Row("spec.tls[]", "secretName", "Secret"),
    ),
    ("gateway.networking.k8s.io", "Gateway"): (_Row("spec.listeners[].tls.certificateRefs[]", "name", "Secret"),),
}
# Nodes that state the kind of their target, with the default kind and group.
_SCALED: Final = _Row("spec.scaleTargetRef", "name", "Deployment", "apps", required=True)
_BINDING: Final = (_Row("roleRef", "name", ""), _Row("subjects[]", "name", ""))
_TYPED: Final[dict[tuple[str, str], tuple[_Row, ...]]] = {
    ("autoscaling", "HorizontalPodAutoscaler"): (_SCALED,),
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"): (_SCALED._replace(pattern="spec.targetRef"),),
    ("keda.sh", "ScaledObject"): (_SCALED,),
    ("rbac.authorization.k8s.io", "RoleBinding"): _BINDING,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _BINDING,
}
_ROUTES: Final = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
_BACKENDS: Final = tuple(
    _Row(pattern, "name", "Service")
    for pattern in ("spec.rules[].backendRefs[]", "spec.rules[].filters[].requestMirror.backendRef")
)
_HOST_PATTERNS: Final = (
    *(f"spec.{protocol}[].route[].destination.host" for protocol in ("http", "tcp", "tls")),
    "spec.http[].mirror.host",
    "spec.http[].mirrors[].destination.host",
    "spec.host",  # a DestinationRule's
)


@remembered
def references(obj: Object) -> tuple[Reference, ...]:
    """Return every reference by name of an object and its pod template to objects of the same namespace.

    References to other namespaces, and hosts outside the cluster, are left out.
    """
    group_kind = (obj.identity.group, obj.kind)
    named = [(path, node, row) for row in _FIELDS.get(group_kind, ()) for path, node in walk(obj.body, row.pattern)]
    if template := obj.pod_template:
        base = template.within("spec")
        named += [*_OF_PODS.walk(template.spec, base), (base, template.spec, _ACCOUNT)]
    result = list(_named(obj, named))
    result += _typed(obj, _TYPED.get(group_kind, ()))
    if obj.kind in _ROUTES:
        result += _typed(obj, _BACKENDS, routed=True)
    if obj.identity.group == "networking.istio.io":
        result += _hosts(obj)
    return tuple(result)


def _named(obj: Object, candidates: Iterable[tuple[str, Any, _Row]]) -> Iterator[Reference]:
    for path, node, (_, key, kind, group, required) in candidates:
        name = at(node, key)
        if isinstance(name, str) and name:
            target = Identity(group, kind, obj.identity.namespace, name)
            optional = at(node, "optional") is True
            yield Reference(f"{path}.{key}" if path else key, target, optional=optional, required=required)


def _typed(obj: Object, rows: tuple[_Row, ...], *, routed: bool = False) -> Iterator[Reference]:
    for row in rows:
        for path, node in walk(obj.body, row.pattern):
            target = _target(obj, node, row)
            if target is not None:
                yield Reference(f"{path}.name", target, routed=routed, required=row.required)


def _target(obj: Object, node: Any, row: _Row) -> Identity | None:
    """Return the target of a node that states its kind, by apiVersion (scaleTargetRef), apiGroup (RBAC) or group."""
    kind = str(at(node, "kind") or row.kind)
    group = next((str(value) for key in ("group", "apiGroup") if (value := at(node, key)) is not None), None)
    if group is None:
        version = at(node, "apiVersion")
        group = row.group if version is None and kind == row.kind else str(version or "").rpartition("/")[0]
    name = at(node, "name")
    if not isinstance(name, str) or not name or kind in {"User", "Group"}:
        return None
    if (group, kind) in CLUSTER_KINDS:
        return Identity(group, kind, "", name)
    namespace = str(at(node, "namespace") or obj.identity.namespace)
    same = not obj.identity.namespace or namespace == obj.identity.namespace
    return Identity(group, kind, namespace, name) if same else None


def _hosts(obj: Object) -> Iterator[Reference]:
    for pattern in _HOST_PATTERNS:
        for path, host in walk(obj.body, pattern):
            # `svc` and `svc.namespace.svc.cluster.local` are Services; other dotted names may be outside the cluster.
            name, *rest = str(host).split(".")
            if not rest or (rest[0] == obj.identity.namespace and rest[1:2] == ["svc"]):
                target = Identity("", "Service", obj.identity.namespace, name)
                yield Reference(path, target, routed=True)
