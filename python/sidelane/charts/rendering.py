"""Rendering: only this module lets Helm turn a chart, a lane and values into a manifest."""

from __future__ import annotations

import functools
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sidelane.charts.chart import Chart
from sidelane.charts.values import release_subject
from sidelane.helm.client import Helm
from sidelane.naming.contract import release_name
from sidelane.naming.lane import Lane

if TYPE_CHECKING:
    from sidelane.manifest import Manifest


#: The name of a release without a lane, `helm template`'s own. It is not the chart's, so that a template that writes
#: the chart's name instead of the release's shows.
RELEASE: Final = "release-name"
#: APIs that every cluster serves, but that Helm does not know without one: charts would render their older versions.
SERVED: Final = ("apiextensions.k8s.io/v1", "apiregistration.k8s.io/v1")


class Renderer(NamedTuple):
    """The settings for rendering: the Helm, the namespace and the Kubernetes version.

    server: charts see the cluster's version, APIs and objects, as with `helm install`; without it they see Helm's own
    defaults, or ``kube_version`` and ``api_versions``. upgrades: a cluster is available for rendering upgrades, even if
    ``server`` is not set. definitions: include the custom resource definitions under ``crds/``. needs: a module that
    the caller uses afterwards; it is imported while Helm renders, so that a command starts Helm sooner.
    """

    helm: Helm
    namespace: str | None = None
    kube_version: str | None = None
    api_versions: Sequence[str] = ()
    server: bool = False
    upgrades: bool = False
    definitions: bool = False
    needs: str = ""

    async def render(
        self, chart: Chart, lane: Lane, values: Mapping[str, Any], *, upgrade: bool = False, release: str = ""
    ) -> Rendering:
        """Render one chart for one lane. Raises Helm's errors.

        upgrade: render it as an upgrade of its release on the cluster; without a cluster, as an installation.
        release: the release's name if it does not follow the naming contract.
        """
        release = release or release_of(chart, lane, values)
        text = await self._text(chart, release, values, upgrade=upgrade and self.upgrades)
        return Rendering(release, self.namespace, chart, values, text, lane)

    async def render_plain(self, chart: Chart, values: Mapping[str, Any]) -> PlainRendering:
        """Render one chart as a release without a lane. Raises Helm's errors."""
        text = await self._text(chart, RELEASE, values)
        return PlainRendering(RELEASE, self.namespace, chart, values, text)

    async def _text(self, chart: Chart, release: str, values: Mapping[str, Any], *, upgrade: bool = False) -> str:
        return await self.helm.template_text(
            release,
            chart.path,
            values,
            namespace=self.namespace,
            flags=self._flags(),
            asking="upgrade" if upgrade else "install" if self.server else "nothing",
            meanwhile=functools.partial(importlib.import_module, self.needs) if self.needs else None,
        )

    def _flags(self) -> list[str]:
        version = ["--kube-version", self.kube_version] if self.kube_version else []
        apis = [word for api in self.api_versions for word in ("--api-versions", api)]
        return [*version, *apis, *(["--include-crds"] if self.definitions else [])]


@dataclass(frozen=True)
class PlainRendering:
    """One chart rendered as a release."""

    release: str
    namespace: str | None  # None: Helm's own choice, the kubeconfig's or "default"
    chart: Chart
    values: Mapping[str, Any]
    text: str  # Helm's output

    @functools.cached_property
    def manifest(self) -> Manifest:
        """Parse the text as Kubernetes reads it. Raises InvalidManifest."""
        return read_manifest(self.text, self.namespace, self.chart.name)


@dataclass(frozen=True)
class Rendering(PlainRendering):
    """One chart rendered for one lane. The same rendering is checked and then installed."""

    lane: Lane


def release_of(chart: Chart, lane: Lane, values: Mapping[str, Any]) -> str:
    """Return the name of a chart's release in a lane: ``zookeeper-2-coco-1``.

    If the chart has a name pattern, its values are filled in: ``svc1-v1-2-coco-1``. Raises InvalidName, InvalidValues.
    """
    return release_name(release_subject(chart, values), lane)


def inputs_digest(chart: Chart, release: str, values: Mapping[str, Any], revision: int) -> str:
    """Return a digest of a revision's inputs, 40 hexadecimal digits: the chart's files, and the values with the lane.

    Helm and the cluster are not part of it: newer ones must not cause a deployed release to be deployed again.
    """
    import hashlib  # noqa: PLC0415 - only an installation needs it

    content = json.dumps([chart.digest, release, values, revision], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:40]


def documents(text: str) -> list[str]:
    """Split a text into its YAML documents, without the blank lines around them, in which Helm 3 and Helm 4 differ."""
    return [part.strip() for part in re.split(r"^---(?=\s|$)", text, flags=re.MULTILINE) if part.strip()]


def read_manifest(text: str, namespace: str | None, source: str) -> Manifest:
    """Parse a text as Kubernetes reads it. Raises InvalidManifest."""
    # Imported here, so that a command starts Helm sooner (see Renderer.render).
    from sidelane.manifest import Manifest  # noqa: PLC0415

    return Manifest.read(text, namespace=namespace or "default", source=source)
