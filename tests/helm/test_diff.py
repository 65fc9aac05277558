"""Lanes compared without their names, in a directory, and as text."""

import json

import pytest
from generated import tiny_service
from sidelane import Client, Lane
from sidelane.checks.report.diff import render_differences
from sidelane.errors import InvalidName, InvalidRoute, ReleaseNotFound
from sidelane.lanes.diff import Side, compare, neutral
from sidelane.manifest import Manifest


@pytest.fixture
def client(helm, tmp_path):
    return Client(namespace="streams", directory=tmp_path / "root", helm=helm)


def side(lane, text, label="a"):
    return Side(label, Lane.parse(lane), {"it": Manifest.read(text.replace("LANE", lane))})


def config(data, name="c-LANE"):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: n}}\ndata: {json.dumps(data)}\n"


def changes(first, other):
    return [(each.difference.path, each.difference.before, each.difference.after) for each in
            compare(side(*first), side(*other, "b")).differences]  # fmt: skip


def test_only_the_lane_differs():
    data = {"host": "zk-LANE-0.zk-hs-LANE.n.svc:2181,zk-LANE-1.zk-hs-LANE", "path": "/storm/LANE", "it": "LANE"}
    assert changes(("coco-1", config(data)), ("2-coco-17", config(data))) == []


def test_what_only_looks_like_a_lane_is_compared():
    assert changes(("coco-1", config({"a": "coco-12"})), ("coco-2", config({"a": "coco-22"}))) == [
        ("data.a", "coco-12", "coco-22")
    ]
    # A lane of digits alone is a name's end, and nothing else: this is a range.
    assert changes(("1-4", config({"a": "ports 1-4"})), ("1-5", config({"a": "ports 1-5"}))) == [
        ("data.a", "ports 1-4", "ports 1-5")
    ]
    assert changes(("1-4", config({"a": "zk-1-4"})), ("1-5", config({"a": "zk-1-5"}))) == []


def test_versions_and_builds_count_where_they_are_not_the_lanes():
    labels = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s-LANE\n  labels: {%s}\n"
    own = '"sidelane.dev/version": %s, "sidelane.dev/build": "%s", "app.kubernetes.io/version": %s'
    first, other = labels % (own % ("coco", 1, "coco")), labels % (own % ("mocha", 2, "mocha"))
    assert changes(("coco-1", first), ("mocha-2", other)) == [
        ("metadata.labels[app.kubernetes.io/version]", "coco", "mocha")
    ]


def test_checksums_of_what_is_compared_itself_are_not():
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: p-LANE, annotations: {checksum/config: %s, other: %s}}\n"
    first, other = (text % (digit * 64, digit * 64) for digit in "ab")
    assert [path for path, *_ in changes(("coco-1", first), ("coco-2", other))] == ["metadata.annotations.other"]


def test_secrets_are_compared_and_not_shown():
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s-LANE}\nstringData: {a: %s}\n"
    assert changes(("coco-1", secret % "hunter2"), ("coco-2", secret % "letmein")) == [
        ("stringData.a", "(hidden)", "(hidden)")
    ]
    (gone,) = compare(side("coco-1", secret % "hunter2"), Side("b", Lane("coco", 2), {"it": Manifest(())})).differences
    assert "hunter2" not in json.dumps(gone.to_json())


def test_an_object_keeps_its_kind_and_its_place():
    (obj,) = neutral(Manifest.read(config({}).replace("LANE", "coco-1")), Lane("coco", 1))
    assert (obj.name, obj.identity.namespace) == ("c-{lane}", "{namespace}")


def test_two_lanes_a_release_and_a_file(client, tmp_path, helm):
    client.install("zookeeper", "coco-1")
    client.install("zookeeper", "2-coco-7", values={"config": {"tickTime": 3000}})
    comparison = client.diff("coco-1", "2-coco-7")
    assert [change.difference.path for change in comparison.differences] == ["data[zoo.cfg]"]
    assert comparison.to_json()["sides"] == ["coco-1", "2-coco-7"]
    assert client.diff("zookeeper-coco-1", "coco-1").only == (("", "zookeeper-coco-1"), ("zookeeper", "coco-1"))
    assert client.diff("coco-1", "coco-1").same
    assert client.diff("coco-1").same  # nothing runs in a directory
    file = tmp_path / "lane.yaml"
    file.write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: '9-next', Build: '1'}\n"
        "releases:\n- chart: zookeeper\n  values: {replicas: 5}\n"
    )
    assert [change.difference.path for change in client.diff("coco-1", str(file)).differences] == [
        "data[zoo.cfg]", "spec.replicas",
    ]  # fmt: skip


def test_a_file_with_a_route_to_services_of_other_names_is_rendered(client, sidelane, tmp_path):
    """Nothing says there which labels the pods have."""
    file = tmp_path / "lane.yaml"
    file.write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
        "releases: [{chart: zookeeper}]\n"
        "routes: [{service: web, weights: {coco-2: 1}, targetService: 'podinfo-{lane}-api'}]\n"
    )
    assert client.diff(str(file), str(file)).same
    assert "services" in sidelane("guard", "role", "apply", file, "-n", "streams").stdout
    file.write_text(file.read_text().replace("{lane}", "{lame}"))
    with pytest.raises(InvalidRoute, match="unknown placeholder"):
        client.diff(str(file), str(file))


def test_a_file_knows_its_namespace_and_its_routes(tmp_path, helm):
    """The lane is where the file says, not where the client happens to be; and it has the file's route."""
    tiny_service(tmp_path / "tiny")
    file = tmp_path / "lane.yaml"
    file.write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
        "namespace: streams\nreleases: [{chart: ./tiny, name: svc1, serviceVersion: v1}]\n"
        "routes: [{service: svc1, weights: {v1: 1}}]\n"
    )
    elsewhere = Client(namespace="elsewhere", directory=tmp_path / "root", helm=helm)
    elsewhere.apply(file)
    comparison = elsewhere.diff("coco-1", str(file))
    assert (comparison.same, comparison.only) == (True, ())
    there = Client(namespace="streams", directory=tmp_path / "root", helm=helm)
    there.routes.set("svc1", "coco-1", values={"targetPort": 8080})
    (changed,) = elsewhere.diff(str(file), "coco-1").differences
    assert (changed.release, changed.difference.path) == ("route-svc1", "spec.ports[http].targetPort")
    with pytest.raises(ReleaseNotFound):
        elsewhere.diff("coco-1", str(file), namespace="elsewhere")


@pytest.mark.parametrize(("reference", "error"), [("Coco", InvalidName), ("coco-9", ReleaseNotFound),
                                                  ("zookeeper-coco-9", ReleaseNotFound)])  # fmt: skip
def test_what_is_not_there_is_told(client, reference, error):
    with pytest.raises(error):
        client.diff(reference, reference)


def test_the_text_is_a_unified_diff_by_fields():
    lines = [f"line {number}" for number in range(1, 30)]
    other = ["line first", *lines[1:19], "line twenty", *lines[20:]]
    first = config({"long": "\n".join(lines) + "\n", "short": "a", "gone": "g"})
    two = config({"long": "\n".join(other) + "\n", "short": "b"}) + "---\n" + config({}, "new-LANE")
    comparison = compare(side("coco-1", first), side("coco-2", two, "b"))
    changed = [(each.release, each.difference) for each in comparison.differences]
    text = render_differences(("coco-1", "coco-2"), changed, [("storm", "coco-2")])
    assert text == (
        "--- coco-1\n+++ coco-2\n+release storm\n"
        "\nit: ConfigMap c-{lane}\n@@ data.gone @@\n-g\n"
        "@@ data.long, line 1 @@\n-line 1\n+line first\n line 2\n line 3\n line 4\n"
        "@@ data.long, line 17 @@\n line 17\n line 18\n line 19\n-line 20\n+line twenty\n line 21\n line 22\n line 23\n"
        "@@ data.short @@\n-a\n+b\n"
        "\nit: ConfigMap new-{lane}\n+the whole object\n"
    )
    assert render_differences(("a", "b"), [], []) == ""
    assert "\033[31m-g\033[0m\n" in render_differences(("a", "b"), changed, [], colour=True)


def test_the_command(client, tmp_path, sidelane):
    client.install("zookeeper", "coco-1")
    client.install("zookeeper", "coco-2")
    client.install("zookeeper", "coco-3", values={"replicas": 5})
    at = ("--directory", tmp_path / "root", "-n", "streams")
    assert sidelane("diff", "coco-1", "coco-2", *at).stdout == ""
    done = sidelane("diff", "coco-1", "coco-3", *at, code=1)
    assert "\n@@ spec.replicas @@\n-3\n+5\n" in done.stdout
    assert "\033" not in done.stdout
    assert sidelane.json("diff", "coco-1", "coco-3", *at, code=1)["same"] is False
    sidelane("diff", "coco-1", "Nonsense", *at, code=2)
