"""The UI chart: what its values do, and which it refuses."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from storm_charts import LANE, bash, installed, pod, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    UI = Callable[..., dict[str, Any]]
    Refusal = Callable[..., str]
    Refusals = Callable[..., list[str]]

GATEWAY = {"name": "public", "namespace": "gateways"}


def test_what_an_install_makes(ui: UI) -> None:
    assert set(ui()) == {
        "ConfigMap ui",
        "ConfigMap ui-guard",
        "Deployment ui",
        "Pod ui-test",
        "PodDisruptionBudget ui",
        "Service ui",
        "ServiceAccount ui",
    }


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_the_ui_asks_each_nimbus_by_the_name_that_it_has_for_itself(ui: UI, nimbus: UI, replicas: int) -> None:
    config = settings(ui(nimbus={"replicas": replicas}), "ui")
    assert config["nimbus.seeds"] == settings(nimbus(replicas=replicas), "nimbus")["nimbus.seeds"]


def test_both_charts_start_with_the_same_number_of_nimbus(ui: UI, nimbus: UI) -> None:
    assert settings(ui(), "ui")["nimbus.seeds"] == settings(nimbus(), "nimbus")["nimbus.seeds"]


def test_only_readiness_depends_on_nimbus(ui: UI) -> None:
    container = pod(ui(), "Deployment ui")["containers"][0]
    assert container["readinessProbe"]["httpGet"] == {"path": "/api/v1/cluster/summary", "port": "ui"}
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/index.html", "port": "ui"}


def test_probes_ask_nothing_that_a_login_would_refuse(ui: UI) -> None:
    container = pod(ui(config={"ui.filter": "org.example.Login"}), "Deployment ui")["containers"][0]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["tcpSocket"] == {"port": "ui"}
        assert "httpGet" not in container[probe]


def test_ingress(ui: UI) -> None:
    given = {"enabled": True, "host": "storm.example.org", "className": "nginx", "tlsSecretName": "cert"}
    objects = ui(ingress={**given, "annotations": {"a": "b"}})
    item = objects["Ingress ui"]
    assert item["metadata"]["annotations"] == {"a": "b"}
    assert item["spec"]["ingressClassName"] == "nginx"
    assert item["spec"]["tls"] == [{"hosts": ["storm.example.org"], "secretName": "cert"}]
    rule = item["spec"]["rules"][0]
    assert rule["host"] == "storm.example.org"
    service = rule["http"]["paths"][0]["backend"]["service"]
    ports = {port["name"]: port["port"] for port in objects["Service ui"]["spec"]["ports"]}
    assert (service["name"], ports[service["port"]["name"]]) == ("ui-2-coco-1", 8080)


def test_http_route(ui: UI) -> None:
    spec = ui(httpRoute={"enabled": True, "host": "storm.example.org", "parentRefs": [GATEWAY]})["HTTPRoute ui"]["spec"]
    assert spec["parentRefs"] == [GATEWAY]
    assert spec["hostnames"] == ["storm.example.org"]
    assert spec["rules"] == [{"backendRefs": [{"name": "ui-2-coco-1", "port": 8080}]}]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"ingress": {"enabled": True}}, "ingress.host is empty, so the UI would serve every host"),
        ({"httpRoute": {"enabled": True, "parentRefs": [GATEWAY]}}, "httpRoute.host is empty"),
        ({"httpRoute": {"enabled": True, "host": "a"}}, "no gateway serves it; add a gateway"),
        ({"nimbus": {"replicas": 0}}, "nimbus"),
        ({"drpc": {"jvm": {"heapMiB": 1024}}}, "drpc.jvm.heapMiB is 1024, which does not fit"),
        ({"drpc": {"jvm": {"options": "-Xmx2g"}}}, "which sets the heap; remove that, and set drpc.jvm.heapMiB"),
        ({"config": {"ui.port": 1}}, "remove it"),
        ({"config": {"ui.https.port": 1}}, "remove it"),
        ({"config": {"ui.childopts": "-Xmx1g"}}, "set jvm instead"),
        ({"config": {"drpc.childopts": "-Xmx1g"}}, "set drpc.jvm instead"),
        ({"config": {"nimbus.seeds": ["a"]}}, "set nimbus.replicas instead"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_refused(refusals: Refusals, values: dict[str, object], sentence: str) -> None:
    assert [said for said in refusals("ui", values={**LANE, **values}) if sentence not in said] == []


def test_drpc_is_one_pod_by_the_name_that_supervisors_know(ui: UI, supervisor: UI) -> None:
    objects = ui(drpc={"enabled": True}, replicas=3)
    assert objects["Deployment drpc"]["spec"]["replicas"] == 1
    assert settings(supervisor(), "supervisor")["drpc.servers"] == ["drpc-2-coco-1.default.svc.cluster.local"]
    service = objects["Service drpc"]["spec"]
    labels = objects["Deployment drpc"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    config = settings(objects, "ui")
    ports = {port["port"] for port in service["ports"]}
    assert ports == {config["drpc.port"], config["drpc.invocations.port"], config["drpc.http.port"]}
    # The UI's Service and budget take no hold of it.
    assert not objects["Service ui"]["spec"]["selector"].items() <= labels.items()


def test_the_network_policies(ui: UI) -> None:
    peer = {"podSelector": {"matchLabels": {"team": "streams"}}}
    given = {"enabled": True, "clients": [peer], "drpcClients": [peer]}
    objects = ui(networkPolicy=given, drpc={"enabled": True})
    lane = {"podSelector": {"matchLabels": {"sidelane.dev/lane": "2-coco-1"}}}
    assert objects["NetworkPolicy ui"]["spec"]["ingress"] == [{"from": [lane, peer], "ports": [{"port": 8080}]}]
    assert objects["NetworkPolicy drpc"]["spec"]["ingress"] == [
        {"from": [lane]},
        {"from": [peer], "ports": [{"port": 3772}, {"port": 3774}]},
    ]
    assert "NetworkPolicy drpc" not in ui(networkPolicy=given)


SUMMARY = {"stormVersion": "2.8.9", "supervisors": 2}


@pytest.mark.parametrize(
    ("status", "body", "code"), [(200, SUMMARY, 0), (500, {"error": "no leader"}, 1), (200, {}, 1)]
)
def test_the_test_asks_for_the_clusters_summary(ui: UI, tmp_path: Path, status: int, body: object, code: int) -> None:
    class Played(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/api/v1/cluster/summary"
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    objects = ui()
    assert objects["Pod ui-test"]["spec"]["containers"][0]["command"][2:] == ["ui-2-coco-1", "8080"]
    env = installed(objects, "ui", tmp_path)
    with HTTPServer(("127.0.0.1", 0), Played) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        done = bash(tmp_path / "config" / "test.sh", "127.0.0.1", str(server.server_port), env=env)
    assert (done.returncode, str(status) in done.stdout) == (code, True)


def test_the_operational_values_change_nothing_but_numbers(ui: UI, charts: Path) -> None:
    annotations = yaml.safe_load((charts / "ui" / "Chart.yaml").read_text())["annotations"]
    assert annotations["sidelane.dev/operational-values"] == "replicas,networkPolicy,podDisruptionBudget"
    before = ui()
    after = ui(replicas=3, networkPolicy={"enabled": True}, podDisruptionBudget={"enabled": False})
    assert set(before) ^ set(after) == {"NetworkPolicy ui", "PodDisruptionBudget ui"}
    assert after["Deployment ui"]["spec"].pop("replicas") == 3
    assert before["Deployment ui"]["spec"].pop("replicas") == 1
    assert all(before[name] == after[name] for name in set(before) & set(after))
