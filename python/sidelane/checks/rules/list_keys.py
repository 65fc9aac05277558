"""No list has two items with the same key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.manifest import Object
from sidelane.manifest.fields import Fields, mapping

_Keys = tuple[tuple[str, tuple[str, ...]], ...]

_CONTAINER: Final[_Keys] = (
    ("env[]", ("name",)),
    ("ports[]", ("containerPort", "protocol")),
    ("resources.claims[]", ("name",)),
    ("volumeDevices[]", ("devicePath",)),
    ("volumeMounts[]", ("mountPath",)),
)
#: Lists of a pod's spec and the keys of their items, as Kubernetes declares them (x-kubernetes-list-map-keys).
POD: Final[_Keys] = (
    ("hostAliases[]", ("ip",)),
    ("imagePullSecrets[]", ("name",)),
    ("resourceClaims[]", ("name",)),
    ("resources.claims[]", ("name",)),
    ("schedulingGates[]", ("name",)),
    ("topologySpreadConstraints[]", ("topologyKey", "whenUnsatisfiable")),
    ("volumes[]", ("name",)),
    *(
        (f"{containers}[]{inner}", keys)
        for containers in ("containers", "initContainers", "ephemeralContainers")
        for inner, keys in (("", ("name",)), *((f".{inner}", keys) for inner, keys in _CONTAINER))
    ),
)
_HEADERS: Final[_Keys] = tuple(
    (f"spec.rules[].{filters}[].{modifier}HeaderModifier.{verb}[]", ("name",))
    for filters in ("filters", "backendRefs[].filters")
    for modifier in ("request", "response")
    for verb in ("add", "set")
)
#: Such lists of other objects, by group and kind; those of Gateway API and Istio are from their definitions.
OTHERS: Final[dict[tuple[str, str], _Keys]] = {
    ("", "Service"): (("spec.ports[]", ("port", "protocol")),),
    ("", "ServiceAccount"): (("secrets[]", ("name",)),),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): (("spec.matchConditions[]", ("name",)),),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): (
        ("spec.matchConditions[]", ("name",)),
        ("spec.variables[]", ("name",)),
    ),
    **dict.fromkeys(
        (
            ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ),
        (("webhooks[]", ("name",)), ("webhooks[].matchConditions[]", ("name",))),
    ),
    ("gateway.networking.k8s.io", "Gateway"): (
        ("spec.listeners[]", ("name",)),
        ("spec.tls.frontend.perPort[]", ("port",)),
    ),
    ("gateway.networking.k8s.io", "GRPCRoute"): (("spec.rules[].matches[].headers[]", ("name",)), *_HEADERS),
    ("gateway.networking.k8s.io", "HTTPRoute"): (
        ("spec.rules[].matches[].headers[]", ("name",)),
        ("spec.rules[].matches[].queryParams[]", ("name",)),
        *_HEADERS,
    ),
    ("networking.istio.io", "ServiceEntry"): (("spec.ports[]", ("name",)),),
    ("storage.k8s.io", "CSINode"): (("spec.drivers[]", ("name",)),),
}
#: Such lists of every object.
METADATA: Final[_Keys] = (("metadata.ownerReferences[]", ("uid",)),)
_POD: Final = Fields(POD)
_METADATA: Final = Fields(METADATA)
_OTHERS: Final = {kind: Fields(lists) for kind, lists in OTHERS.items()}
#: The default of a key that an item omits.
_DEFAULTS: Final = {"protocol": "TCP"}

_POD_OF: Final = """\
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
  {pod}
  containers: [{{name: main, image: "registry.example/svc1:1.4.0", {container}}}]
"""
_SERVICE: Final = """\
apiVersion: v1
kind: Service
metadata:
  name: svc1-2-coco-1
  labels:
    app: svc1-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
spec:
  ports: [{{name: a, port: 53}}, {{name: b, port: 53, protocol: {protocol}}}]
"""


def _check(context: Context) -> Iterator[Problem]:
    for obj in context.manifest.objects:
        if "ownerReferences" in mapping(obj.body, "metadata"):
            yield from _duplicates(obj, _METADATA.walk(obj.body))
        if fields := _OTHERS.get((obj.identity.group, obj.kind)):
            yield from _duplicates(obj, fields.walk(obj.body))
        if template := obj.pod_template:
            yield from _duplicates(obj, _POD.walk(template.spec, template.within("spec")))


def _duplicates(obj: Object, items: list[tuple[str, Any, tuple[str, ...]]]) -> Iterator[Problem]:
    """Yield a problem for every item of a list that has the keys of an earlier item."""
    seen: dict[tuple[str, ...], str] = {}
    for path, item, keys in items:
        if not isinstance(item, dict) or item.get(keys[0]) is None:
            continue
        own = [str(item.get(key, _DEFAULTS.get(key))) for key in keys]
        first = seen.setdefault((path.rpartition("[")[0], *own), path)
        if first is not path:
            key = ", ".join(f"{key} {shown(item.get(key, _DEFAULTS.get(key)))}" for key in keys)
            yield Problem(obj, path, f"has the same key as {first}: {key}")


RULE: Final[Rule] = Rule(
    id="list-keys",
    title="No list has two items with the same key",
    explanation=(
        "Kubernetes identifies the items of these lists by a key: environment variables by their name, ports by number "
        "and protocol, mounts by their path. Server-side apply, which Helm 4 uses, refuses an object with a duplicate "
        "key. A patch, which Helm 3 uses, loses one of the two items on a later upgrade."
    ),
    remedy="remove one of the two, or give it another key",
    wrong=(
        _POD_OF.format(pod="", container='env: [{name: A, value: "1"}, {name: A, value: "2"}]'),
        _POD_OF.format(
            pod="volumes: [{name: a, emptyDir: {}}, {name: b, emptyDir: {}}]",
            container="volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /a}]",
        ),
        _POD_OF.format(pod="", container="ports: [{containerPort: 80}, {containerPort: 80, protocol: TCP}]"),
        _POD_OF.format(pod='hostAliases: [{ip: "10.0.0.1"}, {ip: "10.0.0.1", hostnames: [a]}]', container=""),
        _POD_OF.format(pod="imagePullSecrets: [{name: a}, {name: a}]", container=""),
        _SERVICE.format(protocol="TCP"),
    ),
    right=(
        _POD_OF.format(pod="", container='env: [{name: A, value: "1"}, {name: B, value: "1"}]'),
        _POD_OF.format(pod="", container="ports: [{containerPort: 53}, {containerPort: 53, protocol: UDP}]"),
        _SERVICE.format(protocol="UDP"),
    ),
    check=_check,
    origin="Kubernetes, Server-Side Apply, merge strategy (x-kubernetes-list-map-keys)",
    scope="all",
)
