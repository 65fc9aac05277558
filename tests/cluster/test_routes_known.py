"""Which releases are routes, on a real API server: what their chart says of itself, whatever they are called."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from generated import tiny_service
from sidelane.errors import NotOurs, StillHeld

pytestmark = pytest.mark.either_helm

ROUTE = Path(__file__).parents[2] / "charts" / "route"
LANE = ("--set", "Version=coco", "--set", "Build=1")
TO_V1 = ("--set", "name=svc1", "--set", "targets[0].serviceVersion=v1", "--set", "targets[0].weight=100")


def namesake(folder, name):
    """Somebody's chart, with the labels that `helm create` gives it."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    (folder / "templates" / "c.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: '{{ .Release.Name }}'\n"
        f"  labels: {{app.kubernetes.io/name: {name}, helm.sh/chart: {name}-1.0.0}}\n"
    )
    return folder


def test_a_route_is_what_its_chart_says_whatever_it_is_called(client, plain, tmp_path):
    service = tiny_service(tmp_path / "tiny")
    for version in ("v1", "v2"):
        client.install(service, "coco-1", name="svc1", service_version=version)
    plain("install", "route-controller", namesake(tmp_path / "controller", "route-controller"))
    plain("install", "route-svc9-coco-1", namesake(tmp_path / "route", "route"))
    plain("install", "front", ROUTE, *LANE, *TO_V1)

    assert [(each.route.name, each.route.release) for each in client.routes.list()] == [("svc1-coco-1", "front")]
    assert [each.release for each in client.graph().routes] == ["front"]
    assert client.routes.show("svc1", "coco-1").route.split.to_json() == {"v1": 100}
    assert [(each.release, each.state, each.recorded) for each in client.verify(lane="coco-1")] == [
        ("front", "unchanged", "not needed"),
        ("route-svc9-coco-1", "unrecorded", "none"),
        ("svc1-v1-coco-1", "unchanged", "there"),
        ("svc1-v2-coco-1", "unchanged", "there"),
    ]
    file = tmp_path / "lane.yaml"
    file.write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
        "releases:\n"
        "  - {chart: ./tiny, name: svc1, serviceVersion: v1}\n  - {chart: ./tiny, name: svc1, serviceVersion: v2}\n"
        "routes: [{service: svc1, weights: {v2: 1}}]\n"
    )
    plan = client.plan(file)
    assert [step.to_json() for step in plan.routes] == [{"service": "svc1", "release": "front", "action": "kept"}]
    assert [each.name for each in plan.extra] == ["route-svc9-coco-1"]

    # It is changed in its own release, and its history is that one's.
    changed = client.routes.set("svc1", "coco-1", {"v2": 100}, allow_unready=True)
    assert (changed.change, changed.release.name, changed.revision) == ("changed", "front", 2)
    assert client.routes.undo("svc1", "coco-1", allow_unready=True).route.split.to_json() == {"v1": 100}
    assert [change.revision for change in client.routes.history("svc1", "coco-1")] == [1, 2, 3]
    with pytest.raises(NotOurs, match="it is not a route of svc9 in coco-1"):
        client.routes.set("svc9", "coco-1", {"v1": 1}, allow_unready=True)

    # What it leads to is held; the lane goes with it, and it goes first.
    with pytest.raises(StillHeld) as held:
        client.retire("svc1-v1", "coco-1")
    assert held.value.held == ("front leads to svc1-v1-coco-1 (weight 100 of 100)",)
    assert "or retire the whole lane, its routes too, with `sidelane retire --lane coco-1 -n" in held.value.remedy
    gone = client.retire("coco-1", drain="0s")
    assert gone.releases == ("front", "svc1-v1-coco-1", "svc1-v2-coco-1")
    assert gone.staying == ("route-svc9-coco-1",)
    assert [release.name for release in client.list()] == ["route-controller", "route-svc9-coco-1"]


def test_the_commands_of_the_charts_readme_run_as_they_stand(cluster, namespace, helm, client):
    text = (ROUTE / "README.md").read_text().partition("```console\n")[2].partition("```")[0]
    commands = [line.removeprefix("$ ") for line in text.replace("\\\n", " ").splitlines()]
    assert [command.split()[1] for command in commands] == ["install", "upgrade", "history", "rollback"]
    environment = {**os.environ, "HELM_NAMESPACE": namespace, "KUBECONFIG": str(cluster.kubeconfig)}
    leads = []
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "helm"
        subprocess.run([helm, *words], cwd=ROUTE.parents[1], env=environment, check=True, capture_output=True)
        leads.append(client.routes.show("svc1", "2-coco-1").route.split.to_json())
    assert leads == [{"v1": 100}, {"v2": 100}, {"v2": 100}, {"v1": 100}]

    # The history says where plain Helm led it, and that it was plain Helm.
    entries = client.routes.history("svc1", "2-coco-1")
    assert [(entry.mode, entry.leads, entry.is_helms) for entry in entries] == [
        ("service", "v1=100", True), ("service", "v2=100", True), ("service", "v1=100", True),
    ]  # fmt: skip
