"""`make scan`, with checkov itself, on charts made to be found fault with."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from warm_start import run

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]

PRIVILEGED = ("CKV_K8S_16", "Container should not be privileged")
NO_POLICY = ("CKV2_K8S_6", "Minimize the admission of pods which lack an associated NetworkPolicy")
LABELS = {"sidelane.dev/lane": "2-coco-1", "app": "app-2-coco-1"}


class Charts:
    """A folder of charts, each of which renders one object."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, data: object) -> None:
        (self.root / "charts" / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / "charts" / path).write_text(json.dumps(data))

    def chart(self, name: str, item: object, **metadata: object) -> None:
        self.write(f"{name}/Chart.yaml", {"apiVersion": "v2", "name": name, "version": "1.0.0", **metadata})
        self.write(f"{name}/ci/default-values.yaml", {})
        self.write(f"{name}/templates/object.yaml", item)

    def pod(self, *, chart: str = "app", privileged: bool = True, **annotations: str) -> None:
        """A chart that renders the Pod ``app``."""
        container = {"name": "app", "image": "app:1", "securityContext": {"privileged": privileged}}
        metadata = {"name": "app-2-coco-1", "labels": LABELS, "annotations": annotations}
        self.chart(
            chart, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
        )

    def link(self, name: str, into: str) -> None:
        dependency = {"name": name, "version": "1.0.0", "repository": f"file://../{name}"}
        metadata = json.loads((self.root / "charts" / into / "Chart.yaml").read_text())
        self.write(f"{into}/Chart.yaml", {**metadata, "dependencies": [dependency]})
        (self.root / "charts" / into / "charts").mkdir()
        (self.root / "charts" / into / "charts" / name).symlink_to(f"../../{name}")

    def explain(self, said: str, *objects: str, by: str) -> None:
        """Explains for these objects, beside one chart, each finding that a scan complained of."""
        checks = sorted(set(re.findall(r"(CKV\w+) '[^']+' on Pod app has no explanation", said)))
        assert checks
        self.write(f"{by}/ci/scan.yaml", [{"check": each, "objects": objects, "reason": "…"} for each in checks])

    def scan(self, *, ends_with: int) -> str:
        command = [str(ROOT / "ci" / "scan" / "scan.py"), "--root", str(self.root)]
        done = run(command, text=None, folder=self.root, environment=os.environ, timeout=None)
        said = (done.stdout + done.stderr).decode()
        assert done.returncode == ends_with, said
        return said


@pytest.fixture
def charts(tmp_path: Path, unavailable: Callable[[str], NoReturn]) -> Charts:
    if not (ROOT / ".venv" / "scan" / ".installed").exists():
        unavailable("no checkov here; `make scan` installs it")
    return Charts(tmp_path)


def complaint(finding: tuple[str, str], *, chart: str = "app") -> str:
    check, says = finding
    return f"  {chart}: {check} {says!r} on Pod app has no explanation"


def test_a_finding_counts_until_it_is_explained_and_an_explanation_until_it_is_mended(charts: Charts) -> None:
    """In each chart for itself, where an annotation explains nothing, and a library what its charts have from it.

    That a scan passes whose findings are all explained shows in each run of `make scan`.
    """
    charts.chart("library", None, type="library")
    charts.pod(**{"checkov.io/skip1": "CKV_K8S_16=because"})
    charts.pod(chart="other")
    charts.link("library", into="app")
    charts.chart("whole", None)
    charts.link("app", into="whole")
    # What comes before the pod's chart, and after it, and selects its pod.
    policy = {"podSelector": {"matchLabels": LABELS}, "policyTypes": ["Ingress"]}
    for name in ("a-policy", "policy"):
        metadata = {"name": f"{name}-2-coco-1", "labels": LABELS}
        kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
        charts.chart(name, {**kind, "metadata": metadata, "spec": policy})
    said = charts.scan(ends_with=1)
    assert complaint(PRIVILEGED) in said
    assert complaint(NO_POLICY) in said
    assert said.count("  app: CKV") == said.count("  whole: CKV") == said.count("  other: CKV") > 5

    charts.explain(said, "Pod a?p", "Pod", by="library")
    charts.pod(privileged=False)
    said = charts.scan(ends_with=1)
    assert "  app: CKV" not in said
    assert "  whole: CKV" not in said
    assert complaint(PRIVILEGED, chart="other") in said
    assert "  library: CKV_K8S_16 on Pod a?p is explained, and not found\n" in said
    assert "  library: CKV_K8S_16 on Pod is explained, and not found\n" in said
    assert said.count("on Pod a?p is explained") == 1


def test_an_object_that_checkov_does_not_look_at_is_told(charts: Charts) -> None:
    metadata = {"name": "app-2-coco-1", "labels": LABELS}
    charts.chart("app", {"apiVersion": "v1", "kind": "Kustomization", "metadata": metadata})
    assert "checkov passes over Kustomization app of " in charts.scan(ends_with=1)


@pytest.mark.parametrize(
    "explanation",
    [
        "because",
        {"check": "CKV_K8S_16", "objects": ["Pod app"], "reason": "…"},
        [{"check": "CKV_K8S_16", "objects": ["Pod app"]}],
        [{"check": "CKV_K8S_16", "objects": ["Pod app"], "reason": ""}],
        [{"check": "CKV_K8S_16", "objects": "Pod app", "reason": "…"}],
        [{"check": "CKV_K8S_16", "objects": ["Pod app"], "reason": "…", "severity": "LOW"}],
    ],
)
def test_an_explanation_has_one_form(charts: Charts, explanation: object) -> None:
    charts.pod()
    charts.write("app/ci/scan.yaml", explanation)
    said = charts.scan(ends_with=1)
    assert re.search(r"app/ci/scan.yaml(: .* is not an explanation| is not a list of explanations)", said)


def test_a_chart_that_can_t_be_rendered_is_told(charts: Charts) -> None:
    charts.pod()
    charts.write("app/values.schema.json", {"required": ["Version"]})
    assert "Helm does not render" in charts.scan(ends_with=3)
    (charts.root / "charts/app/ci/default-values.yaml").unlink()
    assert "has no ci/default-values.yaml" in charts.scan(ends_with=1)
