"""Referenced objects of the lane exist."""

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
    components = context.components
    # If the lane may have other releases, the components with objects in this manifest are this release's own.
    own = None if context.whole else frozenset(map(_service, components))
    for obj, lane in context.in_lanes():
        for reference in references(obj):
            if reference.target in identities or (reference.routed and is_route(obj)):
                continue
            if message := _message(reference, lane, components, own):
                yield Problem(obj, reference.path, message)


def _message(reference: Reference, lane: Lane, components: frozenset[str], own: frozenset[str] | None) -> str:
    target = reference.target
    if in_lane(target.name, lane):
        absent = not reference.optional and not reference.routed
        absent = absent and (own is None or reference.required or _is_own(target.name, own))
        return f"{target} belongs to this lane, but is missing in the manifest" if absent else ""
    if (other := _other_lane(target.name, lane, components)) is not None:
        return f"{target} is in lane {other}, but this object is in {lane}"
    return f"{target} must be in this lane, but is missing in the manifest" if reference.required else ""


def _service(component: str) -> str:
    """Return a component's name without a service version: ``svc1`` for ``svc1-v1``, ``zk`` for ``zk``."""
    service, dash, last = component.rpartition("-")
    return service if dash and SERVICE_VERSION.fullmatch(last) else component


def _is_own(name: str, own: frozenset[str]) -> bool:
    """Return whether a name belongs to one of these components: ``zk`` and ``zk-settings`` belong to ``zk``."""
    parts = cast("tuple[str, Lane]", parse_name(name))[0].split("-")
    return any("-".join(parts[:end]) in own for end in range(1, len(parts) + 1))


def _other_lane(name: str, lane: Lane, components: frozenset[str]) -> Lane | None:
    """Return the other lane of a name if it is certain; `tls-cert-2024` only looks like a name in a lane."""
    named = parse_name(name)
    return named[1] if named and (named[1].version == lane.version or named[0] in components) else None


RULE: Final[Rule] = Rule(
    id="references-exist",
    title="Referenced objects of the lane exist",
    explanation=(
        "A pod that mounts a missing ConfigMap never starts, and a pod that mounts another lane's ConfigMap changes "
        "with that lane. So an object with the lane's suffix in its name must be in the manifest, unless the reference "
        "is optional or, as a route's, leads to other releases of the lane. One release is rarely a complete lane: a "
        "service may use its lane's ZooKeeper. So in one release's manifest the rule covers only names of its own "
        "components (zk, and zk-settings, which begins with it); in a complete lane it covers every name. A name of "
        "another lane is refused, except as a route's destination. A name without a lane belongs to the cluster's "
        "operators (image pull secrets, certificates) and is accepted, unless the object cannot work without it: a "
        "StatefulSet's serviceName, an autoscaler's target."
    ),
    remedy="refer to an object that this chart renders, or to an existing object without a lane in its name",
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
    origin="Sidelane's naming contract; Kubernetes, Configure a Pod to Use a ConfigMap",
    scope="lanes",
)
