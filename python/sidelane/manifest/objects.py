"""A Kubernetes object in a manifest: its identity, its source and its well-known parts."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, Final, NamedTuple, TypeVar

from sidelane.errors import InvalidManifest
from sidelane.manifest.fields import at, mapping
from sidelane.support.harmless import in_line
from sidelane.support.secrets import HIDDEN, without_secrets

#: The hooks of `helm test`.
TESTS: Final = frozenset({"test", "test-success", "test-failure"})
#: Kubernetes' own kinds without a namespace. Custom resources are assumed to have one.
CLUSTER_KINDS: Final = frozenset({
    ("", "Namespace"), ("", "Node"), ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("networking.k8s.io", "IngressClass"), ("networking.k8s.io", "IPAddress"), ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"), ("storage.k8s.io", "CSINode"), ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"), ("storage.k8s.io", "VolumeAttributesClass"),
})  # fmt: skip
#: The most characters of a kind and a name in a message; a name has at most 253.
_SHOWN: Final = 330
#: What labels and annotations may be.
_MAPPING: Final = (dict, NoneType)
#: The secret parts of a Secret.
SECRET_FIELDS: Final = ("data", "stringData")

# These kinds moved out of `extensions`; meanwhile one stored object had two groups.
_MOVED: Final = {
    **dict.fromkeys(("DaemonSet", "Deployment", "ReplicaSet"), "apps"),
    **dict.fromkeys(("Ingress", "NetworkPolicy"), "networking.k8s.io"),
    "PodSecurityPolicy": "policy",
}
_TEMPLATES: Final = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}


class Identity(NamedTuple):
    """The identity of an object to the API server. The version is not part of it: ``apps/v1`` equals ``apps/v1beta1``.

    ``namespace`` is empty for cluster-scoped kinds.
    """

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return in_line(f"{self.kind} {self.name}", _SHOWN)

    @property
    def path(self) -> str:
        """Return a unique text, which ``str`` is not: ``StatefulSet.apps/streams/zk-coco-1``."""
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return "/".join(filter(None, (kind, self.namespace, self.name)))

    def to_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"group": self.group, "kind": self.kind, "namespace": self.namespace, "name": self.name}


class _PodTemplate(NamedTuple):
    path: str
    labels: Mapping[str, Any]
    spec: Mapping[str, Any]


class PodTemplate(_PodTemplate):
    """The template of an object's pods, or a Pod itself. ``path`` is its path in the object, empty for a Pod."""

    def within(self, path: str) -> str:
        """Return the path of a field of the template, from the object's root."""
        return f"{self.path}.{path}" if self.path else path


class _Object(NamedTuple):
    identity: Identity
    body: Mapping[str, Any]
    source: str
    line: int


class Object(_Object):
    """One object as Kubernetes would get it. Do not change the body: its parts are looked up once and remembered.

    ``source`` is the template in Helm's comment above the object, and ``line`` then is 0; or else the input's name, and
    the first line of its document there, from 1.
    """

    @property
    def kind(self) -> str:
        return self.identity.kind

    @property
    def name(self) -> str:
        return self.identity.name

    @functools.cached_property
    def labels(self) -> Mapping[str, Any]:
        return mapping(self.body, "metadata", "labels")

    @functools.cached_property
    def annotations(self) -> Mapping[str, Any]:
        return mapping(self.body, "metadata", "annotations")

    @property
    def is_hook(self) -> bool:
        """Return whether Helm runs it as a hook instead of keeping it in the release."""
        return "helm.sh/hook" in self.annotations

    @property
    def is_test(self) -> bool:
        """Return whether it is only for `helm test`: no installation creates it, so it may differ in each rendering."""
        return bool(self.hooks) and TESTS.issuperset(self.hooks)

    @functools.cached_property
    def hooks(self) -> tuple[str, ...]:
        """The hooks of Helm that it is for, such as ``test``; empty for an object of the release."""
        hooks = self.annotations.get("helm.sh/hook")
        return tuple(filter(None, map(str.strip, str(hooks).split(",")))) if hooks else ()

    @functools.cached_property
    def pod_template(self) -> PodTemplate | None:
        """Return the template of its pods, or None for a kind that creates no pods."""
        keys = _TEMPLATES.get((self.identity.group, self.kind))
        template = None if keys is None else at(self.body, *keys)
        if keys is None or not isinstance(template, dict):
            return None
        return PodTemplate(".".join(keys), mapping(template, "metadata", "labels"), mapping(template, "spec"))

    def canonical(self) -> str:
        """Return JSON that is the same for the same content, whatever the order of the keys."""
        return canonical(self.body)

    def without_secrets(self, texts: frozenset[str]) -> Object:
        """Return the object with every secret hidden: a Secret's data, values under a secret key, and these texts."""
        body = without_secrets(self.body, texts=texts)
        if (self.identity.group, self.kind) == ("", "Secret"):
            hidden = {key: dict.fromkeys(mapping(body, key), HIDDEN) for key in SECRET_FIELDS if key in body}
            body = {**body, **hidden}
        return self._replace(body=body)


_Subject = TypeVar("_Subject")
_Result = TypeVar("_Result")


def remembered(function: Callable[[_Subject], _Result]) -> Callable[[_Subject], _Result]:
    """Make a function keep its result in its argument: many rules ask the same of each object."""
    key = f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def get(subject: _Subject) -> _Result:
        results = subject.__dict__
        if key not in results:
            results[key] = function(subject)
        result: _Result = results[key]
        return result

    return get


def canonical(data: object) -> str:
    """Return JSON that is the same for the same data, whatever the order of the keys."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def parse_object(body: object, where: str, *, namespace: str, source: str, line: int) -> Object:
    """Parse a document into an object. Raises InvalidManifest, beginning with ``where``, for an invalid one."""
    if not isinstance(body, dict):
        raise InvalidManifest(
            f"{where}: the document is not an object", remedy="begin it with apiVersion, kind and metadata"
        )
    metadata = mapping(body, "metadata")
    version = _text(body, where, "apiVersion", body.get("apiVersion"))
    kind = _text(body, where, "kind", body.get("kind"))
    name = _text(body, where, "metadata.name", metadata.get("name"))
    for part in ("labels", "annotations"):
        if not isinstance(metadata.get(part), _MAPPING):
            who = in_line(f"{kind} {name}", _SHOWN)
            raise InvalidManifest(
                f"{where}: metadata.{part} of {who} must be a mapping", remedy="write it as `key: value` pairs"
            )
    group = version.rpartition("/")[0]
    group = _MOVED.get(kind, group) if group == "extensions" else group
    own = "" if (group, kind) in CLUSTER_KINDS else metadata.get("namespace") or namespace
    return Object(Identity(group, kind, str(own), name), body, source, line)


def _text(body: dict[str, Any], where: str, path: str, value: Any) -> str:
    """Return the value of a path, which must be text."""
    if isinstance(value, str) and value:
        return value
    if value is not None and value != "":
        raise InvalidManifest(f"{where}: {path} must be text", remedy="put it in quotes")
    if at(body, "metadata", "generateName"):
        raise InvalidManifest(
            f"{where}: an object has generateName and no name",
            remedy="give it a name; Helm cannot manage objects without one",
        )
    raise InvalidManifest(f"{where}: an object has no {path}", remedy=f"give it {path}, or remove the document")
