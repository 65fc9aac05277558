"""Check permissions before a release is removed (SelfSubjectAccessReview).

Helm removes objects one by one and does not report reasons, so a missing permission would appear half-way, and only as
"failed to delete release".
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable
from typing import Any, Final

from sidelane.helm.client import Helm
from sidelane.helm.rights import Right, denied
from sidelane.manifest import Identity, Object
from sidelane.releases.stores import Stored

#: The most seconds for all checks together.
_PATIENCE: Final = 15.0
#: Irregular plurals; only groups of Kubernetes' own are checked.
_PLURALS: Final = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses", "IngressClass": "ingressclasses",
                   "StorageClass": "storageclasses", "PriorityClass": "priorityclasses",
                   "RuntimeClass": "runtimeclasses"}  # fmt: skip
_GROUPS: Final = frozenset({
    "", "apps", "autoscaling", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io",
    "scheduling.k8s.io", "storage.k8s.io", "node.k8s.io",
})  # fmt: skip


#: The kinds of Helm's storage, by Helm's setting; others are not checked.
_DRIVERS: Final = {"": "secrets", "secret": "secrets", "secrets": "secrets",
                   "configmap": "configmaps", "configmaps": "configmaps"}  # fmt: skip


async def require_removal(helm: Helm, releases: Iterable[Stored], *, claims: bool = False) -> None:
    """Raises ClusterDenied when a permission to remove these releases is missing. claims: also their claims."""
    asked: list[Right | None] = []
    for stored in releases:
        namespace = stored.release.namespace
        asked += [_on("delete", obj.identity) for obj in stored.manifest.objects if _goes(obj)]
        if storage := _DRIVERS.get(os.environ.get("HELM_DRIVER", "").lower()):
            asked += [Right(verb, storage, "", namespace) for verb in ("update", "delete")]
        asked += [Right("delete", "persistentvolumeclaims", "", namespace)] if claims else []
    await require(helm, asked)


async def require_namespaces(helm: Helm) -> None:
    """Raises ClusterDenied when the permission to create namespaces is missing."""
    await require(helm, [Right("create", "namespaces", "", "")])


def _goes(obj: Object) -> bool:
    return not obj.is_hook and obj.annotations.get("helm.sh/resource-policy") != "keep"


def _on(verb: str, identity: Identity) -> Right | None:
    """Returns the permission for a verb on an object, None if its resource is unknown."""
    if identity.group not in _GROUPS:
        return None
    return Right(verb, resource_of(identity.kind), identity.group, identity.namespace)


def resource_of(kind: str) -> str:
    """Returns the resource of a kind of Kubernetes, its plural in lower case."""
    return _PLURALS.get(kind, f"{kind.lower()}s")


async def require(helm: Helm, rights: Iterable[Right | None]) -> None:
    """Raises ClusterDenied for missing permissions. A failed check raises nothing: Helm reports it."""
    asked = tuple(dict.fromkeys(filter(None, rights)))
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    missing: list[Right] = []

    def work() -> None:
        try:
            missing.extend(_missing(helm, asked))
        except Exception:  # noqa: BLE001 - Helm reports problems of a kubeconfig or its plugin
            missing.clear()
        finally:
            if not loop.is_closed():
                loop.call_soon_threadsafe(done.set)

    # A daemon thread: a credential plugin that hangs must not keep this process alive.
    threading.Thread(target=work, name="sidelane-rights", daemon=True).start()
    try:
        async with asyncio.timeout(_PATIENCE):
            await done.wait()
    except TimeoutError:
        return
    if missing:
        raise denied(missing)


def _missing(helm: Helm, rights: Iterable[Right]) -> list[Right]:
    from kubernetes import client  # noqa: PLC0415 - see sidelane.releases.waiting.logs

    from sidelane.releases.waiting.logs import connected  # noqa: PLC0415

    api = client.AuthorizationV1Api(connected(helm.settings))
    missing = []
    for right in rights:
        attributes = {"verb": right.verb, "resource": right.resource, "group": right.group}
        body: Any = {"spec": {"resourceAttributes": {**attributes, "namespace": right.namespace}}}
        review: Any = api.create_self_subject_access_review(body, _request_timeout=(3.0, 5.0))
        if not review.status.allowed:
            missing.append(right)
    return missing
