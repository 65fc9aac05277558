"""Many releases in a namespace, without many installs: copies of one that is there."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kubernetes import client, config


def copies(kubeconfig: Path, namespace: str, release: str, names: Sequence[str]) -> None:
    """Stores a release again under these names, as Helm stores it: a Secret with the gzipped release. The objects of
    the release are not copied.
    """
    connection = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
    api = client.CoreV1Api(connection)
    secret: Any = api.read_namespaced_secret(f"sh.helm.release.v1.{release}.v1", namespace)
    content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret.data["release"]))))

    def store(name: str) -> None:
        packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(content | {"name": name}).encode())))
        body = client.V1Secret(
            metadata=client.V1ObjectMeta(
                name=f"sh.helm.release.v1.{name}.v1", labels=secret.metadata.labels | {"name": name}
            ),
            type=secret.type,
            data={"release": packed.decode()},
        )
        api.create_namespaced_secret(namespace, body)

    _each(store, names)


def _each(work: Callable[[str], Any], names: Sequence[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, names))
