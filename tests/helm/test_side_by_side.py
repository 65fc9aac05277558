"""`sidelane check --side-by-side` on charts of others: without Version and Build, and without our labels."""

import pytest

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}"}
spec: {selector: SELECTOR, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}"}
spec:
  selector: {matchLabels: {app: web, release: "{{ .Release.Name }}"}}
  template:
    metadata: {labels: {app: web, release: "{{ .Release.Name }}"}}
    spec: {containers: [{name: web, image: "web:{{ .Values.tag }}", args: ["--peer={{ .Values.peer }}"]}]}
"""
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "{{ .Release.Name | trunc 8 }}"}
"""
DEFINITION = """\
# https://example.com/widgets.yaml
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Widget, plural: widgets}, versions: []}
"""


@pytest.fixture
def chart(tmp_path):
    """A chart whose Service parts releases."""
    folder = tmp_path / "web"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("tag: 1\npeer: none\n")
    (folder / "values.schema.json").write_text('{"additionalProperties": false, "properties": {"tag": {}, "peer": {}}}')
    write(folder, 'app: web, release: "{{ .Release.Name }}"')
    return folder


def write(folder, selector):
    (folder / "templates" / "web.yaml").write_text(SERVICE.replace("SELECTOR", f"{{{selector}}}"))


def clashes(sidelane, *arguments, code=1):
    report = sidelane.json("check", "./web", "--side-by-side", *arguments, code=code)["findings"]
    return [
        (finding["rule"], finding["object"]["kind"], finding["other"]["object"]["name"], finding["severity"])
        for finding in report
    ]


def test_a_chart_whose_releases_touch_nowhere_is_clean(sidelane, chart):

    output = sidelane("check", "./web", "--side-by-side").stdout
    assert output == "6 objects, 13 rules: clean\n"


def test_a_selector_that_also_matches_the_other_release_is_named_with_both_places(sidelane, chart):
    write(chart, "app: web")
    assert clashes(sidelane, code=1) == [("foreign-selectors", "Service", "web-coco-2", "error")]
    assert "selects the pods of Deployment web-coco-2" in sidelane("check", "./web", "--side-by-side", code=1).stdout


def test_a_cut_name_without_a_namespace_is_clashingin_both_pairs(sidelane, chart):
    (chart / "templates" / "role.yaml").write_text(ROLE)
    assert clashes(sidelane) == [("cluster-objects", "ClusterRole", "web-coco", "error")]
    assert "(" not in sidelane("check", "./web", "--side-by-side", code=1).stdout


def test_a_name_of_the_release_without_a_namespace_clashes_in_two_namespaces_only(sidelane, chart):
    (chart / "templates" / "role.yaml").write_text(ROLE.replace(" | trunc 8", ""))
    assert clashes(sidelane) == [("cluster-objects", "ClusterRole", "web-coco-1", "error")]
    output = " ".join(sidelane("check", "./web", "--side-by-side", code=1).stdout.split())
    assert "refuses to install the second (one release in two namespaces)" in output


def test_equal_definitions_under_crds_are_a_warning(sidelane, chart):
    (chart / "crds").mkdir()
    (chart / "crds" / "widgets.yaml").write_text(DEFINITION)
    name = "widgets.example.com"
    assert clashes(sidelane, code=0) == [("cluster-objects", "CustomResourceDefinition", name, "warning")]


def test_values_that_differ_reach_the_first_and_the_second_release(sidelane, chart):
    clashing = clashes(sidelane, "--vary", "peer=none,web-coco-1", "--vary", "tag=1,2")
    assert clashing == [("other-names", "Deployment", "web-coco-1", "error")]


def test_a_lane_chart_is_compared_in_lanes(sidelane):
    report = sidelane.json("check", "zookeeper", "--side-by-side", "--lane", "2-coco-7", "--vary", "replicas=3,5")
    assert (report["clean"], report["findings"]) == (True, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("zookeeper", "--side-by-side", "--vary", "replicas"), "'replicas' is not KEY=A,B"),
        (("zookeeper", "--side-by-side", "--vary", "a=1,2,3"), "'a=1,2,3' is not KEY=A,B"),
        (("zookeeper", "--lane", "coco-1", "--vary", "replicas=3,5"), "--vary needs --side-by-side"),
        (("-", "--side-by-side"), "--side-by-side needs a chart"),
    ],
)
def test_wrong_usage_is_told(sidelane, arguments, told):
    assert told in " ".join(sidelane("check", *arguments, code=2).stderr.split())
