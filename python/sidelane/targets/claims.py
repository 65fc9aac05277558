"""The volume claims that stateful sets left behind, deleted.

Helm deletes no object that no release of it made, but for what its hooks replace: so a small chart has hooks of the
claims' names (``_claims``), and is installed for a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from sidelane.cluster_reader import ClusterReader
from sidelane.errors import ReleaseExists, ReleaseNotFound
from sidelane.helm import Helm
from sidelane.targets import Options
from sidelane.targets.waits import Waits

_CHART: Final = Path(__file__).parents[1] / "_claims"


async def delete(
    helm: Helm, namespace: str | None, lane: str, labels: Mapping[str, str], options: Options, *, waits: Waits
) -> tuple[str, ...]:
    """Deletes the claims of a lane that have these labels, and returns their names when they are gone."""
    found = await ClusterReader(helm, namespace).list("v1", "PersistentVolumeClaim", labels=labels)
    names = tuple(sorted(claim["metadata"]["name"] for claim in found))
    helper = f"claims-{lane}"
    if not names:
        with suppress(ReleaseNotFound):  # left by a process that was killed
            await helm.uninstall(helper, namespace=namespace)
        return ()

    async def replace_them() -> None:
        # Helm 4 waits for what it deletes only when it waits for all.
        async with helm.installing(helper, _CHART, namespace=namespace, wait=True, timeout=options.timeout) as install:
            await install({"claims": list(names)})

    try:
        try:
            await waits.while_claims_go(names, options, replace_them())
        except ReleaseExists:  # left by a process that was killed
            await helm.uninstall(helper, namespace=namespace)
            await waits.while_claims_go(names, options, replace_them())
    finally:
        with suppress(ReleaseNotFound):
            await helm.uninstall(helper, namespace=namespace)
    return names
