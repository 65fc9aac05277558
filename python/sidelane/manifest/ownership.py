"""The metadata that decides who owns an object and when it goes: owner references, finalizers, Helm's annotations.

A release sets none of them but Helm's ownership annotations. An invented owner reference lets the garbage collector
delete an object, a finalizer keeps a deletion from ending, and another release's name lets that release take it over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.manifest.differences import ABSENT, joined
from sidelane.manifest.drift import Drift
from sidelane.manifest.fields import at, mapping
from sidelane.manifest.objects import Object

_OURS: Final = ("helm.sh/", "meta.helm.sh/", "sidelane.dev/")
#: Kubernetes' own finalizers (https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/).
_FINALIZERS: Final = re.compile(r"(kubernetes|[a-z-]+\.kubernetes\.io/.+|kubernetes\.io/.+|foregroundDeletion|orphan)$")
#: Kinds whose controllers, which a cloud or a mesh brings, add finalizers of their own.
_OF_CONTROLLERS: Final = frozenset({("networking.k8s.io", "Ingress"), ("", "PersistentVolumeClaim")})


def ownership(asked: Object, live: Mapping[str, Any], release: str, namespace: str) -> Iterator[Drift]:
    """Yield each part of a live object's ownership that its release did not set. release, namespace: the release's."""
    identity, metadata = asked.identity, mapping(live, "metadata")
    if (owners := metadata.get("ownerReferences")) and not at(asked.body, "metadata", "ownerReferences"):
        names = [f"{owner.get('kind')} {owner.get('name')}" for owner in owners]
        yield Drift(identity, "metadata.ownerReferences", ABSENT, names)
    given = at(asked.body, "metadata", "finalizers") or []
    extra = [name for name in metadata.get("finalizers") or [] if name not in given and not _FINALIZERS.match(name)]
    if extra and not _has_own_controller(asked):
        yield Drift(identity, "metadata.finalizers", ABSENT, extra)
    expected = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace}
    for key, value in mapping(metadata, "annotations").items():
        want = asked.annotations.get(key, expected.get(key, ABSENT))
        if key.startswith(_OURS) and key not in asked.annotations and value != want:
            yield Drift(identity, joined("metadata.annotations", key), want, value)


def _has_own_controller(asked: Object) -> bool:
    group, kind = asked.identity.group, asked.kind
    if kind == "Service":
        return bool(at(asked.body, "spec", "type") == "LoadBalancer")
    # Kubernetes' own groups have no dot, or end in k8s.io.
    is_custom = "." in group and (not group.endswith(".k8s.io") or group.startswith("gateway."))
    return is_custom or (group, kind) in _OF_CONTROLLERS
