"""What is known of the cluster that a release goes to, as Helm sees it with its own credentials."""

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
    """A cluster: its version and its APIs; who it is, and what the namespace allows, None where that may not be read.

    uid: of the namespace kube-system, which stands for the cluster. labels and quotas: of the release's namespace; a
    quota is what it allows by resource.
    """

    namespace: str
    kubernetes: str
    api_versions: tuple[str, ...]
    uid: str | None = None
    labels: Mapping[str, str] | None = None
    quotas: Mapping[str, Mapping[str, Any]] | None = None

    def to_json(self) -> dict[str, object]:
        """The facts as a record has them: all APIs that a cluster has are too many for it."""
        known = {
            "kubernetes": self.kubernetes,
            "uid": self.uid,
            "namespaceLabels": self.labels,
            "namespaceQuotas": self.quotas,
        }
        return {key: value for key, value in known.items() if value is not None}


class Unread(NamedTuple):
    """Facts that Helm is to read while it makes the release: see carried.py. mark: what stands for them in the record
    until then, a word that nobody else can know.
    """

    mark: str

    def to_json(self) -> dict[str, object]:
        return {self.mark: ""}


async def of_helm(helm: Helm, namespace: str) -> Facts:
    """What a chart sees that is rendered without a cluster: the Kubernetes that Helm itself takes it to be for."""
    return _read(await _asked(helm, namespace, objects=False, server=False))


async def facts(helm: Helm, namespace: str | None) -> Facts:
    """The facts of the cluster that Helm reaches. namespace: None is Helm's own choice.

    Who may deploy may not always read namespaces and quotas: then these are left out. Raises ClusterUnreachable.
    """
    try:
        return _read(await _asked(helm, namespace, objects=True))
    except ClusterDenied:
        return _read(await _asked(helm, namespace, objects=False))


def _read(found: dict[str, Any]) -> Facts:
    return Facts(
        namespace=found["namespace"],
        kubernetes=found["kubernetes"],
        api_versions=tuple(found["apiVersions"]),
        uid=found.get("uid") or None,
        labels=found.get("labels"),
        quotas=found.get("quotas"),
    )


async def _asked(helm: Helm, namespace: str | None, *, objects: bool, server: bool = True) -> dict[str, Any]:
    text = await helm.template_text(
        "facts", CHART, {"objects": objects}, namespace=namespace, asking="install" if server else "nothing"
    )
    line = next((line for line in text.splitlines() if line.startswith(_FACTS)), None)
    if line is None:
        raise HelmError("Helm printed no facts of the cluster", remedy="see what the helm on PATH is")
    found: dict[str, Any] = json.loads(json.loads(line.removeprefix(_FACTS)))
    return found
