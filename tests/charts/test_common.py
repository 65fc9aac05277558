"""The parts of charts/common beside names: metadata, selectors and the environment of a service's version."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CHARTS = Path(__file__).resolve().parents[2] / "charts"
TEMPLATES = sorted(path for path in CHARTS.glob("*/templates/**/*") if path.is_file())

pytestmark = pytest.mark.both_helms

SERVICE = """\
{{- $it := dict "root" . "component" "svc1" "serviceVersion" "v1" }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "sidelane.metadata" (merge (dict "kind" "Deployment") $it) | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "sidelane.selector" $it | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "sidelane.podLabels" $it | nindent 8 }}
    spec:
      containers:
        - name: svc1
          image: {{ include "sidelane.image" . }}
          env:
            {{- include "sidelane.env" $it | nindent 12 }}
"""
VALUES = {"Version": "2-coco", "Build": "1", "image": {"repository": "acme/svc1", "tag": "1.4.0"}}


def test_one_version_of_a_service(render: Callable[..., Any], throwaway: Callable[[str], Path]) -> None:
    (deployment,) = render(throwaway(SERVICE), values=VALUES)
    assert deployment["metadata"]["name"] == "svc1-v1-2-coco-1"
    assert deployment["metadata"]["labels"]["app.kubernetes.io/version"] == "1.4.0"
    selector = deployment["spec"]["selector"]["matchLabels"]
    assert selector == {"app": "svc1-2-coco-1", "version": "v1", "sidelane.dev/lane": "2-coco-1"}
    pod = deployment["spec"]["template"]
    assert selector.items() <= pod["metadata"]["labels"].items()
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "acme/svc1:1.4.0"
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    assert environment == {
        "SIDELANE_VERSION": "2-coco",
        "SIDELANE_BUILD": "1",
        "SIDELANE_LANE": "2-coco-1",
        "SIDELANE_SERVICE": "svc1",
        "SIDELANE_SERVICE_VERSION": "v1",
    }


def test_a_name_that_is_too_long_stops_the_install(
    refusal: Callable[..., str], throwaway: Callable[[str], Path]
) -> None:
    said = refusal(throwaway(SERVICE), values={**VALUES, "Version": "a" * 40})
    assert f"the name 'svc1-v1-{'a' * 40}-1' has 50 characters, and a Deployment may have at most 46" in said


def test_lint_names_what_it_would_refuse_and_goes_on(run: Callable[..., Any], throwaway: Callable[[str], Path]) -> None:
    done = run("lint", throwaway(SERVICE), values={**VALUES, "Version": "COCO"})
    assert done.returncode == 0, done.stdout
    assert "write it such as 'coco'" in done.stdout + done.stderr


def test_the_guard_holds_no_digest_of_a_secret(render: Callable[..., Any], throwaway: Callable[[str], Path]) -> None:
    chart = throwaway('{{ include "sidelane.guard" (dict "root" . "component" "svc1") }}')

    def facts(secret: object, **values: object) -> dict[str, str]:
        env = [{"name": "DB_PASSWORD", "value": secret}, {"name": "LEVEL", "value": values.get("level", "info")}]
        auth = {"adminPassword": secret, "users": [{"user": "bob", "apiKey": secret}], "token": {"value": secret}}
        (guard,) = render(chart, values={**VALUES, "auth": auth, "env": env})
        assert guard["metadata"]["name"] == "svc1-guard-2-coco-1"
        return guard["data"]

    assert facts("hunter2") == facts("hunter3") == facts(12345)
    # Whether it is given at all, and what is beside it, still counts.
    assert facts("hunter2") != facts("")
    assert facts("hunter2") != facts("hunter2", level="debug")


#: The named templates of other library charts, such as Bitnami's `common`, and of charts that have no prefix at all.
OF_OTHERS = (
    "common.labels", "common.labels.standard", "common.labels.matchLabels", "common.names.fullname", "common.name",
    "common.selector", "common.metadata", "common.image", "common.env", "common.pod", "labels", "name", "selector",
)  # fmt: skip


def test_another_chart_replaces_no_template_of_ours(render: Callable[..., Any], tmp_path: Path) -> None:
    """Helm's named templates are global: in one release the last definition of a name wins, whoever wrote it."""

    def together(*others: str) -> list[Any]:
        parent = tmp_path / f"with-{len(others)}"
        (parent / "charts").mkdir(parents=True)
        (parent / "charts" / "zookeeper").symlink_to(CHARTS / "zookeeper")
        names = ["zookeeper", *others]
        dependencies = [{"name": name, "version": "0.1.0", "repository": f"file://../{name}"} for name in names]
        metadata = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": dependencies}
        (parent / "Chart.yaml").write_text(json.dumps(metadata))
        for name in others:
            templates = parent / "charts" / name / "templates"
            templates.mkdir(parents=True)
            (templates.parent / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n")
            defined = (f'{{{{- define "{each}" }}}}from: {name}{{{{ end }}}}\n' for each in OF_OTHERS)
            (templates / "_helpers.tpl").write_text("".join(defined))
        return render(parent, values={"global": {"Version": "2-coco", "Build": "1"}})

    assert together("redis", "a-first") == together()


def test_every_named_template_is_named_for_the_project_and_its_chart() -> None:
    for template in TEMPLATES:
        chart = template.relative_to(CHARTS).parts[0]
        owner = "sidelane." if chart == "common" else f"sidelane.{chart}."
        defined = re.findall(r'define "([^"]+)"', template.read_text())
        assert [name for name in defined if not name.startswith(owner)] == [], template


def test_the_library_knows_none_of_its_users() -> None:
    # A service is a word of the naming contract, and a guard is every release's own, whatever charts are named so.
    charts = {path.parent.name for path in CHARTS.glob("*/Chart.yaml")} - {"common", "service", "guard"}
    parts = {"zk", "drpc", "logviewer"}
    for file in (path for path in (CHARTS / "common").rglob("*") if path.is_file()):
        assert set(re.findall(r"[a-z]+", file.read_text().lower())) & (charts | parts) == set(), file
