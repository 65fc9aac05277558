"""Temporary releases of Sidelane's, because Helm deletes only objects of a release.

Their names are outside the naming contract, so that none is a release of a lane. A label distinguishes them from
foreign releases with such a name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sidelane.errors import ReleaseNotFound
from sidelane.naming.labels import HELPER

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget

LABELS: Final[Mapping[str, str]] = {HELPER: "true"}


def name(purpose: str, of: str) -> str:
    """Returns the name of the helper for a lane or a release: ``sidelane-claims-x3f2a…``."""
    return f"sidelane-{purpose}-x{hashlib.sha256(of.encode()).hexdigest()[:12]}"


async def remove(target: ClusterTarget, helper: str, *, wait: bool = False, timeout: str | None = None) -> None:
    """Uninstalls a helper if it exists, but never a foreign release."""
    if helper in await target.labelled(HELPER):
        with suppress(ReleaseNotFound):
            await target.helm.uninstall(helper, namespace=target.namespace, wait=wait, timeout=timeout)
