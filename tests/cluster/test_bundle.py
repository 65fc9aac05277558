"""A lane bundled, its working tree deleted, and made again: in a directory, and on a second control plane."""

import functools
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cluster.test_routes import put_endpoints
from command_line import CommandLine
from controlplane import ControlPlane
from generated import tiny_service
from sidelane import Client
from sidelane.errors import Refused, ReleaseConflict

pytestmark = pytest.mark.either_helm

ZOOKEEPER = Path(__file__).parents[2] / "charts" / "zookeeper"
ROUTE = ZOOKEEPER.with_name("route")
# Nothing is there: whoever asks anybody but the cluster fails at once.
NOWHERE = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}


class ServerAlone(ControlPlane):
    """A control plane in which objects are kept and nothing runs."""

    def _start_the_rest(self):
        """None."""


@pytest.fixture
def second(programs):
    """Another cluster, which knows nothing of the first."""
    with ServerAlone(programs) as plane:
        yield plane


@pytest.fixture
def tree(tmp_path):
    """A checkout of somebody's own: a copy of the chart, in git."""
    folder = tmp_path / "tree"
    shutil.copytree(ZOOKEEPER, folder / "zookeeper")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "All"]):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example", *command], cwd=folder, check=True
        )  # fmt: skip
    return folder


def digests(record):
    """The digests of the objects: of the whole and of each, by name."""
    return record["subject"]


def test_a_bundle_makes_the_same_lane_anywhere(cluster, namespace, helm, second, tree, tmp_path):
    first = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    first.install(tree / "zookeeper", "coco-1", values={"replicas": 1, "networkPolicy": {"enabled": True}})
    made = first.record("zookeeper", "coco-1").to_json()
    file = tmp_path / "coco-1.tar.gz"
    bundle = first.bundle("coco-1", file, charts=[tree / "zookeeper"])
    assert first.bundle("coco-1", tmp_path / "again.tar.gz", charts=[tree / "zookeeper"]).digest == bundle.digest
    assert first.diff("coco-1", str(file)).same
    first.uninstall("zookeeper", "coco-1")
    shutil.rmtree(tree)

    replay = functools.partial(CommandLine(tmp_path, helm, **NOWHERE).json, "replay", file)
    into = replay("--directory", tmp_path / "root")
    onto = replay("--kubeconfig", second.kubeconfig, "--create-namespace")
    assert [release["digest"] for release in into["releases"]] == [release["digest"] for release in onto["releases"]]
    elsewhere = Client(namespace=namespace, kubeconfig=second.kubeconfig, helm=helm)
    written = json.loads((tmp_path / "root" / namespace / "zookeeper-coco-1" / "record.json").read_text())
    remade = elsewhere.record("zookeeper", "coco-1").to_json()
    assert digests(made) == digests(written) == digests(remade)
    sources = remade["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert {"name": "bundle", "digest": {"sha256": bundle.digest.removeprefix("sha256:")}} in sources
    (there,) = elsewhere.verify(lane="coco-1")
    assert (there.recorded, there.changed, there.missing, there.drift) == ("there", (), (), ())
    assert replay("--kubeconfig", second.kubeconfig)["releases"][0]["change"] == "unchanged"


def test_routes_come_with_their_lane_and_are_routes_again(cluster, namespace, client, plain, helm, tmp_path):
    """Also a route in a release of another name than its own."""
    chart = tiny_service(tmp_path / "tiny")
    for version in ("v1", "v2"):
        put_endpoints(cluster, namespace, f"svc1-{version}-coco-1", 1, ready=True)
        client.install(chart, "coco-1", name="svc1", service_version=version)
    to_v1 = ("--set", "name=svc1,targets[0].serviceVersion=v1,targets[0].weight=1")
    plain("install", "front", ROUTE, "--set", "Version=coco", "--set-string", "Build=1", *to_v1)
    client.routes.set("svc1", "coco-1", {"v2": 1})  # with the number of the revision that this is, which holds once
    service = cluster.get(f"/api/v1/namespaces/{namespace}/services/svc1-coco-1")["spec"]["selector"]
    file = tmp_path / "coco-1.tar.gz"
    made = [
        (release.name, release.manifest.digest()) for release in client.bundle("coco-1", file, charts=[chart]).releases
    ]
    assert client.retire("coco-1", drain="0s").releases == ("front", "svc1-v1-coco-1", "svc1-v2-coco-1")

    written = Client(directory=tmp_path / "root", helm=helm).replay(file)
    done = client.replay(file)
    for each in (written, done):
        names = [release.name for release in each.releases]
        assert list(zip(names, each.digests, strict=True)) == made
        assert [release.change for release in each.releases] == ["created"] * 3
    assert cluster.get(f"/api/v1/namespaces/{namespace}/services/svc1-coco-1")["spec"]["selector"] == service
    assert "record-front" not in cluster.names(f"/api/v1/namespaces/{namespace}/configmaps")
    assert [release.change for release in client.replay(file).releases] == ["unchanged"] * 3
    changed = client.routes.set("svc1", "coco-1", {"v1": 1})
    assert (changed.change, changed.release.name) == ("changed", "front")
    with pytest.raises(ReleaseConflict, match="front exists and differs from the bundle's"):
        client.replay(file)
    assert str(client.routes.show("svc1", "coco-1").route.split) == "v1=1"


def test_what_a_replay_would_make_otherwise_is_told_and_nothing_is_installed(cluster, namespace, helm, tmp_path):
    """A chart that renders for the cluster's version is made again where that is the same, and refused elsewhere."""
    chart = tmp_path / "picky"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: picky\nversion: 0.1.0\n")
    lane = "{{ .Values.Version }}-{{ .Values.Build }}"
    (chart / "templates" / "c.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: picky-{lane}\n  labels:\n    app: picky-{lane}\n"
        "    sidelane.dev/version: {{ .Values.Version }}\n    sidelane.dev/build: {{ .Values.Build | quote }}\n"
        f"    sidelane.dev/lane: {lane}\ndata:\n  is: {{{{ .Capabilities.KubeVersion.Version }}}}\n"
    )
    offline = Client(namespace=namespace, directory=tmp_path / "root", helm=helm)
    offline.install(chart, "coco-1")
    file = tmp_path / "coco-1.tar.gz"
    offline.bundle("coco-1", file, charts=[chart])
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    with pytest.raises(Refused, match=r"(?s)this cluster.*ConfigMap picky-coco-1: data\.is: \"v"):
        client.replay(file)
    assert client.list() == ()
    client.install(chart, "coco-1")
    client.bundle("coco-1", file, charts=[chart])
    elsewhere = Client(namespace=namespace, directory=tmp_path / "elsewhere", helm=helm)
    elsewhere.replay(file)
    version = cluster.get("/version")["gitVersion"]
    text = (tmp_path / "elsewhere" / namespace / "picky-coco-1" / "manifest.yaml").read_text()
    assert f"is: {version}" in text


def test_two_lanes_and_the_cluster_compared(cluster, namespace, helm, sidelane):
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    for lane in ("coco-1", "2-coco-7"):
        client.install("zookeeper", lane, values={"replicas": 1})
    assert client.diff("coco-1", "2-coco-7").to_json() == {
        "same": True, "sides": ["coco-1", "2-coco-7"], "only": [], "differences": [],
    }  # fmt: skip
    client.install("zookeeper", "coco-2", values={"replicas": 3})
    assert [str(change.difference.path) for change in client.diff("coco-1", "coco-2").differences] == [
        "data[zoo.cfg]", "spec.replicas", "spec.template.spec.containers[zookeeper].env[POD_IP]",
    ]  # fmt: skip
    assert client.diff("coco-1").same
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/zk-coco-1"
    cluster.patch(path, {"spec": {"replicas": 0}})
    cluster.delete(f"/api/v1/namespaces/{namespace}/services/zk-cs-coco-1")
    done = sidelane("diff", "zookeeper-coco-1", code=1)
    assert done.stdout == (
        "--- zookeeper-coco-1\n+++ the cluster\n"
        "\nzookeeper-coco-1: Service zk-cs-coco-1\n-the whole object\n"
        "\nzookeeper-coco-1: StatefulSet zk-coco-1\n@@ spec.replicas @@\n-1\n+0\n"
    )
