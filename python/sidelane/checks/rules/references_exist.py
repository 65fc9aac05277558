"""What an object refers to by name is there, or is not the lane's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from sidelane.checks.rules.rule import Context, Problem, Rule, in_lane, is_route
from sidelane.manifest import Reference, references
from sidelane.naming.contract import SERVICE_VERSION, parse_name
from sidelane.naming.lane import Lane

_POD: Final = """\
apiVersion: v1
kind: Pod
metadata:
  name: svc1-2-coco-1
  labels:
    app: svc1-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
spec:
  serviceAccountName: default
  containers:
    - name: main
      image: registry.example/svc1:1.4.0
      envFrom:
        - secretRef: {{name: {ref}, optional: {optional}}}
"""
_STATEFULSET: Final = """\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: zk-2-coco-1
  labels: &labels
    app: zk-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
spec:
  serviceName: zk-hs
  selector:
    matchLabels: *labels
  template:
    metadata:
      labels: *labels
    spec:
      containers: [{name: zookeeper, image: "zookeeper:3.9.5"}]
"""
_ROUTE: Final = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: svc1-2-coco-1
  labels:
    app: svc1-2-coco-1
    app.kubernetes.io/name: {chart}
    helm.sh/chart: {chart}-0.1.0
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
spec:
  rules: [{{backendRefs: [{{group: "", kind: Service, name: svc1-v1-2-coco-2, port: 80, weight: 1}}]}}]
"""


def _check(context: Context) -> Iterator[Problem]:
    identities = {obj.identity for obj in context.manifest.objects}
    components = {named[0] for obj in context.manifest.objects if (named := parse_name(obj.name))}
    # Where other releases may be in the lane, those of its components that have objects here are this release's own.
    own = None if context.whole else frozenset(map(_service, components))
    for obj, lane in context.in_lanes():
        for reference in references(obj):
            if reference.target in identities or (reference.routed and is_route(obj)):
                continue
            if message := _message(reference, lane, components, own):
                yield Problem(obj, reference.path, message)


def _message(reference: Reference, lane: Lane, components: set[str], own: frozenset[str] | None) -> str:
    target = reference.target
    if in_lane(target.name, lane):
        absent = not reference.optional and not reference.routed
        absent = absent and (own is None or reference.required or _is_own(target.name, own))
        return f"{target} would be this lane's, and is not in the manifest" if absent else ""
    if (other := _other_lane(target.name, lane, components)) is not None:
        return f"{target} is of lane {other}, and this object of {lane}"
    return f"{target} has to be this lane's, and is not in the manifest" if reference.required else ""


def _service(component: str) -> str:
    """The service that a component is a version of: ``svc1`` of ``svc1-v1``; any other component is itself."""
    service, dash, last = component.rpartition("-")
    return service if dash and SERVICE_VERSION.fullmatch(last) else component


def _is_own(name: str, own: frozenset[str]) -> bool:
    """Whether a name is of one of these components, or made of its name: ``zk-settings`` belongs to ``zk``."""
    parts = cast("tuple[str, Lane]", parse_name(name))[0].split("-")
    return any("-".join(parts[:end]) in own for end in range(1, len(parts) + 1))


def _other_lane(name: str, lane: Lane, components: set[str]) -> Lane | None:
    """The other lane that a name is of, if it surely is: `tls-cert-2024` has the form of one and need not be."""
    named = parse_name(name)
    return named[1] if named and (named[1].version == lane.version or named[0] in components) else None


RULE: Final[Rule] = Rule(
    id="references-exist",
    title="What an object refers to by name is there, or is not the lane's",
    explanation=(
        "A pod that mounts a ConfigMap which is not there never starts, and one that mounts another lane's changes "
        "when that lane does. So a name with the lane's suffix must be in the manifest, unless the reference is "
        "optional or leads, as a route's does, to what other releases of the lane bring. One release is seldom all of "
        "its lane: a service may name its lane's ZooKeeper. So in one release's manifest only the names of its own "
        "components are held to this (zk, and zk-settings, which is made of it), and every name where a whole lane is "
        "checked together. A name of another lane is refused, but for where a route leads its requests. A name without "
        "a lane belongs to whoever runs the cluster (image pull secrets, certificates) and is let pass, except where "
        "the object is nothing without it: a "
        "StatefulSet's serviceName, an autoscaler's target."
    ),
    remedy="name what this chart renders, or give an existing object without a lane in its name",
    wrong=(
        _POD.format(ref="svc1-2-coco-1", optional="false"),
        _POD.format(ref="svc1-2-coco-2", optional="true"),
        _POD.format(ref="svc1-3-coco-1", optional="false"),
        _POD.format(ref="svc1-tls-2-coco-1", optional="false"),
        _STATEFULSET,
        _ROUTE.format(chart="service"),
        _ROUTE.format(chart="route").replace("    helm.sh/chart: route-0.1.0\n", ""),
    ),
    right=(
        _ROUTE.format(chart="route"),
        _POD.format(ref="svc1-2-coco-1", optional="true"),
        _POD.format(ref="zk-tls-2-coco-1", optional="false"),
        _POD.format(ref="tls-cert-2024", optional="false"),
    ),
    check=_check,
)
