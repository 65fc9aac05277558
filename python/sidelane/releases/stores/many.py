"""Read many stored releases in one call of Helm: the Secrets in which Helm keeps them, as `helm status` reads each."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sidelane.errors import HelmError
from sidelane.helm.lookup import ClusterReader, LiveObject, Query
from sidelane.releases.stores import Stored
from sidelane.releases.stores.answers import stored_of

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget

#: One lookup takes as long as so many calls of `helm status`.
FEW: Final = 3
#: The statuses of a release's last revision: every one but `superseded`.
#: Source: https://github.com/helm/helm/blob/main/pkg/release/common/status.go
_LAST: Final = (
    *("deployed", "failed", "uninstalled", "uninstalling", "unknown"),
    *("pending-install", "pending-upgrade", "pending-rollback"),
)
#: The most bytes of a release's JSON. Helm compresses it into a Secret of at most 1 MiB.
_LIMIT: Final = 128 << 20


async def read(target: ClusterTarget, names: Sequence[str]) -> dict[str, Stored]:
    """Returns the releases of these names that exist, each at its last revision.

    Empty if Helm keeps its releases elsewhere than in Secrets (HELM_DRIVER).
    """
    if target.helm.driver not in ("secret", "secrets"):
        return {}
    labels = {"owner": "helm", "name": tuple(names), "status": _LAST}
    (secrets,) = await ClusterReader(target.helm, target.namespace).read(Query("v1", "Secret", labels=labels))
    last: dict[str, LiveObject] = {}
    for secret in sorted(secrets, key=_revision):
        last[secret["metadata"]["labels"]["name"]] = secret
    return {name: stored_of(_unpacked(secret)) for name, secret in last.items()}


def _revision(secret: LiveObject) -> int:
    return int(secret["metadata"]["labels"].get("version", 0))


def _unpacked(secret: LiveObject) -> dict[str, Any]:
    """Returns a release as `helm status` has it. Helm stores it as JSON, gzipped, in base64, as the Secret's text."""
    name = secret["metadata"]["name"]
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"]), validate=True)
        unpacking = zlib.decompressobj(wbits=31)
        release: dict[str, Any] = json.loads(unpacking.decompress(packed, _LIMIT))
    except (KeyError, ValueError, binascii.Error, zlib.error):
        raise HelmError(
            f"the Secret {name} has no release that can be read",
            remedy="restore the Secret, or remove the release with Helm",
        ) from None
    release.pop("chart", None)  # `helm status` leaves it out
    return release
