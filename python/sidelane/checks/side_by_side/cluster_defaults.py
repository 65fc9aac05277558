"""No two classes of both releases are the cluster's default, or have one controller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch
from sidelane.manifest import Object
from sidelane.manifest.fields import at

_DEFAULTS: Final = {
    "IngressClass": "ingressclass.kubernetes.io/is-default-class",
    "StorageClass": "storageclass.kubernetes.io/is-default-class",
    "VolumeSnapshotClass": "snapshot.storage.kubernetes.io/is-default-class",
}
_CONTROLLERS: Final = {"IngressClass": "controller", "GatewayClass": "controllerName"}
#: What only one object of the cluster may be, and the field that says so.
_Role = tuple[str, str]

_CLASS: Final = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: {name}{more}}}
spec: {{controller: example.com/{controller}}}
"""
_PRIORITY: Final = """\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {{name: {name}}}
globalDefault: {default}
"""


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    others: dict[_Role, Object] = {}
    for obj in theirs.objects:
        for role, _ in _roles(obj):
            others.setdefault(role, obj)
    for obj in mine.objects:
        for role, path in _roles(obj):
            other = others.get(role)
            if other is not None and theirs.identity(other) not in mine.by_identity:
                yield Touch(obj, path, f"is {role[1]}, as {other.identity} of the other release is", other, path)


def _roles(obj: Object) -> Iterator[tuple[_Role, str]]:
    annotation = _DEFAULTS.get(obj.kind)
    if annotation and str(obj.annotations.get(annotation)) == "true":
        yield (obj.kind, f"the cluster's default {obj.kind}"), "metadata.annotations"
    if obj.kind == "PriorityClass" and obj.body.get("globalDefault") is True:
        yield (obj.kind, "the cluster's default PriorityClass"), "globalDefault"
    if field := _CONTROLLERS.get(obj.kind):
        controller = at(obj.body, "spec", field)
        if isinstance(controller, str):
            yield (obj.kind, f"a class of the controller {controller}"), f"spec.{field}"


def _class(name: str, controller: str, more: str = "") -> str:
    return _CLASS.format(name=name, controller=controller, more=more)


_DEFAULT: Final = ", annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}"

CLASH: Final[Clash] = Clash(
    id="cluster-defaults",
    title="No two classes are the cluster's default or share a controller",
    explanation=(
        "The cluster has one default class of a kind: of two, the newer one or none counts, and the API server "
        "refuses a second default PriorityClass. If classes of both releases name one controller, both controllers "
        "act on both."
    ),
    remedy="make the class a default in one release only, and give each release's controller a name of its own",
    wrong=(
        (_class("a", "app"), _class("b", "app")),
        (_class("a", "a", _DEFAULT), _class("b", "b", _DEFAULT)),
        (_PRIORITY.format(name="a", default="true"), _PRIORITY.format(name="b", default="true")),
    ),
    right=(
        (_class("a", "a"), _class("b", "b")),
        (_class("a", "a", _DEFAULT), _class("b", "b")),
        (_PRIORITY.format(name="a", default="true"), _PRIORITY.format(name="b", default="false")),
    ),
    find=_find,
    origin="Kubernetes, Ingress: Default IngressClass; Pod Priority and Preemption",
)
