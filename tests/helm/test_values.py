import json
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sidelane import Lane
from sidelane.charts import flags, strvals, values
from sidelane.charts.chart import Chart
from sidelane.errors import InvalidInput, InvalidManifest, InvalidValues


@pytest.fixture
def chart(tmp_path):
    """A chart with a schema that has a bit of everything; its template prints the values that it gets."""
    folder = tmp_path / "sample"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: sample\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("Version: ''\nBuild: ''\nreplicas: 3\nstorage: {size: 1Gi, class: fast}\n")
    (folder / "templates" / "v.yaml").write_text("values: {{ .Values | toJson }}\n")
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "Version": {},
            "Build": {},
            "global": {"type": "object"},
            "replicas": {"type": "integer", "minimum": 1, "maximum": 7},
            "mode": {"enum": ["a", "b"]},
            "adminPassword": {"type": "integer"},
            "quantity": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+Gi$"}]},
            "storage": {
                "type": "object",
                "additionalProperties": False,
                "required": ["size"],
                "properties": {"size": {"type": "string"}, "class": {"type": "string", "minLength": 1}},
            },
        },
    }
    (folder / "values.schema.json").write_text(json.dumps(schema))
    return Chart.load(folder)


def errors_of(chart, given_values):
    with pytest.raises(InvalidValues) as refused:
        values.validate(chart, given_values)
    return refused.value.errors


def test_every_error_is_told_at_once_each_with_its_path(chart):
    errors = errors_of(chart, {"replica": 3, "replicas": 9, "mode": "c", "storage": {"size": 5, "clas": "x"}})
    assert errors == (
        "mode: 'c' is not one of 'a', 'b'",
        "replica: unknown key 'replica'; did you mean 'replicas'?",
        "replicas: 9 is not at most 7",
        "storage.clas: unknown key 'clas'; did you mean 'class'?",
        "storage.size: 5 is not text",
    )


def test_good_values_pass(chart):
    values.validate(chart, {"replicas": 5, "mode": "a", "quantity": "5Gi", "storage": {"class": "slow"}})


@pytest.mark.parametrize(
    ("given_values", "error"),
    [
        ({"replicas": "three"}, "replicas: 'three' is not a whole number"),
        ({"replicas": True}, "replicas: true is not a whole number"),
        ({"storage": {"size": None}}, "storage.size: is required but missing"),
        ({"storage": {"class": ""}}, "storage.class: '' is not text of at least 1 character"),
        ({"storage": []}, "storage: a list is not a mapping"),
        ({"quantity": "5"}, "quantity: '5' is not a whole number or text that matches ^[0-9]+Gi$"),
        (
            {"zzz": 1},
            "zzz: unknown key 'zzz'; it has Build, Version, adminPassword, global, mode, quantity, replicas, storage",
        ),
    ],
)
def test_one_error_says_what_would_be_right(chart, given_values, error):
    assert errors_of(chart, given_values) == (error,)


def test_a_schema_that_leads_out_of_the_chart_is_left_to_helm_and_a_broken_one_is_told(chart, tmp_path):
    for schema in ({"$ref": "https://127.0.0.1:1/x.json"}, {"$ref": "./other.json"}):
        (chart.path / "values.schema.json").write_text(json.dumps(schema))
        values.validate(Chart.load(chart.path), {"replicas": "three"})
    (chart.path / "values.schema.json").write_text('{"type": "number of members"}')
    with pytest.raises(InvalidValues, match="the schema of sample is invalid"):
        values.validate(Chart.load(chart.path), {})


def test_unknown_keys_behind_a_reference_are_told_with_what_is_known(chart):
    schema = {"properties": {"a": {"$ref": "#/definitions/a"}}}
    schema["definitions"] = {"a": {"additionalProperties": False, "properties": {"size": {}}}}
    (chart.path / "values.schema.json").write_text(json.dumps(schema))
    lists = errors_of(Chart.load(chart.path), {"a": {"sise": 1}})
    assert lists == ("a.sise: unknown key 'sise'; did you mean 'size'?",)


def test_a_secret_value_is_never_shown(chart):
    with pytest.raises(InvalidValues) as refused:
        values.validate(chart, {"adminPassword": "hunter2"})
    assert "hunter2" not in str(refused.value)
    assert "adminPassword: (hidden) is not a whole number" in str(refused.value)


def test_version_and_build_are_always_text(chart):
    got = values.with_lane({"replicas": 1}, Lane("2-coco", 10000000), chart)
    assert got == {"replicas": 1, "Version": "2-coco", "Build": "10000000"}


@pytest.mark.parametrize("given_values", [{"Version": "other"}, {"Build": 2}, {"global": {"Version": "other"}}])
def test_values_that_name_another_lane_are_refused(chart, given_values):
    with pytest.raises(InvalidValues, match="the lane is 2-coco-1"):
        values.with_lane(given_values, Lane("2-coco", 1), chart)


def test_the_same_lane_in_the_values_is_no_conflict(chart):
    assert values.with_lane({"Version": "2-coco", "Build": 1}, Lane("2-coco", 1), chart)["Build"] == "1"


def test_a_chart_that_keeps_its_lane_in_global_gets_it_there(tmp_path):
    (tmp_path / "Chart.yaml").write_text("name: outer\nversion: 0.1.0\n")
    schema = {"properties": {"global": {"properties": {"Version": {}, "Build": {}}}}}
    (tmp_path / "values.schema.json").write_text(json.dumps(schema))
    chart = Chart.load(tmp_path)
    got = values.with_lane({"global": {"team": "a"}}, Lane("coco", 1), chart)
    assert got == {"global": {"team": "a", "Version": "coco", "Build": "1"}}


def test_files_come_before_flags_and_later_over_earlier(tmp_path):
    (tmp_path / "a.yaml").write_text("a: {x: 1, z: [1, 2]}\nb: 08\n")
    (tmp_path / "b.yaml").write_text("a: {z: [3]}\n")
    (tmp_path / "secret.txt").write_text("s3cret\n")
    got = flags.gather(
        [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")],
        set=["a.x=2,c=true"],
        set_string=["d=true"],
        set_json=['e={"f": [1]}'],
        set_file=[f"g={tmp_path}/secret.txt"],
    )
    assert got == {"a": {"x": 2, "z": [3]}, "b": 8, "c": True, "d": "true", "e": {"f": [1]}, "g": "s3cret\n"}


def test_a_file_that_is_not_there_or_no_mapping_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="can't be read: No such file"):
        flags.gather([str(tmp_path / "none.yaml")])
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(InvalidInput, match="must be a mapping"):
        flags.gather([str(tmp_path / "list.yaml")])
    (tmp_path / "broken.yaml").write_text("a: [\n")
    with pytest.raises(InvalidManifest, match=r"broken\.yaml, line"):
        flags.gather([str(tmp_path / "broken.yaml")])


STEPS = st.sampled_from(["a", "b", "a.b", "a[0]", "b[1].c", "a[0][1]", "c\\.d", "e f"])
SCALARS = [  # an empty value in a list is not among them: Helm 4 drops the whole list
    "1",
    "01",
    "-7",
    "0",
    "1.5",
    "1e3",
    "true",
    "False",
    "null",
    "x y",
    "a\\,b",
    "{x,1,}",
    "{}",
    "{a}b",
    "=",
    "+5",
    "9" * 19,
]
SETS = st.lists(st.tuples(STEPS, st.sampled_from(SCALARS)).map("=".join), min_size=1, max_size=3).map(",".join)


def test_set_means_what_it_means_to_helm(helm, chart, tmp_path):
    """Helm takes the same values that we take; values that Helm would drop in silence are refused."""
    (chart.path / "values.schema.json").unlink()
    (chart.path / "values.yaml").unlink()
    accepted = []

    @given(SETS)
    def collect(text):
        ours = {}
        try:
            strvals.set_into(ours, text)
        except InvalidInput:
            return
        accepted.append((text, ours))

    collect()
    assert len(accepted) > 10
    for text, ours in accepted[:: max(1, len(accepted) // 15)]:
        done = subprocess.run(
            [helm, "template", "x", chart.path, "--set", text], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (text, ours, done.stderr)
        theirs = json.loads(done.stdout.partition("values: ")[2])
        # Helm then leaves out a null that stands over nothing, and adds an empty global.
        assert {key: value for key, value in theirs.items() if key != "global"} == values.coalesce({}, ours), text


@pytest.mark.parametrize(
    "text", ["a", "a=1,b", "a[x]=1", "a[70000]=1", "a[-1]=1", "a={1", "=1", "a.=1", "a=1,a.b=2", "." * 40 + "=1"]
)
def test_set_that_helm_would_not_take_is_refused(text):
    with pytest.raises(InvalidInput, match="--set: "):
        strvals.set_into({}, text)


@pytest.mark.parametrize("text", ["a={", "a=1 2", '{"a":1} x', "[" * 5000, "a=" + "[" * 100000])
def test_set_json_that_is_not_json_is_refused(text):
    with pytest.raises(InvalidInput, match="--set-json: "):
        strvals.set_json_into({}, text)


def test_a_null_takes_a_default_away_as_in_helm(helm, chart):
    given_values = {"storage": {"class": None}, "replicas": None}
    done = subprocess.run(
        [helm, "template", "x", chart.path, "-f", "-"],
        input=json.dumps(given_values),
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    rendered = json.loads(done.stdout.partition("values: ")[2])
    assert {key: value for key, value in rendered.items() if key != "global"} == values.coalesce(
        chart.defaults, given_values
    )
