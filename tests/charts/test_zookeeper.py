"""The ZooKeeper chart: what its values do, and which it refuses."""

from __future__ import annotations

import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Zookeeper = Callable[..., dict[str, Any]]
    Render = Callable[..., list[dict[str, Any]]]
    Refusal = Callable[..., str]
    Refusals = Callable[..., list[str]]

LANE = {"Version": "2-coco", "Build": "1"}
DIGEST = f"sha256:{'0' * 64}"


def cfg(objects: dict[str, Any]) -> dict[str, str]:
    lines = objects["ConfigMap zk"]["data"]["zoo.cfg"].splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def pod(objects: dict[str, Any]) -> dict[str, Any]:
    return objects["StatefulSet zk"]["spec"]["template"]["spec"]


def ports(service: dict[str, Any]) -> set[int]:
    return {port["port"] for port in service["spec"]["ports"]}


def test_what_an_install_makes(zookeeper: Zookeeper) -> None:
    assert set(zookeeper()) == {
        "ConfigMap zk",
        "ConfigMap zk-guard",
        "Pod zk-test",
        "PodDisruptionBudget zk",
        "Service zk-cs",
        "Service zk-hs",
        "ServiceAccount zk",
        "StatefulSet zk",
    }


@pytest.mark.parametrize("replicas", [3, 5, 7])
def test_every_member_knows_every_member(zookeeper: Zookeeper, replicas: int) -> None:
    objects = zookeeper(replicas=replicas)
    domain = "zk-hs-2-coco-1.default.svc.cluster.local"
    members = {f"server.{n + 1}": f"zk-2-coco-1-{n}.{domain}:2888:3888" for n in range(replicas)}
    assert {key: value for key, value in cfg(objects).items() if key.startswith("server.")} == members
    assert objects["StatefulSet zk"]["spec"]["serviceName"] == objects["Service zk-hs"]["metadata"]["name"]
    assert objects["Service zk-hs"]["spec"]["publishNotReadyAddresses"] is True


def test_one_member_is_standalone(zookeeper: Zookeeper) -> None:
    assert not [key for key in cfg(zookeeper(replicas=1)) if key.startswith("server.")]


def test_the_configuration_can_not_change_under_a_running_member(zookeeper: Zookeeper) -> None:
    assert zookeeper()["ConfigMap zk"]["immutable"] is True


def test_numbers_in_the_configuration_stay_plain(zookeeper: Zookeeper) -> None:
    config = cfg(zookeeper(config={"snapCount": 1000000, "maxClientCnxns": 60, "forceSync": True, "fraction": 0.5}))
    assert config["snapCount"] == "1000000"
    assert (config["maxClientCnxns"], config["forceSync"], config["fraction"]) == ("60", "true", "0.5")
    assert config["autopurge.purgeInterval"] == "1"


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        ({"dataDir": "/elsewhere"}, "set persistence instead"),
        ({"clientPortAddress": "::"}, "set tls.client instead"),
        ({"server.1": "a:1:1"}, "set replicas instead"),
        ({"ssl.quorum.keyStore.location": "/a"}, "set tls instead"),
        ({"jute.maxbuffer": 1}, "set jvm.options instead"),
        ({"4lw.commands.whitelist": "*"}, "remove it"),
        ({"admin.enableServer": True}, "remove it"),
        ({"a b": 1}, "not the name of a setting"),
        ({"a": "1\nadmin.enableServer=true"}, "not one line"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_the_chart_writes_itself_are_refused(refusal: Refusal, setting: object, remedy: str) -> None:
    assert remedy in refusal("zookeeper", values={**LANE, "config": setting})


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, "docker.io/library/zookeeper:3.9.5"),
        ({"tag": "3.9.4"}, "docker.io/library/zookeeper:3.9.4"),
        ({"registry": ""}, "library/zookeeper:3.9.5"),
        ({"registry": "example.org:5000", "repository": "a/b"}, "example.org:5000/a/b:3.9.5"),
        ({"digest": DIGEST}, f"docker.io/library/zookeeper@{DIGEST}"),
        ({"digest": DIGEST, "tag": ""}, f"docker.io/library/zookeeper@{DIGEST}"),
    ],
)
def test_the_image_is_named_by_tag_or_digest(zookeeper: Zookeeper, image: object, expected: str) -> None:
    objects = zookeeper(image=image)
    containers = [pod(objects)["containers"][0], objects["Pod zk-test"]["spec"]["containers"][0]]
    assert {container["image"] for container in containers} == {expected}


def test_the_version_label_follows_the_tag(zookeeper: Zookeeper) -> None:
    assert (
        zookeeper(image={"tag": "3.8.4"})["Service zk-cs"]["metadata"]["labels"]["app.kubernetes.io/version"] == "3.8.4"
    )
    labels = zookeeper(image={"tag": "3.8.4-"})["Service zk-cs"]["metadata"]["labels"]
    assert "app.kubernetes.io/version" not in labels, "not a valid label value"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"image": {"tag": "latest"}}, "can change at any time"),
        ({"image": {"tag": ""}}, "neither a tag nor a digest"),
        ({"image": {"tag": 3.9}}, "tag"),
        ({"jvm": {"heapMiB": 1024}}, "does not fit below resources.limits.memory (1Gi)"),
        ({"jvm": {"heapMiB": 1000}, "resources": {"limits": {"memory": "1G"}}}, "does not fit"),
        ({"jvm": {"heapMiB": 2000}, "resources": {"limits": {"memory": 2000000000}}}, "does not fit"),
        ({"replicas": 2}, "replicas"),
        ({"replicas": 0}, "replicas"),
        ({"tls": {"client": {"enabled": True}}}, "tls.secretName is empty"),
        ({"tls": {"quorum": {"enabled": True}}}, "tls.secretName is empty"),
        ({"podDisruptionBudget": {"maxUnavailable": 2}}, "at most 1 stopped"),
        ({"commonLabels": {"app": "mine"}}, "the label 'app' belongs to the naming contract"),
        ({"commonLabels": {"sidelane.dev/lane": "mine"}}, "belongs to the naming contract"),
        ({"extraEnv": [{"name": "SIDELANE_LANE", "value": "mine"}]}, "choose another name"),
        ({"extraEnv": [{"name": "JVMFLAGS", "value": "mine"}]}, "use jvm.heapMiB or jvm.options"),
        ({"tls": {"client": {"plaintext": False}}}, "no client could connect"),
        ({"metrics": {"enabled": False, "podMonitor": {"enabled": True}}}, "nothing to scrape"),
        ({"jvm": {"options": "-Djava.security.properties=/a"}}, "set jvm.dnsCacheSeconds to 0"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_refused(refusals: Refusals, values: dict[str, object], sentence: str) -> None:
    assert [said for said in refusals("zookeeper", values={**LANE, **values}) if sentence not in said] == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"tls": {"client": {"enabled": "yes"}}}, ("tls", "client", "enabled")),
        ({"persistence": {"log": {"sizes": "1Gi"}}}, ("sizes",)),
        ({"persistence": {"size": "ten"}}, ("persistence", "size")),
        ({"metrics": {"podMonitor": {"interval": "often"}}}, ("interval",)),
        ({"livenessProbe": {"httpGet": {}}}, ("httpGet",)),
        ({"config": {"autopurge.purgeInterval": 0}}, ("purgeInterval",)),
        ({"config": {"initLimit": None}}, ("initLimit",)),
        ({"config": {"syncLimit": "5s"}}, ("syncLimit",)),
        ({"config": {"tickTime": 2000.5}}, ("tickTime",)),
        ({"config": {"snapCount": "100k"}}, ("snapCount",)),
        ({"config": {"autopurge.snapRetainCount": None}}, ("snapRetainCount",)),
        ({"config": {"forceSync": None}}, ("forceSync",)),
        ({"config": None}, ("config",)),
        ({"image": {"digest": "sha256:short"}}, ("digest",)),
        ({"spread": {"nodes": "Sometimes"}}, ("spread", "nodes")),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_the_schema_names_what_is_wrong(refusal: Refusal, values: dict[str, object], words: tuple[str, ...]) -> None:
    said = refusal("zookeeper", values={**LANE, **values})
    assert all(word in said for word in words)


NEEDED = ["jvm", "tls", "metrics", "clusterDomain", "persistence.size", "logging.level", "startupProbe", "service"]


@pytest.mark.parametrize("path", NEEDED)
def test_a_null_takes_nothing_away_that_the_chart_needs(refusal: Refusal, path: str) -> None:
    said = refusal("zookeeper", "--set", f"{path}=null", values=LANE)
    assert path.rpartition(".")[2] in said
    assert "required" in said or "missing" in said


@pytest.mark.parametrize("heap", [{"heapMiB": 1023}, {"heapMiB": 256}])
def test_a_heap_below_the_limit_is_taken(zookeeper: Zookeeper, heap: dict[str, int]) -> None:
    environment = {
        variable["name"]: variable.get("value") for variable in pod(zookeeper(jvm=heap))["containers"][0]["env"]
    }
    assert environment["ZK_SERVER_HEAP"] == str(heap["heapMiB"])


@pytest.mark.parametrize("seconds", [0, 1, 30])
def test_how_long_a_member_keeps_the_address_of_another(zookeeper: Zookeeper, seconds: int) -> None:
    objects = zookeeper(jvm={"dnsCacheSeconds": seconds, "options": "-Xss1m"})
    flags = {variable["name"]: variable.get("value") for variable in pod(objects)["containers"][0]["env"]}["JVMFLAGS"]
    security = objects["ConfigMap zk"]["data"].get("java.security", "")
    assert security.split() == [f"networkaddress.cache.{name}={seconds}" for name in ("ttl", "negative.ttl") if seconds]
    file = " -Djava.security.properties=/conf/java.security" if seconds else ""
    assert flags == f"-XX:+ExitOnOutOfMemoryError -Dzookeeper.fastleader.maxNotificationInterval=2000{file} -Xss1m"


def test_a_members_own_address_is_for_ensembles_without_certificates(zookeeper: Zookeeper) -> None:
    def knows_its_address(**values: object) -> bool:
        return "POD_IP" in {variable["name"] for variable in pod(zookeeper(**values))["containers"][0]["env"]}

    assert knows_its_address()
    assert not knows_its_address(replicas=1)
    assert not knows_its_address(tls={"secretName": "mine", "quorum": {"enabled": True}})


def test_without_a_limit_any_heap_is_taken(zookeeper: Zookeeper) -> None:
    assert zookeeper(jvm={"heapMiB": 8192}, resources={"limits": None})


def test_tls(zookeeper: Zookeeper) -> None:
    tls = {"secretName": "mine", "client": {"enabled": True, "plaintext": False}, "quorum": {"enabled": True}}
    objects = zookeeper(tls=tls, networkPolicy={"enabled": True})
    config = cfg(objects)
    assert (config["secureClientPort"], config["clientPortAddress"], config["sslQuorum"]) == (
        "2281",
        "localhost",
        "true",
    )
    assert config["ssl.keyStore.type"] == config["ssl.quorum.trustStore.type"] == "PEM"
    assert config["fips-mode"] == "false", "or members don't check one another's names"
    assert cfg(zookeeper(tls=tls, config={"fips-mode": True}))["fips-mode"] == "true"
    assert ports(objects["Service zk-cs"]) == {2281}
    clients = objects["NetworkPolicy zk"]["spec"]["ingress"][1]
    assert clients["ports"] == [{"port": 2281}]
    test = objects["Pod zk-test"]["spec"]["containers"][0]
    assert test["command"][-1] == "zk-cs-2-coco-1:2281"
    assert any("-Dzookeeper.ssl.keyStore.type=PEM" in variable.get("value", "") for variable in test["env"])
    for spec in (pod(objects), objects["Pod zk-test"]["spec"]):
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert volumes["tls-secret"]["secret"] == {"secretName": "mine"}
        assert volumes["tls-run"]["emptyDir"]["medium"] == "Memory"


def test_clients_may_have_both_ports(zookeeper: Zookeeper) -> None:
    objects = zookeeper(tls={"secretName": "mine", "client": {"enabled": True}})
    assert ports(objects["Service zk-cs"]) == {2181, 2281}
    assert "clientPortAddress" not in cfg(objects)


def test_claims(zookeeper: Zookeeper) -> None:
    spec = zookeeper(persistence={"log": {"enabled": True, "size": "5Gi", "storageClass": "fast"}})["StatefulSet zk"][
        "spec"
    ]
    data, log = spec["volumeClaimTemplates"]
    assert (data["metadata"]["name"], log["metadata"]["name"]) == ("data", "log")
    assert "storageClassName" not in data["spec"]
    assert log["spec"]["storageClassName"] == "fast"
    assert log["spec"]["resources"]["requests"]["storage"] == "5Gi"
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_without_persistence(zookeeper: Zookeeper) -> None:
    objects = zookeeper(persistence={"enabled": False})
    assert "volumeClaimTemplates" not in objects["StatefulSet zk"]["spec"]
    assert {"name": "data", "emptyDir": {}} in pod(objects)["volumes"]


def test_the_network_policy_lets_in_the_lane_and_who_is_named(zookeeper: Zookeeper) -> None:
    peer = {"podSelector": {"matchLabels": {"team": "streams"}}}
    policy = zookeeper(networkPolicy={"enabled": True, "clients": [peer], "metrics": [peer]})["NetworkPolicy zk"]
    members, clients, metrics = policy["spec"]["ingress"]
    assert members["ports"] == [{"port": 2888}, {"port": 3888}]
    assert clients["from"] == [{"podSelector": {"matchLabels": {"sidelane.dev/lane": "2-coco-1"}}}, peer]
    assert metrics == {"from": [peer], "ports": [{"port": 7000}]}


def test_the_tests_pod_is_no_member(zookeeper: Zookeeper) -> None:
    objects = zookeeper()
    labels = objects["Pod zk-test"]["metadata"]["labels"]
    selector = objects["StatefulSet zk"]["spec"]["selector"]["matchLabels"]
    assert not selector.items() <= labels.items()
    assert labels["sidelane.dev/lane"] == "2-coco-1", "so that the lane's own NetworkPolicy lets it in"


def test_openshift_gives_users_of_its_own(zookeeper: Zookeeper) -> None:
    spec = pod(zookeeper(podSecurityContext={"runAsUser": None, "runAsGroup": None, "fsGroup": None}))
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & spec["securityContext"].keys()
    assert spec["securityContext"]["runAsNonRoot"] is True


def test_members_are_spread_by_their_own_lane(zookeeper: Zookeeper) -> None:
    nodes, zones = pod(zookeeper())["topologySpreadConstraints"]
    assert (nodes["topologyKey"], nodes["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")
    assert (zones["topologyKey"], zones["whenUnsatisfiable"]) == ("topology.kubernetes.io/zone", "ScheduleAnyway")
    assert nodes["labelSelector"]["matchLabels"] == {"app": "zk-2-coco-1", "sidelane.dev/lane": "2-coco-1"}
    assert "topologySpreadConstraints" not in pod(zookeeper(spread={"nodes": "", "zones": ""}))


def test_the_users_labels_reach_every_object_and_pod(zookeeper: Zookeeper) -> None:
    objects = zookeeper(commonLabels={"cost": 4711}, commonAnnotations={"contact": "a"})
    for item in [*objects.values(), objects["StatefulSet zk"]["spec"]["template"]]:
        assert item["metadata"]["labels"]["cost"] == "4711"
    assert {item["metadata"]["annotations"]["contact"] for item in objects.values()} == {"a"}


def test_the_operational_values_change_nothing_that_runs(zookeeper: Zookeeper, charts: Path) -> None:
    annotations = yaml.safe_load((charts / "zookeeper" / "Chart.yaml").read_text())["annotations"]
    assert annotations["sidelane.dev/operational-values"] == "networkPolicy,podDisruptionBudget"
    before = zookeeper()
    after = zookeeper(networkPolicy={"enabled": True}, podDisruptionBudget={"enabled": False})
    assert set(before) ^ set(after) == {"NetworkPolicy zk", "PodDisruptionBudget zk"}
    assert all(before[name] == after[name] for name in set(before) & set(after))


def test_the_scripts_are_bash(charts: Path) -> None:
    for script in (charts / "zookeeper" / "files").glob("*.sh"):
        subprocess.run(["bash", "-n", script], check=True)


def test_a_parent_chart_gives_the_lane(run: Callable[..., Any], charts: Path, tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    (parent / "charts").mkdir(parents=True)
    (parent / "charts" / "zookeeper").symlink_to(charts / "zookeeper")
    dependency = {"name": "zookeeper", "version": "0.1.0", "repository": "file://../zookeeper"}
    metadata = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [dependency]}
    (parent / "Chart.yaml").write_text(json.dumps(metadata))
    given = {"global": {"Version": "2-coco", "Build": "1", "anything": "else"}, "zookeeper": {"replicas": 1}}
    done = run("template", "release", parent, values=given)
    assert done.returncode == 0, done.stderr
    assert "name: zk-hs-2-coco-1" in done.stdout


def test_the_package_holds_the_library_and_installs(run: Callable[..., Any], charts: Path, tmp_path: Path) -> None:
    assert run("package", charts / "zookeeper", "--destination", tmp_path).returncode == 0
    package = tmp_path / "zookeeper-0.1.0.tgz"
    with tarfile.open(package) as archive:
        names = archive.getnames()
    assert "zookeeper/charts/common/templates/_lane.tpl" in names
    assert not [name for name in names if name.startswith("zookeeper/ci/")]
    assert run("template", "release", package, values=LANE).returncode == 0
