"""Objects that only this release can have are in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.manifest import Identity, Manifest, Object, references
from sidelane.manifest.objects import CLUSTER_KINDS

_KINDS: Final = frozenset({
    ("", "ConfigMap"), ("", "Secret"), ("", "Service"), ("", "ServiceAccount"), ("", "PersistentVolumeClaim"),
    ("apps", "Deployment"), ("apps", "StatefulSet"), ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
})  # fmt: skip
#: Kubernetes' own groups whose objects create no others with names of their own.
_PLAIN: Final = frozenset({
    "", "apps", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io",
    "scheduling.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
    "monitoring.coreos.com",
})  # fmt: skip


def _check(context: Context) -> Iterator[Problem]:
    identities = {obj.identity for obj in context.manifest.objects}
    making = _makes_objects(context.manifest)
    for obj in context.manifest.objects:
        # The rule references-exist is about objects of lanes.
        if context.lane_of(obj) is None and (release := context.known(obj).get("release")):
            yield from _missing(obj, release, identities, making=making)


def _makes_objects(manifest: Manifest) -> bool:
    """Return whether a Job, a hook or a custom resource may create further objects, such as certificates."""
    return any(
        obj.kind in {"Job", "CronJob"}
        or (obj.is_hook and obj.pod_template)
        or (obj.identity.group not in _PLAIN and (obj.identity.group, obj.kind) not in CLUSTER_KINDS)
        for obj in manifest.objects
    )


def _missing(obj: Object, release: str, identities: set[Identity], *, making: bool) -> Iterator[Problem]:
    for reference in references(obj):
        target = reference.target
        own = target.name == release or target.name.startswith(f"{release}-")
        made_later = making and target.kind not in {"ServiceAccount", "Role", "ClusterRole", "Deployment"}
        plain = (target.group, target.kind) in _KINDS and not reference.optional and not made_later
        if own and plain and target not in identities:
            yield Problem(obj, reference.path, f"{target} has the name of this release, but is not in it")


_FOREIGN: Final = (
    ("    app: svc1-2-coco-1\n", "    app.kubernetes.io/instance: demo\n"),
    ("    sidelane.dev/version: 2-coco\n", ""),
    ('    sidelane.dev/build: "1"\n', ""),
    ("    sidelane.dev/lane: 2-coco-1\n", ""),
    ("{app: svc1-2-coco-1, version: v1, sidelane.dev/lane: 2-coco-1}", "{app.kubernetes.io/instance: demo}"),
    ("svc1-v1-2-coco-1", "demo-svc1"),
)
_RELEASE: Final = edited(RELEASE, *_FOREIGN)

RULE: Final[Rule] = Rule(
    id="own-references",
    title="Objects that only this release can have are in it",
    explanation=(
        "A pod that mounts a missing ConfigMap or uses a missing ServiceAccount never starts. A name that begins with "
        "the release's name can only be an object of the release. The rule covers charts without lanes. Objects that "
        "a Job, a hook or a custom resource may create are not counted as missing."
    ),
    remedy="correct the name, or render the object under the same condition as its user",
    wrong=(
        edited(_RELEASE, ("configMap: {name: demo-svc1}", "configMap: {name: demo-settings}")),
        edited(_RELEASE, ("automountService", "serviceAccountName: demo-svc1\n      automountService")),
    ),
    right=(
        _RELEASE,
        edited(_RELEASE, ("configMap: {name: demo-svc1}", "configMap: {name: settings}")),
        edited(_RELEASE, ("configMap: {name: demo-svc1}", "configMap: {name: demo-settings, optional: true}")),
    ),
    check=_check,
    origin="Kubernetes, Configure a Pod to Use a ConfigMap; Helm, Best Practices: resource names",
    scope="all",
)
