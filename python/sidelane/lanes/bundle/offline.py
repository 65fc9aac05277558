"""Rendering a bundled release without a cluster, and holding it against what was deployed, byte for byte."""

from __future__ import annotations

from pathlib import Path

from sidelane.charts.rendering import Renderer, Rendering, documents
from sidelane.charts.sources import Chart
from sidelane.errors import Refused
from sidelane.helm.client import Helm
from sidelane.lanes.bundle.archives import Bundled
from sidelane.manifest import diff_objects
from sidelane.manifest.autoscaled import without_their_replicas
from sidelane.releases.provenance.cluster import Facts


def renderer_for(helm: Helm, facts: Facts) -> Renderer:
    """Returns what renders for a cluster without asking it."""
    return Renderer(
        helm, facts.namespace, kube_version=facts.kubernetes.removeprefix("v"), api_versions=facts.api_versions
    )


def require_same(rendering: Rendering, one: Bundled, who: str) -> None:
    """Raises Refused, with every field that differs, where a rendering is not what was deployed. who: rendered it."""
    if sorted(documents(rendering.text)) == sorted(documents(one.text)):
        return
    both = without_their_replicas(one.manifest.objects, rendering.manifest.objects)
    if found := tuple(diff_objects(*both, names=("what is deployed", "what is rendered"))):
        raise Refused(
            f"{who} makes {one.name} otherwise:\n  " + "\n  ".join(found),
            remedy="use what it was made with, or deploy it as a lane of its own",
        )


def unpacked(package: bytes, folder: Path) -> Chart:
    """Returns the chart of a package, kept in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "chart.tgz"
    path.write_bytes(package)
    return Chart.load(path)
