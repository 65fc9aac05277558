"""What the install hooks of a killed Helm left behind.

Helm keeps no account of what its hooks make. Most of it Helm replaces when the hook runs again; what a chart asked it
to keep until the hook has succeeded (``hook-delete-policy: hook-succeeded``) would be in the hook's own way for ever.
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
from sidelane.releases.stores import Options, Stored, helpers
from sidelane.releases.stores.found import find

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget

_CHART: Final = Path(__file__).parent / "_leftovers"
_HOOK: Final = "helm.sh/hook"
_POLICY: Final = "helm.sh/hook-delete-policy"
_REPLACED: Final = "before-hook-creation"  # Helm's own choice where a chart says nothing


async def remove(target: ClusterTarget, stored: Stored, options: Options) -> None:
    """Deletes what install hooks of this release left that would keep them from running again, and nothing else: what
    is there has to say itself that it is that hook, in that lane.
    """
    hooks = [obj for obj in stored.manifest.objects if "-install" in str(obj.annotations.get(_HOOK))]
    hooks = [obj for obj in hooks if _REPLACED not in str(obj.annotations.get(_POLICY) or _REPLACED)]
    if not hooks:
        return
    helm, namespace = target.helm, stored.release.namespace
    found = await find(ClusterReader(helm, namespace), hooks)
    left = [obj for obj in hooks if obj.identity in found.objects and _is_it(obj, found.objects[obj.identity])]
    if not left:
        return
    # Helm deletes what is of a release, so for a moment these are.
    helper = helpers.name("leftovers", stored.release.name)
    await helpers.remove(target, helper, wait=True, timeout=options.timeout)  # of one that was killed here
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


def _is_it(obj: Object, there: Mapping[str, Any]) -> bool:
    """Whether this hook made what is there: it has all labels and annotations of it, and belongs to no release."""
    annotations = mapping(there, "metadata", "annotations")
    alike = obj.labels.items() <= mapping(there, "metadata", "labels").items()
    return alike and obj.annotations.items() <= annotations.items() and "meta.helm.sh/release-name" not in annotations


def _without_hook(obj: Object) -> str:
    """The object as the hook made it, so that nothing of it changes, but no hook; as text, for Helm may write the
    numbers of values otherwise.
    """
    annotations = {key: value for key, value in obj.annotations.items() if not key.startswith(_HOOK)}
    metadata = {**obj.body["metadata"], "annotations": annotations, "namespace": obj.identity.namespace}
    return json.dumps({**obj.body, "metadata": metadata})
