"""Read many stored releases in one call of Helm: the Secrets in which Helm keeps them, as `helm status` reads each."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sidelane.errors import HelmError
from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import LiveObject, Query
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


async def read(target: ClusterTarget, names: Sequence[str]) -> dict[str, Stored] | None:
    """Returns the releases of these names that exist, each at its last revision.

    None for a few names, and if Helm keeps its releases elsewhere than in Secrets (HELM_DRIVER): Helm reads each.
    """
    if not _at_once(target, len(names)):
        return None
    last = {_name(secret): secret for secret in await _secrets(target, names, status=_LAST)}
    return {name: stored_of(_unpacked(secret)) for name, secret in last.items()}


async def histories(target: ClusterTarget, names: Sequence[str]) -> dict[str, list[Stored]] | None:
    """Returns every revision of the releases of these names that exist, oldest first.

    None for one name, and if Helm keeps its releases elsewhere than in Secrets.
    """
    if not _at_once(target, 2 * len(names)):  # Helm would read the last revision, and then the list of all
        return None
    revisions: dict[str, list[Stored]] = {}
    for secret in await _secrets(target, names):
        revisions.setdefault(_name(secret), []).append(stored_of(_unpacked(secret)))
    return revisions


def _at_once(target: ClusterTarget, calls: int) -> bool:
    return calls > FEW and target.helm.driver in ("secret", "secrets")


async def _secrets(target: ClusterTarget, names: Sequence[str], **labels: Sequence[str]) -> list[LiveObject]:
    """Returns the Secrets of these releases that have these labels, oldest revision first."""
    query = Query("v1", "Secret", labels={"owner": "helm", "name": tuple(names), **labels})
    (secrets,) = await ClusterReader(target.helm, target.namespace).read(query)
    return sorted(secrets, key=_revision)


def _name(secret: LiveObject) -> str:
    return str(secret["metadata"]["labels"]["name"])


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
