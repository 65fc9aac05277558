"""Many releases in a namespace, without many installs: copies of one that is there."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kubernetes import client, config


def copies(kubeconfig: Path, namespace: str, release: str, lane: str, lanes: Sequence[str]) -> None:
    """Stores a release of a lane again for each of these lanes, as Helm stores it: a Secret with the gzipped release.
    The objects of the release are not made.
    """
    connection = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
    api = client.CoreV1Api(connection)
    secret: Any = api.read_namespaced_secret(f"sh.helm.release.v1.{release}.v1", namespace)
    content = gzip.decompress(base64.b64decode(base64.b64decode(secret.data["release"]))).decode()

    def store(other: str) -> None:
        packed = base64.b64encode(base64.b64encode(gzip.compress(content.replace(lane, other).encode())))
        name = release.replace(lane, other)
        body = client.V1Secret(
            metadata=client.V1ObjectMeta(
                name=f"sh.helm.release.v1.{name}.v1",
                labels={key: value.replace(lane, other) for key, value in secret.metadata.labels.items()},
            ),
            type=secret.type,
            data={"release": packed.decode()},
        )
        api.create_namespaced_secret(namespace, body)

    _each(store, lanes)


def _each(work: Callable[[str], Any], names: Sequence[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, names))
