"""Releases as Helm keeps them, in Secrets: for tests that look often, where a Helm costs as much as a hundred looks."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusters import Cluster, Object


def revisions(cluster: Cluster, namespace: str, name: str = "") -> list[Object]:
    """The Secrets of a namespace's releases, or of one, the oldest revisions first."""
    selector = f"owner=helm,name={name}" if name else "owner=helm"
    secrets = cluster.list(f"/api/v1/namespaces/{namespace}/secrets?labelSelector={selector}")
    return sorted(secrets, key=lambda secret: int(secret["metadata"]["labels"]["version"]))


def statuses(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The status of each release, by its name."""
    labels = (secret["metadata"]["labels"] for secret in revisions(cluster, namespace))
    return {label["name"]: label["status"] for label in labels}


def content(secret: Object) -> Object:
    """The release that Helm has stored in a Secret, with its chart, values and manifest."""
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    return json.loads(gzip.decompress(packed))


def data(release: Object) -> Object:
    """The data of a Secret with this content."""
    packed = gzip.compress(json.dumps(release).encode(), 1)
    return {"release": base64.b64encode(base64.b64encode(packed)).decode()}
