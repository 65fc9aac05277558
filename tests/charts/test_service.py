"""The service chart: what its values do, which it refuses, and that no two services share a name."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sidelane.errors import InvalidName
from sidelane.naming.contract import service_version_name
from sidelane.naming.lane import Lane
from soaking import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Object = dict[str, Any]
    Render = Callable[..., list[Object]]
    Refusal = Callable[..., str]
    Refusals = Callable[..., list[str]]
    Service = Callable[..., dict[str, Object]]

IMAGE = {"repository": "acme/svc1", "tag": "1.4.0"}
SVC1 = {"Version": "2-coco", "Build": "1", "name": "svc1", "image": IMAGE}
DIGEST = f"sha256:{'0' * 64}"
SMALL = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}}
SIDE = {"name": "side", "image": {"repository": "acme/side", "tag": "1"}, "resources": SMALL}
HTTP = {"name": "http", "port": 80, "containerPort": 8080}
#: A port that a headless Service can have.
SAME = {"name": "grpc", "port": 9000, "containerPort": 9000}
METRICS = {"name": "metrics", "containerPort": 9090}


@pytest.fixture
def service(render: Render) -> Service:
    """The objects of svc1 v1 in lane 2-coco-1, by kind and name without the lane: ``Service svc1-v1``."""

    def service(*arguments: object, **values: object) -> dict[str, Object]:
        objects = render("service", *arguments, values={**SVC1, **values})
        return {f"{o['kind']} {o['metadata']['name'].removesuffix('-2-coco-1')}": o for o in objects}

    return service


def deployment(objects: dict[str, Object]) -> Object:
    return objects["Deployment svc1-v1"]["spec"]


def pod(objects: dict[str, Object]) -> Object:
    return deployment(objects)["template"]["spec"]


def main(objects: dict[str, Object]) -> Object:
    return pod(objects)["containers"][0]


def env(container: Object) -> dict[str, str | None]:
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def test_what_an_install_makes(service: Service) -> None:
    objects = service()
    assert set(objects) == {
        "ConfigMap svc1-guard-v1",
        "Deployment svc1-v1",
        "Pod svc1-v1-test",
        "PodDisruptionBudget svc1-v1",
        "Service svc1-v1",
        "ServiceAccount svc1-v1",
    }
    selector = {"app": "svc1-2-coco-1", "version": "v1", "sidelane.dev/lane": "2-coco-1"}
    assert deployment(objects)["selector"]["matchLabels"] == selector
    assert objects["Service svc1-v1"]["spec"]["selector"] == selector
    assert objects["Service svc1-v1"]["spec"]["ports"] == [
        {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}
    ]
    assert deployment(objects)["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert main(objects)["readinessProbe"] == {"tcpSocket": {"port": "http"}}
    assert not {"livenessProbe", "startupProbe"} & main(objects).keys()


def test_two_versions_in_one_lane_share_no_object_and_select_no_pod_of_one_another(render: Render) -> None:
    everything = {
        "config": {"files": {"a": "b"}},
        "autoscaling": {"enabled": True},
        "networkPolicy": {"enabled": True},
        "metrics": {"port": "http", "podMonitor": {"enabled": True}},
    }
    first, second = (
        render("service", values={**SVC1, **everything, "serviceVersion": version}) for version in ("v1", "v2")
    )
    assert len(first) == len(second) == 10
    assert not {identity(item) for item in first} & {identity(item) for item in second}
    pods = [item["spec"]["template"]["metadata"]["labels"] for item in second if item["kind"] == "Deployment"]
    pods += [item["metadata"]["labels"] for item in [*first, *second] if item["kind"] == "Pod"]
    selectors = [item["spec"].get("selector") or item["spec"].get("podSelector") for item in first if "spec" in item]
    matched = [selector.get("matchLabels", selector) for selector in selectors if selector]
    assert len(matched) == 5, "Deployment, Service, PodDisruptionBudget, NetworkPolicy, PodMonitor"
    assert not [labels for labels in pods for selector in matched if selector.items() <= labels.items()]


def identity(item: Object) -> tuple[str, str]:
    return item["kind"], item["metadata"]["name"]


# -- Names -------------------------------------------------------------------------------------------------------------

SUFFIXES = ("record", "test", "config")
PARTS = st.sampled_from(["a", "svc1", "v", "zk", "coco", "route", *SUFFIXES])
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("-".join)
SERVICE_VERSIONS = st.sampled_from(["v1", "v2", "v1beta1"])
LANES = st.builds(Lane, st.sampled_from(["coco", "a", "test", "v1", "2", "2-coco", "1-v1-coco"]), st.sampled_from("01"))
#: Of everything that a service can make.
MUCH = {
    "image": IMAGE,
    "config": {"files": {"a": "b"}},
    "autoscaling": {"enabled": True},
    "networkPolicy": {"enabled": True},
    "metrics": {"port": "http", "podMonitor": {"enabled": True}},
}
#: Names that belong to other charts of a lane, which no service may have.
RESERVED = {"zk", "zk-test"}


def test_no_two_services_share_a_name_or_select_one_anothers_pods(render: Render, charts: Path, tmp_path: Path) -> None:
    """Generated services, much alike and ending in what the chart itself appends; many of them in one rendering."""
    parent = tmp_path / "parent"
    (parent / "charts").mkdir(parents=True)
    (parent / "charts" / "service").symlink_to(charts / "service")
    compared = 0

    def hold(services: list[tuple[str, str, Lane]]) -> None:
        nonlocal compared
        aliases = [f"s{number}" for number in range(len(services))]
        first = {"name": "service", "version": "0.1.0", "repository": "file://../service"}
        metadata = {"apiVersion": "v2", "name": "parent", "version": "1.0.0"}
        (parent / "Chart.yaml").write_text(
            json.dumps({**metadata, "dependencies": [{**first, "alias": alias} for alias in aliases]})
        )
        values = {
            alias: {**MUCH, "name": name, "serviceVersion": version, "Version": lane.version, "Build": lane.build}
            for alias, (name, version, lane) in zip(aliases, services, strict=True)
        }
        objects = render(parent, values=values)
        counted = Counter(identity(item) for item in objects)
        assert [identity for identity, count in counted.items() if count > 1] == []
        assert len(counted) == 10 * len(services)
        pods = [pod_labels(item) for item in objects if item["kind"] in {"Deployment", "Pod"}]
        for item in objects:
            if item["kind"] in {"Service", "Deployment", "PodDisruptionBudget"}:
                selector = item["spec"]["selector"]
                selector = selector.get("matchLabels", selector)
                assert len([labels for labels in pods if selector.items() <= labels.items()]) == 1
        compared += len(services)

    # A rendering is slow, and a counterexample of thirty services shows what two of them clash: no shrinking.
    @settings(max_examples=TIMES, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(NAMES, SERVICE_VERSIONS, LANES).filter(valid), min_size=30, max_size=30, unique=True))
    def generated(services: list[tuple[str, str, Lane]]) -> None:
        hold(services)

    generated()
    lane = Lane("2-coco", 1)
    hold([(name, version, lane) for name in ("a", *(f"a-{suffix}" for suffix in SUFFIXES)) for version in ("v1", "v2")])
    assert compared >= 30 * TIMES + 8


def valid(service: tuple[str, str, Lane]) -> bool:
    name, version, lane = service
    try:
        return name not in RESERVED and bool(service_version_name(name, version, lane))
    except InvalidName:
        return False


def pod_labels(item: Object) -> dict[str, str]:
    return (item if item["kind"] == "Pod" else item["spec"]["template"])["metadata"]["labels"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "a service is never guessed; add --set name=svc1"),
        ({"name": "svc1-v1"}, "reads as a service version"),
        ({"name": "svc1-v1-test"}, "has the part 'v1', which reads as a service version"),
        ({"name": "zk"}, "is the name of a part of the lane's pipeline"),
        ({"name": "ui"}, "is the name of a part of the lane's pipeline"),
        ({"name": "nimbus-cs"}, "is the name of a part of the lane's pipeline"),
        ({"name": "Svc1"}, "must be lower-case letters"),
        ({"name": 1}, "must be lower-case letters"),
        ({"serviceVersion": "1"}, "must be 'v', a digit"),
        ({"serviceVersion": 1}, "must be 'v', a digit"),
        ({"name": "a" * 40}, "a Deployment may have at most 46"),
        # -- the image
        ({"image": {}}, "no image is set"),
        ({"image": {"repository": "a/b"}}, "neither a tag nor a digest"),
        ({"image": {"repository": "a/b", "tag": "latest"}}, "can change at any time"),
        ({"test": {"image": {"tag": "latest"}}}, "can change at any time"),
        ({"extraContainers": [{**SIDE, "image": {"repository": "a/b"}}]}, "neither a tag nor a digest"),
        ({"initContainers": [{**SIDE, "image": {"repository": "a/b", "tag": "latest"}}]}, "can change at any time"),
        # -- what is told
        ({"env": [{"name": "SIDELANE_LANE", "value": "mine"}]}, "choose another name"),
        ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "is set twice"),
        (
            {"env": [{"name": "SVC2_URL", "value": "http://a"}], "neighbours": {"services": {"svc2": {}}}},
            "is set twice",
        ),
        ({"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}, "valueFrom.secretKeyRef"),
        ({"extraContainers": [{**SIDE, "env": [{"name": "apiKey", "value": "x"}]}]}, "valueFrom.secretKeyRef"),
        ({"neighbours": {"services": {"svc2": {"serviceVersion": "2"}}}}, "must be 'v', a digit"),
        # -- the pod
        ({"ports": [HTTP, {**HTTP, "port": 81, "containerPort": 81}]}, "the name 'http' twice"),
        ({"ports": [HTTP, {**HTTP, "name": "b", "containerPort": 81}]}, "the port 80/TCP twice"),
        ({"ports": [HTTP, {**HTTP, "name": "b", "port": 81}]}, "the containerPort 8080/TCP twice"),
        ({"volumes": [{"name": "tmp", "emptyDir": {}}]}, "its name is reserved by the chart"),
        ({"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}, "two volumes are mounted at /tmp"),
        ({"config": {"existing": [{"mountPath": "/a"}]}}, "set either secret or configMap"),
        ({"config": {"existing": [{"secret": "a", "configMap": "a", "mountPath": "/a"}]}}, "set either"),
        ({"extraContainers": [{**SIDE, "name": "svc1"}]}, "the name of another container"),
        ({"extraContainers": [SIDE], "initContainers": [SIDE]}, "the name of another container"),
        ({"initContainers": [{**SIDE, "livenessProbe": {"tcpSocket": {"port": 1}}}]}, "have probes or a lifecycle"),
        ({"resources": {"limits": {"memory": None}}}, "the service's container has no resources.limits.memory"),
        ({"extraContainers": [{**SIDE, "resources": {"limits": {"memory": "1Gi"}}}]}, "has no resources.requests.cpu"),
        ({"livenessProbe": {"periodSeconds": 5}}, "livenessProbe has no handler"),
        ({"readinessProbe": {"tcpSocket": {"port": 1}, "grpc": {"port": 1}}}, "has grpc, tcpSocket"),
        ({"ports": [], "readinessProbe": {"periodSeconds": 5}}, "readinessProbe has no handler"),
        ({"extraContainers": [{**SIDE, "startupProbe": {"periodSeconds": 5}}]}, "has no handler"),
        ({"drainSeconds": 30}, "the pod is killed after terminationGracePeriodSeconds (30)"),
        ({"strategy": {"maxSurge": 0}}, "no pod could be replaced"),
        # -- scale and reach
        ({"autoscaling": {"enabled": True, "minReplicas": 11}}, "autoscaling.maxReplicas, 10"),
        ({"autoscaling": {"enabled": True, "cpu": 0}}, "no metric is set"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "could be drained"),
        ({"podDisruptionBudget": {"maxUnavailable": "0%"}}, "could be drained"),
        ({"service": {"headless": True, "type": "NodePort"}}, "can't be headless"),
        ({"service": {"headless": True}}, "so nothing would listen on 80; set the port to 8080"),
        ({"service": {"headless": True}, "ports": [SAME, {**HTTP, "port": 81}]}, "the port 'http' is 81"),
        ({"service": {"headless": True, "sessionAffinity": "ClientIP"}, "ports": [SAME]}, "have no effect"),
        ({"service": {"headless": True, "trafficDistribution": "PreferClose"}, "ports": [SAME]}, "have no effect"),
        ({"service": {"externalTrafficPolicy": "Local"}}, "a Service of type ClusterIP gets none"),
        ({"service": {"loadBalancerClass": "a/b"}}, "requires the type LoadBalancer"),
        ({"metrics": {"port": "metrics"}}, "is not a name in ports"),
        ({"metrics": {"podMonitor": {"enabled": True}}}, "nothing to scrape"),
        ({"commonLabels": {"app": "mine"}}, "the label 'app' belongs to the naming contract"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_refused(refusals: Refusals, values: dict[str, object], sentence: str) -> None:
    assert [said for said in refusals("service", values={**SVC1, **values}) if sentence not in said] == []


# -- Pod Security ------------------------------------------------------------------------------------------------------

SMUGGLED = [
    {"volumes": [{"name": "node", "hostPath": {"path": "/"}}]},
    {"volumes": [{"name": "node", "nfs": {"server": "a", "path": "/"}}]},
    {"ports": [{**HTTP, "hostPort": 80}]},
    {"ports": [{**HTTP, "hostIP": "0.0.0.0"}]},
    {"extraContainers": [{**SIDE, "ports": [{"name": "a", "containerPort": 1, "hostPort": 1}]}]},
    {"extraContainers": [{**SIDE, "restartPolicy": "Always"}]},
    {"extraContainers": [{**SIDE, "volumeDevices": [{"name": "a", "devicePath": "/dev/a"}]}]},
    {"initContainers": [{**SIDE, "restartPolicy": "OnFailure"}]},
    *(
        values
        for context in (
            {"privileged": True},
            {"allowPrivilegeEscalation": True},
            {"capabilities": {"add": ["NET_ADMIN"]}},
            {"capabilities": {"drop": ["CHOWN"]}},
            {"runAsUser": 0},
            {"procMount": "Unmasked"},
            {"seccompProfile": {"type": "Unconfined"}},
            {"runAsNonRoot": False},
        )
        for values in (
            {"containerSecurityContext": context},
            {"extraContainers": [{**SIDE, "securityContext": context}]},
            {"initContainers": [{**SIDE, "securityContext": context}]},
        )
    ),
    {"podSecurityContext": {"runAsNonRoot": False}},
    {"podSecurityContext": {"runAsUser": 0}},
    {"podSecurityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}]}},
    {"podSecurityContext": {"seccompProfile": {"type": "Unconfined"}}},
    {"podSecurityContext": {"seccompProfile": None}},
]


@pytest.mark.parametrize("values", SMUGGLED, ids=lambda value: json.dumps(value)[:70])
def test_nothing_leads_out_of_the_restricted_standard(refusal: Refusal, values: dict[str, object]) -> None:
    assert refusal("service", "--skip-schema-validation", values={**SVC1, **values})


def test_what_the_standard_allows(service: Service) -> None:
    context = {"runAsUser": 101, "readOnlyRootFilesystem": False, "capabilities": {"add": ["NET_BIND_SERVICE"]}}
    objects = service(containerSecurityContext=context, extraContainers=[{**SIDE, "securityContext": {"runAsUser": 7}}])
    mine, side = pod(objects)["containers"]
    assert mine["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        "readOnlyRootFilesystem": False,
        "runAsUser": 101,
    }
    assert side["securityContext"] == {**mine["securityContext"], "runAsUser": 7}
    assert "runAsUser" not in pod(objects)["securityContext"], "the image's own user"


def test_a_token_is_mounted_by_choice_alone(service: Service) -> None:
    for choice in (False, True):
        objects = service(serviceAccount={"automountToken": choice})
        assert pod(objects)["automountServiceAccountToken"] is choice
        assert objects["ServiceAccount svc1-v1"]["automountServiceAccountToken"] is choice
    objects = service(serviceAccount={"create": False, "name": "shared"})
    assert pod(objects)["serviceAccountName"] == "shared"
    assert "ServiceAccount svc1-v1" not in objects


# -- What the service is told ------------------------------------------------------------------------------------------


def test_a_service_is_told_its_lane_and_its_neighbours(service: Service) -> None:
    neighbours = {"svc2": {}, "order-api": {"scheme": "grpc", "port": 9000, "path": "/a", "serviceVersion": "v2"}}
    mine = [{"name": "SVC3_URL", "value": "http://svc3-$(SIDELANE_LANE)"}]
    container = main(service(neighbours={"services": neighbours}, env=mine))
    assert env(container) == {
        "SIDELANE_VERSION": "2-coco",
        "SIDELANE_BUILD": "1",
        "SIDELANE_LANE": "2-coco-1",
        "SIDELANE_SERVICE": "svc1",
        "SIDELANE_SERVICE_VERSION": "v1",
        "SIDELANE_ZOOKEEPER": "zk-cs-2-coco-1:2181",
        "SIDELANE_ZOOKEEPER_ROOT": "/storm/2-coco-1",
        "SIDELANE_NIMBUS": "nimbus-cs-2-coco-1:6627",
        "SIDELANE_UI": "http://ui-2-coco-1:8080",
        "SIDELANE_DRPC": "drpc-2-coco-1:3772",
        "SVC2_URL": "http://svc2-2-coco-1",
        "ORDER_API_URL": "grpc://order-api-v2-2-coco-1:9000/a",
        "SVC3_URL": "http://svc3-$(SIDELANE_LANE)",
    }
    names = [variable["name"] for variable in container["env"]]
    assert names.index("SIDELANE_LANE") < names.index("SVC3_URL"), "Kubernetes fills in what stands before"


def test_the_neighbours_may_be_elsewhere(service: Service) -> None:
    environment = env(main(service(neighbours={"zookeeper": "zk.example:2181", "zookeeperRoot": "/mine"})))
    assert (environment["SIDELANE_ZOOKEEPER"], environment["SIDELANE_ZOOKEEPER_ROOT"]) == ("zk.example:2181", "/mine")


def test_the_names_of_the_neighbours_are_those_of_their_charts(render: Render, service: Service) -> None:
    lane = {"Version": "2-coco", "Build": "1"}
    environment = env(main(service()))
    objects = [*render("zookeeper", values=lane), *render("nimbus", values=lane)]
    objects += render("ui", values={**lane, "drpc": {"enabled": True}})
    services = {item["metadata"]["name"]: item["spec"]["ports"] for item in objects if item["kind"] == "Service"}
    for name in ("SIDELANE_ZOOKEEPER", "SIDELANE_NIMBUS", "SIDELANE_UI", "SIDELANE_DRPC"):
        host, port = str(environment[name]).removeprefix("http://").split(":")
        assert int(port) in {entry["port"] for entry in services[host]}
    config = next(item["data"] for item in objects if "storm.yaml" in item.get("data", {}))
    assert yaml.safe_load(config["storm.yaml"])["storm.zookeeper.root"] == environment["SIDELANE_ZOOKEEPER_ROOT"]


def test_every_container_is_told(service: Service) -> None:
    objects = service(initContainers=[{**SIDE, "name": "first"}], extraContainers=[SIDE])
    containers = pod(objects)["containers"] + pod(objects)["initContainers"]
    assert [container["name"] for container in containers] == ["svc1", "side", "first"]
    assert {env(container)["SIDELANE_LANE"] for container in containers} == {"2-coco-1"}


def test_files_are_the_versions_own_and_can_not_change(service: Service) -> None:
    text = "a: 1\n# {{ not a template }}\n"
    objects = service(config={"files": {"application.yaml": text, "empty": ""}, "mountPath": "/etc/svc1"})
    made = objects["ConfigMap svc1-v1-config"]
    assert made["immutable"] is True
    assert made["data"] == {"application.yaml": text, "empty": ""}
    volumes = {volume["name"]: volume for volume in pod(objects)["volumes"]}
    assert volumes["config"]["configMap"]["name"] == made["metadata"]["name"]
    assert {"name": "config", "mountPath": "/etc/svc1", "readOnly": True} in main(objects)["volumeMounts"]


def test_existing_configmaps_and_secrets_are_mounted(service: Service) -> None:
    existing = [{"secret": "tls", "mountPath": "/tls"}, {"configMap": "regions", "mountPath": "/regions"}]
    spec = pod(service(config={"existing": existing}))
    assert spec["volumes"][1:] == [
        {"name": "existing-0", "secret": {"secretName": "tls"}},
        {"name": "existing-1", "configMap": {"name": "regions"}},
    ]
    assert [mount["readOnly"] for mount in spec["containers"][0]["volumeMounts"][1:]] == [True, True]


def test_tmp(service: Service) -> None:
    assert pod(service())["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}}]
    memory = service(tmp={"sizeLimit": "", "medium": "Memory"})
    assert pod(memory)["volumes"] == [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]
    mine = {"volumes": [{"name": "mine", "emptyDir": {}}], "volumeMounts": [{"name": "mine", "mountPath": "/tmp"}]}
    assert [volume["name"] for volume in pod(service(tmp={"enabled": False}, **mine))["volumes"]] == ["mine"]


# -- How it runs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, "acme/svc1:1.4.0"),
        ({"registry": "example.org:5000"}, "example.org:5000/acme/svc1:1.4.0"),
        ({"digest": DIGEST}, f"acme/svc1@{DIGEST}"),
        ({"digest": DIGEST, "tag": ""}, f"acme/svc1@{DIGEST}"),
    ],
)
def test_the_image_is_named_by_tag_or_digest(service: Service, image: Object, expected: str) -> None:
    assert main(service(image={**IMAGE, **image}))["image"] == expected


def test_one_registry_for_all_images(service: Service) -> None:
    objects = service(extraContainers=[SIDE], initContainers=[{"name": "first", "resources": SMALL}])
    assert [container["image"] for container in pod(objects)["initContainers"]] == ["acme/svc1:1.4.0"]
    mirrored = service(**{"global": {"imageRegistry": "mirror"}, "extraContainers": [SIDE]})
    containers = [*pod(mirrored)["containers"], *mirrored["Pod svc1-v1-test"]["spec"]["containers"]]
    assert {container["image"].partition("/")[0] for container in containers} == {"mirror"}


PROBES = [
    {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 3},
    {"tcpSocket": {"port": 8080}},
    {"exec": {"command": ["true"]}, "timeoutSeconds": 2},
    {"grpc": {"port": 9000, "service": "ready"}, "failureThreshold": 9},
]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: next(iter(probe)))
def test_probes_are_kubernetes_own(service: Service, probe: Object) -> None:
    container = main(service(startupProbe=probe, readinessProbe=probe, livenessProbe=probe))
    assert container["startupProbe"] == container["readinessProbe"] == container["livenessProbe"] == probe


def test_the_first_tcp_port_is_asked_unless_the_values_say_what(service: Service) -> None:
    udp = {"name": "udp", "port": 53, "containerPort": 53, "protocol": "UDP"}
    container = main(service(ports=[udp, HTTP], readinessProbe={"periodSeconds": 3}))
    assert container["readinessProbe"] == {"tcpSocket": {"port": "http"}, "periodSeconds": 3}
    assert "readinessProbe" not in main(service(ports=[udp]))


def test_a_pod_drains_before_it_stops(service: Service) -> None:
    assert main(service())["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert "lifecycle" not in main(service(drainSeconds=0))
    own = {"preStop": {"exec": {"command": ["drain"]}}}
    assert main(service(lifecycle=own))["lifecycle"] == own
    start = {"postStart": {"exec": {"command": ["warm"]}}}
    assert main(service(lifecycle=start))["lifecycle"] == {**start, "preStop": {"sleep": {"seconds": 5}}}


def test_the_last_words_of_a_container_can_be_kept_out_of_the_pods_status(service: Service) -> None:
    objects = service(
        extraContainers=[{**SIDE, "terminationMessagePolicy": "File"}], initContainers=[{**SIDE, "name": "init"}]
    )
    spec = pod(objects)
    said = [container["terminationMessagePolicy"] for container in spec["containers"] + spec["initContainers"]]
    assert said == ["FallbackToLogsOnError", "File", "FallbackToLogsOnError"]
    other = {**SIDE, "terminationMessagePolicy": "FallbackToLogsOnError"}
    spec = pod(
        service(terminationMessagePolicy="File", extraContainers=[other], initContainers=[{**SIDE, "name": "init"}])
    )
    said = [container["terminationMessagePolicy"] for container in spec["containers"] + spec["initContainers"]]
    assert said == ["File", "FallbackToLogsOnError", "File"]


def test_what_runs_beside_the_service_is_there_while_it_drains(service: Service) -> None:
    def beside(*containers: Object, **values: object) -> list[Object | None]:
        return [
            container.get("lifecycle")
            for container in pod(service(extraContainers=containers, **values))["containers"][1:]
        ]

    drain = {"preStop": {"sleep": {"seconds": 5}}}
    own = {"preStop": {"exec": {"command": ["flush"]}}}
    start = {"postStart": {"exec": {"command": ["warm"]}}}
    assert beside(SIDE, {**SIDE, "name": "own", "lifecycle": own}) == [drain, own]
    assert beside({**SIDE, "lifecycle": start}) == [{**start, **drain}]
    assert beside(SIDE, drainSeconds=0) == [None]
    (sidecar,) = pod(service(initContainers=[{**SIDE, "restartPolicy": "Always"}]))["initContainers"]
    assert "lifecycle" not in sidecar, "Kubernetes stops it after the service"


def test_a_native_sidecar_starts_first_and_goes_on(service: Service) -> None:
    sidecar = {**SIDE, "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 1}}}
    (made,) = pod(service(initContainers=[sidecar]))["initContainers"]
    assert (made["restartPolicy"], made["startupProbe"]) == ("Always", {"tcpSocket": {"port": 1}})
    assert made["resources"] == SMALL


def test_recreate_has_no_rolling_update(service: Service) -> None:
    assert deployment(service(strategy={"type": "Recreate"}))["strategy"] == {"type": "Recreate"}


# -- Scale and reach ---------------------------------------------------------------------------------------------------


def test_an_autoscaler_alone_says_how_many(service: Service) -> None:
    assert deployment(service())["replicas"] == 2
    assert deployment(service(replicas=0))["replicas"] == 0
    external = {"type": "External", "external": {"metric": {"name": "lag"}, "target": {"type": "Value", "value": "5"}}}
    objects = service(autoscaling={"enabled": True, "memory": 70, "metrics": [external]})
    assert "replicas" not in deployment(objects)
    spec = objects["HorizontalPodAutoscaler svc1-v1"]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "svc1-v1-2-coco-1"}
    resources = {m["resource"]["name"]: m["resource"]["target"]["averageUtilization"] for m in spec["metrics"][:-1]}
    assert resources == {"cpu": 80, "memory": 70}
    assert spec["metrics"][-1] == external


def test_a_port_without_a_service_is_the_containers_alone(service: Service) -> None:
    objects = service(ports=[HTTP, METRICS], metrics={"port": "metrics"}, networkPolicy={"enabled": True})
    assert [port["name"] for port in main(objects)["ports"]] == ["http", "metrics"]
    assert [port["name"] for port in objects["Service svc1-v1"]["spec"]["ports"]] == ["http"]
    (clients,) = objects["NetworkPolicy svc1-v1"]["spec"]["ingress"]
    assert clients["ports"] == [{"port": "http", "protocol": "TCP"}]


def test_a_worker_has_no_service_and_nothing_to_test(service: Service) -> None:
    objects = service(ports=[], networkPolicy={"enabled": True})
    assert not {"Service svc1-v1", "Pod svc1-v1-test"} & objects.keys()
    assert objects["NetworkPolicy svc1-v1"]["spec"]["ingress"] is None, "nobody"
    for version in ("1.30", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(objects["NetworkPolicy svc1-v1"], version, strict=True)


def test_how_clients_get_their_pod(service: Service) -> None:
    choice = {"sessionAffinity": "ClientIP", "trafficDistribution": "PreferClose"}
    spec = service(service=choice)["Service svc1-v1"]["spec"]
    assert (spec["type"], spec["trafficDistribution"]) == ("ClusterIP", "PreferClose")
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert not {"clusterIP", "sessionAffinity", "trafficDistribution"} & service()["Service svc1-v1"]["spec"].keys()
    spec = service(service={"headless": True}, ports=[SAME, METRICS])["Service svc1-v1"]["spec"]
    assert (spec["clusterIP"], [port["port"] for port in spec["ports"]]) == ("None", [9000])


def test_who_may_connect_and_where_to(service: Service) -> None:
    peer = {"podSelector": {"matchLabels": {"team": "web"}}}
    rule = {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    policy = {"enabled": True, "clients": [peer], "metrics": [peer], "egress": {"enabled": True, "rules": [rule]}}
    spec = service(ports=[HTTP, METRICS], metrics={"port": "metrics"}, networkPolicy=policy)["NetworkPolicy svc1-v1"][
        "spec"
    ]
    lane = {"podSelector": {"matchLabels": {"sidelane.dev/lane": "2-coco-1"}}}
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert [entry["from"] for entry in spec["ingress"]] == [[lane, peer], [peer]]
    assert [entry.get("to") for entry in spec["egress"]] == [None, [lane], rule["to"]]
    assert {port["port"] for port in spec["egress"][0]["ports"]} == {53}


def test_the_monitor_reads_the_port_that_is_named(service: Service) -> None:
    metrics = {"port": "metrics", "path": "/prom", "podMonitor": {"enabled": True, "labels": {"a": "b"}}}
    monitor = service(ports=[HTTP, METRICS], metrics=metrics)["PodMonitor svc1-v1"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint == {"port": "metrics", "path": "/prom", "interval": "30s"}
    assert monitor["metadata"]["labels"]["a"] == "b"


def test_the_operational_values_change_nothing_that_runs(service: Service, charts: Path) -> None:
    annotations = yaml.safe_load((charts / "service" / "Chart.yaml").read_text())["annotations"]
    named = annotations["sidelane.dev/operational-values"]
    assert named == "replicas,autoscaling,networkPolicy,podDisruptionBudget"
    assert annotations["sidelane.dev/release-name"] == "{name}-{serviceVersion}"
    before = service()
    changed = {"replicas": 7, "autoscaling": {"enabled": True}, "networkPolicy": {"enabled": True}}
    after = service(**changed, podDisruptionBudget={"enabled": False})
    kinds = {name.partition(" ")[0] for name in set(before) ^ set(after)}
    assert kinds == {"HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget"}
    deployments = [dict(deployment(objects)) for objects in (before, after)]
    assert [each.pop("replicas", None) for each in deployments] == [2, None]
    assert deployments[0] == deployments[1]
    same = set(before) & set(after) - {"Deployment svc1-v1"}
    assert all(before[name] == after[name] for name in same)


# -- helm test ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def web() -> Iterator[int]:
    """The port of a server that has a page at /ready, and none elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ready" else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def closed() -> Iterator[int]:
    """A port that takes no connections."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def reach(service: Service) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the test's own program as its pod would, against this machine."""

    def reach(path: str, *ports: int) -> subprocess.CompletedProcess[str]:
        objects = service(ports=[{**HTTP, "name": f"p{port}", "port": port, "containerPort": port} for port in ports],
                          test={"path": path, "timeoutSeconds": 1})  # fmt: skip
        (container,) = objects["Pod svc1-v1-test"]["spec"]["containers"]
        assert container["args"][2] == "svc1-v1-2-coco-1"
        command = [*container["command"], *container["args"][:2], "127.0.0.1", *container["args"][3:]]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)

    return reach


def test_the_test_reaches_the_service(reach: Callable[..., Any], web: int) -> None:
    assert reach("", web).returncode == 0
    done = reach("/ready", web)
    assert (done.returncode, f"127.0.0.1:{web}/ready: ok" in done.stdout) == (0, True)


def test_the_test_says_what_does_not_answer(reach: Callable[..., Any], web: int, closed: int) -> None:
    done = reach("", web, closed)
    assert (done.returncode, f"127.0.0.1:{closed}: no connection" in done.stdout) == (1, True)
    done = reach("/absent", web)
    assert (done.returncode, f"127.0.0.1:{web}/absent: status 503" in done.stdout) == (1, True)
    assert "status none" in reach("/ready", closed).stdout


def test_the_tests_pod_is_no_pod_of_the_service(service: Service) -> None:
    objects = service()
    test = objects["Pod svc1-v1-test"]
    assert not deployment(objects)["selector"]["matchLabels"].items() <= test["metadata"]["labels"].items()
    assert test["metadata"]["labels"]["app"] != "svc1-2-coco-1", "which the routes select by"
    assert test["metadata"]["labels"]["sidelane.dev/lane"] == "2-coco-1", (
        "so that the lane's own NetworkPolicy lets it in"
    )
    (container,) = service(test={"runAsUser": None})["Pod svc1-v1-test"]["spec"]["containers"]
    assert "runAsUser" not in container["securityContext"]
