"""Delete the volume claims that stateful sets leave behind.

Helm deletes objects of other origin only when a hook replaces them: so a small chart with hooks of the claims' names
(``_claims``) is installed for a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sidelane.helm.client import Helm
from sidelane.helm.flags import Flags
from sidelane.helm.lookup import ClusterReader
from sidelane.releases.stores import Options, helpers

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget

_CHART: Final = Path(__file__).parent / "_claims"


async def find(helm: Helm, namespace: str | None, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the names of the claims with these labels. Raises ClusterDenied, ClusterUnreachable."""
    claims = await ClusterReader(helm, namespace).list("v1", "PersistentVolumeClaim", labels=labels)
    return tuple(sorted(claim["metadata"]["name"] for claim in claims))


async def delete(target: ClusterTarget, lane: str, labels: Mapping[str, str], options: Options) -> tuple[str, ...]:
    """Deletes the claims of a lane with these labels, and returns their names when they are gone."""
    helm, namespace = target.helm, target.namespace
    names = await find(helm, namespace, labels)
    helper = helpers.name("claims", lane)
    await helpers.remove(target, helper)  # left by a killed process
    if not names:
        return ()

    async def replace_them() -> None:
        # Helm 4 waits for deletions only when it waits for every object.
        made = helm.installing(
            helper, _CHART, namespace=namespace, flags=Flags(helpers.LABELS, wait=True, timeout=options.timeout)
        )
        async with made as install:
            await install({"claims": list(names)})

    try:
        await target.waits.while_claims_go(names, options, replace_them())
    finally:
        await helpers.remove(target, helper)
    return names
