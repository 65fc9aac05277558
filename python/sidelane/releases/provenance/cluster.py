"""Facts about a release's cluster, which Helm reads with its own credentials."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from sidelane.errors import ClusterDenied, HelmError
from sidelane.helm.client import Helm

CHART: Final = Path(__file__).parent / "_facts"
_FACTS: Final = "  facts: "


class Facts(NamedTuple):
    """A cluster: its version, APIs and identity, and the release's namespace; None for parts that cannot be read.

    uid: of the namespace kube-system, which identifies the cluster. labels and quotas: of the release's namespace; a
    quota maps each resource to its limit.
    """

    namespace: str
    kubernetes: str
    api_versions: tuple[str, ...]
    uid: str | None = None
    labels: Mapping[str, str] | None = None
    quotas: Mapping[str, Mapping[str, Any]] | None = None

    def to_json(self) -> dict[str, object]:
        """Returns the facts for a record, without the APIs, which are too many."""
        known = {
            "kubernetes": self.kubernetes,
            "uid": self.uid,
            "namespaceLabels": self.labels,
            "namespaceQuotas": self.quotas,
        }
        return {key: value for key, value in known.items() if value is not None}


class Unread(NamedTuple):
    """Facts that Helm reads while it makes the release: see carried.py. mark: their placeholder in the record, an
    unguessable word.
    """

    mark: str

    def to_json(self) -> dict[str, object]:
        return {self.mark: ""}


async def of_helm(helm: Helm, namespace: str) -> Facts:
    """Returns the facts for rendering without a cluster: the Kubernetes version that Helm itself assumes."""
    return _read(await _asked(helm, namespace, objects=False, server=False))


async def facts(helm: Helm, namespace: str | None) -> Facts:
    """Reads the facts of Helm's cluster. namespace: None for Helm's own choice.

    Facts about namespaces and quotas are left out without the permission to read them. Raises ClusterUnreachable.
    """
    try:
        return _read(await _asked(helm, namespace, objects=True))
    except ClusterDenied:
        return _read(await _asked(helm, namespace, objects=False))


def _read(read: dict[str, Any]) -> Facts:
    return Facts(
        namespace=read["namespace"],
        kubernetes=read["kubernetes"],
        api_versions=tuple(read["apiVersions"]),
        uid=read.get("uid"),
        labels=read.get("namespaceLabels"),
        quotas=read.get("namespaceQuotas"),
    )


async def _asked(helm: Helm, namespace: str | None, *, objects: bool, server: bool = True) -> dict[str, Any]:
    text = await helm.template_text(
        "facts", CHART, {"objects": objects}, namespace=namespace, asking="install" if server else "nothing"
    )
    line = next((line for line in text.splitlines() if line.startswith(_FACTS)), None)
    if line is None:
        raise HelmError("Helm printed no facts of the cluster", remedy="check the helm on PATH")
    facts: dict[str, Any] = json.loads(json.loads(line.removeprefix(_FACTS)))
    return facts
