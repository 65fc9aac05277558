"""Each chart of Apache Storm: the lane's ZooKeeper, its settings, its JVMs, and the start of a daemon."""

from __future__ import annotations

import json
import socket
import subprocess
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from storm_charts import LANE, bash, environment, installed, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    InLane = Callable[..., dict[str, dict[str, Any]]]
    Refusal = Callable[..., str]

CHARTS = ("nimbus", "supervisor", "ui")
every_storm_chart = pytest.mark.parametrize("chart", CHARTS)
WORKLOADS = {"nimbus": "StatefulSet nimbus", "supervisor": "StatefulSet supervisor", "ui": "Deployment ui"}


@every_storm_chart
def test_the_lane_has_its_own_zookeeper_and_root(in_lane: InLane, chart: str) -> None:
    config = settings(in_lane(chart), chart)
    assert config["storm.zookeeper.servers"] == ["zk-cs-2-coco-1.default.svc.cluster.local"]
    assert config["storm.zookeeper.port"] == 2181
    assert config["storm.zookeeper.root"] == "/storm/2-coco-1"
    # Where Trident keeps what it has committed: Storm's default is one place for all.
    assert config["transactional.zookeeper.root"] == "/storm/2-coco-1/transactional"


@every_storm_chart
@pytest.mark.parametrize(
    ("zookeeper", "servers", "port"),
    [
        ({"lane": "1-4-0-7"}, ["zk-cs-1-4-0-7.default.svc.cluster.local"], 2181),
        ({"servers": ["a.example.org", "b.example.org"], "port": 2281}, ["a.example.org", "b.example.org"], 2281),
    ],
)
def test_another_zookeeper_leaves_the_lane_a_root_of_its_own(
    in_lane: InLane, chart: str, zookeeper: dict[str, Any], servers: list[str], port: int
) -> None:
    for objects in (in_lane(chart, zookeeper=zookeeper), in_lane(chart, **{"global": {"zookeeper": zookeeper}})):
        config = settings(objects, chart)
        assert (config["storm.zookeeper.servers"], config["storm.zookeeper.port"]) == (servers, port)
        assert config["storm.zookeeper.root"] == "/storm/2-coco-1"


@pytest.mark.parametrize(
    ("zookeeper", "sentence"),
    [
        ({"lane": "coco"}, "not a lane such as '2-coco-1'"),
        ({"lane": "coco-01"}, "write it '1'"),
        ({"lane": "cs-coco-1"}, "not a lane"),
        ({"lane": "coco-1", "servers": ["a"]}, "set only one of them"),
        ({"rootPrefix": "/storm/2-coco-1"}, "could be another lane"),
        ({"rootPrefix": "storm"}, "must be a path of names"),
        ({"rootPrefix": ""}, "such as /storm"),
        ({"rootPrefix": "/storm/.."}, "must be a path of names"),
    ],
    ids=json.dumps,
)
def test_no_value_leads_to_another_lanes_state(refusal: Refusal, zookeeper: object, sentence: str) -> None:
    assert sentence in refusal("nimbus", "--skip-schema-validation", values={**LANE, "zookeeper": zookeeper})
    shared = {**LANE, "global": {"zookeeper": zookeeper}}
    assert sentence in refusal("supervisor", "--skip-schema-validation", values=shared)


@every_storm_chart
def test_settings_keep_their_types(in_lane: InLane, chart: str) -> None:
    given = {
        "topology.workers": 1000000,
        "topology.stats.sample.rate": 0.05,
        "topology.small": 1e-7,
        "topology.debug": True,
        "topology.name": "1e3",
        "topology.classpath": "a < b",
        "topology.environment": None,
        "topology.list": [1, {"a": 2000000}, "x"],
    }
    objects = in_lane(chart, config=given)
    config = settings(objects, chart)
    assert {key: value for key, value in config.items() if key.startswith("topology.") and key in given} == given
    # Storm's YAML takes a number without a point before its exponent for text.
    assert "topology.small: 1.0e-07" in objects[f"ConfigMap {chart}"]["data"]["storm.yaml"]


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        ("storm.zookeeper.servers", "set zookeeper.servers or zookeeper.lane instead"),
        ("storm.zookeeper.root", "set zookeeper.rootPrefix instead"),
        ("transactional.zookeeper.root", "set zookeeper.rootPrefix instead"),
        ("storm.log4j2.conf.dir", "set logging instead"),
        ("storm.local.dir", "remove it"),
        ("storm.local.hostname", "remove it"),
        ("nimbus.thrift.port", "remove it"),
        ("drpc.servers", "remove it"),
        ("a b", "not the name of a setting"),
        ("storm.zookeeper.auth.payload", "the Secret that configSecretName names"),
        ("ui.https.key.password", "the Secret that configSecretName names"),
    ],
)
def test_settings_that_are_not_the_users(refusal: Refusal, setting: str, remedy: str) -> None:
    assert remedy in refusal("supervisor", values={**LANE, "config": {setting: 1 if setting.endswith("port") else "x"}})


@pytest.mark.parametrize(
    ("chart", "setting", "value"),
    [
        ("nimbus", "topology.message.timeout.secs", "30s"),
        ("nimbus", "nimbus.queue.size", None),
        ("supervisor", "topology.worker.max.heap.size.mb", "768Mi"),
        ("supervisor", "storm.zookeeper.session.timeout", None),
        ("ui", "nimbus.thrift.threads", "64"),
    ],
)
def test_null_and_text_for_a_number_are_refused(refusal: Refusal, chart: str, setting: str, value: object) -> None:
    """By one template and one part of a schema, which the three charts share."""
    assert setting.rpartition(".")[2] in refusal(chart, values={**LANE, "config": {setting: value}})
    assert setting in refusal(chart, "--skip-schema-validation", values={**LANE, "config": {setting: value}})


@every_storm_chart
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"image": {"tag": "latest"}}, "can change at any time"),
        ({"zookeeper": {"lane": "coco"}}, "not a lane such as '2-coco-1'"),
        ({"jvm": {"heapMiB": 1536}, "resources": {"limits": {"memory": "1536Mi"}}}, "does not fit"),
        ({"jvm": {"options": "-Xss1m -Xmx9g"}}, "which sets the heap; remove that, and set jvm.heapMiB"),
        ({"jvm": {"options": "-XX:MaxRAMPercentage=90"}}, "which sets the heap; remove that, and set jvm.heapMiB"),
        ({"extraEnv": [{"name": "STORM_CONF_DIR", "value": "/a"}]}, "put Storm's settings into config"),
        ({"extraEnv": [{"name": "STORM_LOCAL_HOSTNAME", "value": "a"}]}, "put Storm's settings into config"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_refused(refusal: Refusal, chart: str, values: dict[str, object], sentence: str) -> None:
    assert sentence in refusal(chart, "--skip-schema-validation", values={**LANE, **values})


@every_storm_chart
@pytest.mark.parametrize("path", ["zookeeper", "jvm.heapMiB", "logging.format", "startupProbe", "clusterDomain"])
def test_a_null_takes_nothing_away_that_the_chart_needs(refusal: Refusal, chart: str, path: str) -> None:
    said = refusal(chart, "--set", f"{path}=null", values=LANE)
    assert path.rpartition(".")[2] in said
    assert "required" in said or "missing" in said


@every_storm_chart
@pytest.mark.parametrize("logging", ["text", "json"])
def test_the_logging_is_configured(in_lane: InLane, chart: str, logging: str) -> None:
    objects = in_lane(chart, logging={"format": logging, "level": "WARN"})
    assert settings(objects, chart)["storm.log4j2.conf.dir"] == "/etc/storm"
    xml = ElementTree.fromstring(objects[f"ConfigMap {chart}"]["data"]["cluster.xml"])
    root = xml.find("loggers/root")
    assert root is not None
    assert root.attrib == {"level": "warn"}
    assert (root[0].attrib["ref"], xml.findtext("appenders/Console/PatternLayout/pattern", "").strip()[0]) == (
        "CONSOLE",
        "{" if logging == "json" else "%",
    )


@every_storm_chart
def test_nothing_can_change_under_a_running_daemon(in_lane: InLane, chart: str) -> None:
    assert in_lane(chart)[f"ConfigMap {chart}"]["immutable"] is True


@every_storm_chart
def test_the_scripts_are_bash(in_lane: InLane, chart: str) -> None:
    scripts = {n: text for n, text in in_lane(chart)[f"ConfigMap {chart}"]["data"].items() if n.endswith(".sh")}
    assert "start.sh" in scripts
    for text in scripts.values():
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


@every_storm_chart
def test_a_daemon_that_starts_completes_its_settings(in_lane: InLane, chart: str, tmp_path: Path) -> None:
    objects = in_lane(chart)
    env = installed(objects, chart, tmp_path)
    secret = tmp_path / "secret.yaml"
    secret.write_text("storm.zookeeper.root: /stolen\nstorm.zookeeper.auth.payload: storm:secret")
    env |= {"STORM_SECRET_CONFIG": str(secret), "STORM_LOCAL_HOSTNAME": "a.example.org"}
    assert bash(tmp_path / "config" / "start.sh", "list", env=env).returncode == 0
    assert (tmp_path / "calls").read_text() == "list\n"
    assert [file.name for file in (tmp_path / "conf").iterdir()] == ["storm.yaml"]
    whole = yaml.safe_load((tmp_path / "conf" / "storm.yaml").read_text())
    more = {"storm.zookeeper.auth.payload": "storm:secret", "storm.local.hostname": "a.example.org"}
    assert whole == {**settings(objects, chart), **more}


def test_a_daemon_waits_for_zookeeper(in_lane: InLane, tmp_path: Path) -> None:
    env = installed(in_lane("nimbus"), "nimbus", tmp_path)
    with socket.socket() as zookeeper:
        zookeeper.bind(("127.0.0.1", 0))
        port = zookeeper.getsockname()[1]
        command = ["bash", str(tmp_path / "config" / "start.sh"), "nimbus"]
        env["STORM_ZOOKEEPER"] = f"127.0.0.1:1 127.0.0.1:{port}"
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as started:
            assert started.stdout is not None
            assert started.stdout.readline() == f"waiting for ZooKeeper: 127.0.0.1:1 127.0.0.1:{port}\n"
            assert not (tmp_path / "calls").exists()
            zookeeper.listen()
            assert started.wait(timeout=30) == 0
    assert (tmp_path / "calls").read_text() == "nimbus\n"


@every_storm_chart
def test_a_secret_holds_what_a_configmap_must_not(in_lane: InLane, chart: str) -> None:
    objects = in_lane(chart, configSecretName="mine")
    spec = objects[WORKLOADS[chart]]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["config-secret"]["secret"] == {"secretName": "mine"}
    assert volumes["conf"]["emptyDir"]["medium"] == "Memory"
    for container in spec["containers"]:
        assert environment(container)["STORM_SECRET_CONFIG"] == "/etc/storm-secret/storm.yaml"
    assert "STORM_SECRET_CONFIG" not in environment(
        in_lane(chart)[WORKLOADS[chart]]["spec"]["template"]["spec"]["containers"][0]
    )


def test_three_charts_agree(in_lane: InLane) -> None:
    """The charts tell their daemons the same about the lane."""
    config, *others = (settings(in_lane(chart), chart) for chart in CHARTS)
    for other in others:
        shared = config.keys() & other.keys() - {"nimbus.seeds"}
        assert len(shared) > 10
        assert {key: config[key] for key in shared} == {key: other[key] for key in shared}


def test_a_parent_chart_gives_the_lane_and_its_zookeeper(run: Callable[..., Any], charts: Path, tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    (parent / "charts").mkdir(parents=True)
    dependencies = []
    for chart in CHARTS:
        (parent / "charts" / chart).symlink_to(charts / chart)
        dependencies.append({"name": chart, "version": "0.1.0", "repository": f"file://../{chart}"})
    metadata = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": dependencies}
    (parent / "Chart.yaml").write_text(json.dumps(metadata))
    given = {"Version": "2-coco", "Build": "1", "zookeeper": {"lane": "coco-1"}, "nimbus": {"replicas": 3}}
    done = run("template", "release", parent, values={"global": given, "ui": {"replicas": 2}})
    assert done.returncode == 0, done.stderr
    objects = {f"{o['kind']} {o['metadata']['name']}": o for o in yaml.safe_load_all(done.stdout) if o}
    assert objects["StatefulSet nimbus-2-coco-1"]["spec"]["replicas"] == 3
    for chart in CHARTS:
        config = yaml.safe_load(objects[f"ConfigMap {chart}-2-coco-1"]["data"]["storm.yaml"])
        assert config["storm.zookeeper.servers"] == ["zk-cs-coco-1.default.svc.cluster.local"]
    config = yaml.safe_load(objects["ConfigMap ui-2-coco-1"]["data"]["storm.yaml"])
    assert len(config["nimbus.seeds"]) == 3
