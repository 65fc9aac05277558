"""The output of the command line: JSON in one way, ages, and the text for an empty result."""

import json
import re

import pytest
from sidelane.helm import durations

one_helm = pytest.mark.parametrize("helm", ["helm3"], indirect=True)  # what is printed does not depend on Helm


def keys(node):
    if isinstance(node, dict):
        yield from node.items()
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from keys(inner)


@one_helm
def test_every_verb_and_every_error_writes_json_in_one_way(sidelane, tmp_path):
    (tmp_path / "lane.yaml").write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
        "releases: [{chart: zookeeper}]\n"
    )
    at = ["--directory", "root", "-o", "json"]
    lane = ["--lane", "coco-1"]
    outputs = [
        sidelane("charts", "-o", "json").stdout,
        sidelane("check", "zookeeper", *lane, "-o", "json").stdout,
        sidelane("plan", "lane.yaml", *at).stdout,
        sidelane("apply", "lane.yaml", *at).stdout,
        sidelane("install", "zookeeper", *lane, *at).stdout,
        sidelane("list", *at).stdout,
        sidelane("list", "--lane", "coco-2", *at).stdout,
        sidelane("status", "zookeeper-coco-1", *at).stdout,
        sidelane("status", *lane, *at).stdout,
        sidelane("verify", *lane, *at).stdout,
        sidelane("diff", "coco-1", "lane.yaml", *at).stdout,
        sidelane("graph", *at).stdout,
        sidelane("route", "list", *at).stdout,
        sidelane("bundle", "coco-1.tar.gz", *lane, *at).stdout,
        sidelane("replay", "coco-1.tar.gz", *at).stdout,
        sidelane("retire", *lane, "--dry-run", *at).stdout,
        sidelane("install", "zookeeper", *lane, "--set", "replicas=5", *at, code=1).stderr,
        sidelane("status", "zookeeper-coco-9", *at, code=1).stderr,
        sidelane("uninstall", "zookeeper-coco-1", *at).stdout,
    ]
    (tmp_path / "odd.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: é-→}\n")
    outputs.append(sidelane("check", "odd.yaml", "-o", "json", code=1).stdout)
    for text in outputs:
        value = json.loads(text)
        assert text == json.dumps(value, indent=2) + "\n"
        assert text.isascii()
        for key, inner in keys(value):
            assert inner is not None, f"{key} is not known, and is not left out: {text}"
            assert re.fullmatch(r"[a-z][A-Za-z]*", key), key


@one_helm
def test_a_list_shows_ages_and_an_empty_one_says_where_it_looked(sidelane, tmp_path):
    at = ["--directory", "root", "-n", "streams"]
    for more, what in (([], "release"), (["--lane", "coco-2"], "release of lane coco-2")):
        done = sidelane("list", *more, *at)
        assert done.stdout == ""
        assert done.stderr == f"there is no {what} in namespace streams of the directory 'root'\n"
    assert sidelane("list", "-A", "--directory", "root").stderr == "there is no release in any namespace\n"
    sidelane("install", "zookeeper", "--lane", "coco-1", *at)
    header, row = sidelane("list", *at).stdout.splitlines()
    assert header.split() == ["NAME", "LANE", "STATUS", "REVISION", "AGE", "CHART"]
    assert re.fullmatch(r"\d+s|-", row.split()[4])


WHERE = "in namespace streams of the directory 'root'"


@one_helm
@pytest.mark.parametrize(
    ("command", "says", "empty"),
    [
        ("list", f"there is no release {WHERE}", []),
        ("list --lane coco-2", f"there is no release of lane coco-2 {WHERE}", []),
        ("route list", f"there is no route {WHERE}", []),
        ("route list --lane coco-2", f"there is no route of lane coco-2 {WHERE}", []),
        ("retire --keep 2", f"there is no lane to retire {WHERE}: --keep 2 keeps them all", []),
        (
            "retire --keep 2 --of coco --yes",
            f"there is no lane of the Version coco to retire {WHERE}: --keep 2 keeps them all",
            [],
        ),
        (
            "graph --lane coco-2",
            "there is no release and no route of lane coco-2 in namespace streams",
            {"namespace": "streams", "lanes": [], "routes": []},
        ),
    ],
)
def test_an_empty_output_says_what_is_not_there_and_where_and_is_a_whole_document(sidelane, command, says, empty):
    at = ["--directory", "root", "-n", "streams"]
    done = sidelane(*command.split(), *at)
    assert (done.stdout + done.stderr).strip() == says
    assert json.loads(sidelane(*command.split(), *at, "-o", "json").stdout) == empty


@one_helm
def test_a_lane_has_the_records_of_its_releases(sidelane):
    at = ["--directory", "root"]
    sidelane("install", "zookeeper", "--lane", "coco-1", *at)
    (record,) = json.loads(sidelane("record", "--lane", "coco-1", *at).stdout)
    assert record == json.loads(sidelane("record", "zookeeper-coco-1", *at).stdout)
    assert "Name a release, or a lane" in sidelane("record", *at, code=2).stderr
    assert "one release's record" in sidelane("record", "--lane", "coco-1", "--sign-key", "key.pem", *at, code=2).stderr


@one_helm
def test_a_chart_without_values_or_objects_says_so(sidelane, tmp_path):
    (tmp_path / "bare" / "templates").mkdir(parents=True)
    (tmp_path / "bare" / "Chart.yaml").write_text("apiVersion: v2\nname: bare\nversion: 0.1.0\n")
    at = ["--directory", "root", "-n", "streams"]
    assert sidelane("charts", "./bare").stderr == "the chart bare has no values\n"
    shown = json.loads(sidelane("charts", "./bare", "-o", "json").stdout)
    assert shown["values"] == {}
    done = sidelane("render", "./bare", "--lane", "coco-1")
    assert (done.stdout.strip(), done.stderr) == ("", "the chart ./bare renders no object in coco-1\n")
    for lane in ("coco-1", "coco-2"):
        sidelane("install", "./bare", "--lane", lane, *at)
    assert sidelane("status", "bare-coco-1", *at).stdout.endswith("\nthe release has no object\n")
    same = sidelane("diff", "coco-1", "coco-2", *at)
    assert (same.stdout, same.stderr) == ("", "coco-1 and coco-2 have no difference\n")
    assert json.loads(sidelane("diff", "coco-1", "coco-2", *at, "-o", "json").stdout)["differences"] == []


@pytest.mark.parametrize(
    ("age", "text"), [(-1, "0s"), (119.9, "119s"), (120, "2m"), (10_799, "179m"), (10_800, "3h"), (172_800, "2d")]
)
def test_ages_are_written_as_kubectl_writes_them(age, text):
    assert durations.written(age) == text
