"""Text fields hold text, not a number or a boolean that YAML made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.manifest.fields import Fields, walk

_CONTAINER: Final = (
    "name", "image", "imagePullPolicy", "workingDir", "command[]", "args[]", "env[].name", "env[].value",
    "env[].valueFrom.secretKeyRef.name", "env[].valueFrom.secretKeyRef.key", "env[].valueFrom.configMapKeyRef.name",
    "env[].valueFrom.configMapKeyRef.key", "envFrom[].prefix", "envFrom[].secretRef.name",
    "envFrom[].configMapRef.name",
    "ports[].name", "ports[].protocol", "volumeMounts[].name", "volumeMounts[].mountPath", "volumeMounts[].subPath",
)  # fmt: skip
#: Text in a pod's spec.
_POD: Final = Fields((pattern, None) for pattern in (
    "serviceAccountName", "priorityClassName", "runtimeClassName", "schedulerName", "nodeName", "hostname",
    "restartPolicy", "imagePullSecrets[].name", "hostAliases[].ip", "hostAliases[].hostnames[]", "tolerations[].key",
    "tolerations[].value", "tolerations[].effect", "volumes[].name", "volumes[].secret.secretName",
    "volumes[].configMap.name", "volumes[].persistentVolumeClaim.claimName",
    *(f"{kind}[].{field}" for kind in ("containers", "initContainers") for field in _CONTAINER),
))  # fmt: skip
#: Text in other objects, by group and kind.
_OTHERS: Final = {kind: Fields((pattern, None) for pattern in patterns) for kind, patterns in {
    ("", "Service"): ("spec.type", "spec.ports[].name", "spec.ports[].protocol", "spec.ports[].appProtocol"),
    ("apps", "StatefulSet"): ("spec.serviceName", "spec.volumeClaimTemplates[].spec.storageClassName"),
    ("", "PersistentVolumeClaim"): ("spec.storageClassName", "spec.volumeName"),
    ("networking.k8s.io", "Ingress"): (
        "spec.ingressClassName", "spec.rules[].host", "spec.tls[].hosts[]", "spec.tls[].secretName",
    ),
}.items()}  # fmt: skip
_NONE: Final = Fields[None](())
#: Mappings whose values are text, by group and kind.
_DATA: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("", "ConfigMap"): ("data", "binaryData"),
    ("", "Secret"): ("data", "stringData"),
}

_OBJECT: Final = """\
apiVersion: v1
kind: {kind}
metadata:
  name: svc1-2-coco-1
  labels:
    app: svc1-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
{rest}
"""
_PODS: Final = 'spec: {{containers: [{{name: main, image: "acme/svc1:1.4.0", {container}}}], {pod}}}'


def _pod(container: str = "", pod: str = "") -> str:
    return _OBJECT.format(kind="Pod", rest=_PODS.format(container=container, pod=pod))


def _check(context: Context) -> Iterator[Problem]:
    for obj in context.manifest.objects:
        key = (obj.identity.group, obj.kind)
        fields = [(path, value) for path, value, _ in _OTHERS.get(key, _NONE).walk(obj.body)]
        fields += [pair for part in _DATA.get(key, ()) for pair in _values(obj.body, part)]
        if template := obj.pod_template:
            base = template.within("spec")
            fields += [(path, value) for path, value, _ in _POD.walk(template.spec, base)]
            fields += _values(template.spec, "nodeSelector", base)
        for path, value in fields:
            if value is not None and not isinstance(value, str):  # Kubernetes treats null as a missing field
                # The content of a Secret is never repeated.
                what = "the value" if obj.kind == "Secret" else shown(value)
                yield Problem(obj, path, f"{what} is not text")


def _values(node: Any, key: str, base: str = "") -> list[tuple[str, Any]]:
    """Return the values of a mapping with arbitrary keys, each with its path."""
    return [
        (f"{path}[{name}]", value)
        for path, items in walk(node, key, base)
        if isinstance(items, dict)
        for name, value in items.items()
    ]


RULE: Final[Rule] = Rule(
    id="text-fields",
    title="Text fields hold text",
    explanation=(
        "YAML reads unquoted 2024, 1e3, no and 0x10 as numbers and booleans. The API server refuses these in a text "
        "field, in the middle of an install; the name of a Secret would be a different one."
    ),
    remedy="put it in quotes in the template, with `quote`, `toYaml` or `toJson`",
    wrong=(
        _pod(container="env: [{name: A, value: 1e3}]"),
        _pod(container="command: [sleep, 10]"),
        _pod(pod="priorityClassName: 1234"),
        _pod(pod="nodeSelector: {disk: no}"),
        _pod(pod="volumes: [{name: a, secret: {secretName: 2024}}]"),
        _OBJECT.format(kind="ConfigMap", rest="data: {limit: 0x10}"),
    ),
    right=(
        _pod(container='env: [{name: A, value: "1e3"}], command: [sleep, "10"]', pod='priorityClassName: "1234"'),
        _OBJECT.format(kind="ConfigMap", rest='data: {limit: "0x10", day: 2001-01-01, none: null}'),
    ),
    check=_check,
    origin="Kubernetes API reference; YAML 1.1, which Kubernetes reads",
    scope="all",
)
