"""Render a bundled release without a cluster, and compare it with the deployed objects, byte for byte."""

from __future__ import annotations

from pathlib import Path

from sidelane.charts.chart import Chart
from sidelane.charts.rendering import Renderer, Rendering, documents
from sidelane.errors import Refused
from sidelane.helm.client import Helm
from sidelane.lanes.bundle.archives import Bundled
from sidelane.manifest import diff_objects
from sidelane.manifest.autoscaled import without_their_replicas
from sidelane.releases.provenance.cluster import Facts


def renderer_for(helm: Helm, facts: Facts) -> Renderer:
    """Returns a renderer for a cluster that it does not ask."""
    return Renderer(
        helm, facts.namespace, kube_version=facts.kubernetes.removeprefix("v"), api_versions=facts.api_versions
    )


def require_same(rendering: Rendering, bundled: Bundled, who: str) -> None:
    """Raises Refused, with every field that differs from the deployed release. who: the subject of the message."""
    if sorted(documents(rendering.text)) == sorted(documents(bundled.text)):
        return
    both = without_their_replicas(bundled.manifest.installed, rendering.manifest.installed)
    if lines := tuple(diff_objects(*both, names=("the deployed release", "the rendered one"))):
        raise Refused(
            f"{who} gives different objects for {bundled.name}:\n  " + "\n  ".join(lines),
            remedy="use the same Helm, charts and Kubernetes version, or deploy it as a new lane",
        )


def unpacked(package: bytes, folder: Path) -> Chart:
    """Unpacks a package into a folder, and returns its chart."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "chart.tgz"
    path.write_bytes(package)
    return Chart.load(path)
