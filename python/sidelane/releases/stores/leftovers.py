"""Remove the objects that install hooks of a killed Helm leave behind.

Helm does not record the objects of its hooks. It replaces most of them when the hook runs again; but an object to keep
until the hook succeeds (``hook-delete-policy: hook-succeeded``) would block its own hook for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sidelane.helm.flags import Flags
from sidelane.helm.lookup import ClusterReader
from sidelane.manifest import Object
from sidelane.manifest.fields import mapping
from sidelane.releases.stores import Options, Stored, helpers, live

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget

_CHART: Final = Path(__file__).parent / "_leftovers"
_HOOK: Final = "helm.sh/hook"
_POLICY: Final = "helm.sh/hook-delete-policy"
_REPLACED: Final = "before-hook-creation"  # Helm's default


async def remove(target: ClusterTarget, stored: Stored, options: Options) -> None:
    """Deletes the objects of this release's install hooks that block the hooks, and no others: a live object must have
    the labels of that hook, in that lane.
    """
    hooks = [obj for obj in stored.manifest.objects if "-install" in str(obj.annotations.get(_HOOK))]
    hooks = [obj for obj in hooks if _REPLACED not in str(obj.annotations.get(_POLICY) or _REPLACED)]
    if not hooks:
        return
    helm, namespace = target.helm, stored.release.namespace
    present = await live.read(ClusterReader(helm, namespace), hooks)
    left = [obj for obj in hooks if obj.identity in present and _is_it(obj, present[obj.identity])]
    if not left:
        return
    # Helm deletes only objects of a release, so a temporary release adopts them.
    helper = helpers.name("leftovers", stored.release.name)
    await helpers.remove(target, helper, wait=True, timeout=options.timeout)  # left by a killed process
    made = helm.installing(
        helper,
        _CHART,
        namespace=namespace,
        take_ownership=True,
        flags=Flags(helpers.LABELS, timeout=options.timeout),
    )
    async with made as install:
        await install({"objects": [_without_hook(obj) for obj in left]})
    await helpers.remove(target, helper, wait=True, timeout=options.timeout)


def _is_it(obj: Object, body: Mapping[str, Any]) -> bool:
    """Tells whether this hook created the live object: it has all its labels and annotations, and belongs to no
    release.
    """
    annotations = mapping(body, "metadata", "annotations")
    alike = obj.labels.items() <= mapping(body, "metadata", "labels").items()
    return alike and obj.annotations.items() <= annotations.items() and "meta.helm.sh/release-name" not in annotations


def _without_hook(obj: Object) -> str:
    """Returns the hook's object without its hook annotations, otherwise unchanged; as text, because Helm may write
    numbers in values differently.
    """
    annotations = {key: value for key, value in obj.annotations.items() if not key.startswith(_HOOK)}
    metadata = {**obj.body["metadata"], "annotations": annotations, "namespace": obj.identity.namespace}
    return json.dumps({**obj.body, "metadata": metadata})
