"""Rendering: the one place where Helm turns a chart, a lane and values into a manifest."""

from __future__ import annotations

import functools
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sidelane.charts.sources import Chart
from sidelane.charts.values import release_subject
from sidelane.helm.client import Helm
from sidelane.naming.contract import release_name
from sidelane.naming.lane import Lane

if TYPE_CHECKING:
    from sidelane.manifest import Manifest


class Renderer(NamedTuple):
    """How charts are rendered: by which Helm, for which namespace and which Kubernetes.

    server: ask the cluster for what a chart may ask of it (its version, its APIs, its objects), as `helm install`
    does; without it a chart sees Helm's own defaults, or ``kube_version`` and ``api_versions``. upgrades: there is a
    cluster on which a release is upgraded, which charts may ask then, and then alone.
    """

    helm: Helm
    namespace: str | None = None
    kube_version: str | None = None
    api_versions: Sequence[str] = ()
    server: bool = False
    upgrades: bool = False

    async def render(
        self, chart: Chart, lane: Lane, values: Mapping[str, Any], *, upgrade: bool = False, release: str = ""
    ) -> Rendering:
        """One chart rendered for one lane. Raises what Helm raises.

        upgrade: as an upgrade of its release renders it on this cluster; elsewhere the same as an installation.
        release: its name where it is not the naming contract's.
        """
        release = release or release_of(chart, lane, values)
        upgrade = upgrade and self.upgrades
        text = await self.helm.template_text(
            release,
            chart.path,
            values,
            namespace=self.namespace,
            kube_version=self.kube_version,
            api_versions=self.api_versions,
            asking="upgrade" if upgrade else "install" if self.server else "nothing",
            # What reads and checks the manifest is imported while Helm renders it: a command starts its Helm sooner.
            meanwhile=functools.partial(importlib.import_module, "sidelane.checks.engine"),
        )
        return Rendering(release, self.namespace, lane, chart, values, text)


@dataclass(frozen=True)
class Rendering:
    """One chart rendered for one lane: what is checked, and then what is installed."""

    release: str
    namespace: str | None  # None: Helm's own choice, the kubeconfig's or "default"
    lane: Lane
    chart: Chart
    values: Mapping[str, Any]
    text: str  # as Helm printed it

    @functools.cached_property
    def manifest(self) -> Manifest:
        """The text as Kubernetes reads it. Raises InvalidManifest."""
        return read_manifest(self.text, self.namespace, self.chart.name)


def release_of(chart: Chart, lane: Lane, values: Mapping[str, Any]) -> str:
    """The name of a chart's release in a lane: ``zookeeper-2-coco-1``; with the values that its pattern names,
    ``svc1-v1-2-coco-1``. Raises InvalidName, InvalidValues.
    """
    return release_name(release_subject(chart, values), lane)


def inputs_digest(chart: Chart, release: str, values: Mapping[str, Any], revision: int) -> str:
    """What a revision of a release is made from, in 40 hexadecimal digits: its chart's files and its values with the
    lane. Helm and the cluster are no part of it: what is deployed is not to be made again because these are newer.
    """
    import hashlib  # noqa: PLC0415 - a command that installs nothing needs none

    content = json.dumps([chart.digest, release, values, revision], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:40]


def documents(text: str) -> list[str]:
    """The YAML documents of a text, less the blank lines around them: Helm 3 and Helm 4 differ in these."""
    return [part.strip() for part in re.split(r"^---(?=\s|$)", text, flags=re.MULTILINE) if part.strip()]


def read_manifest(text: str, namespace: str | None, source: str) -> Manifest:
    """A text as Kubernetes reads it. Raises InvalidManifest."""
    # Imported here, so that a command starts its Helm sooner (see Renderer.render).
    from sidelane.manifest import Manifest  # noqa: PLC0415

    return Manifest.read(text, namespace=namespace or "default", source=source)
