"""Numbers and lanes on every way that values come in: kept to the digit, or refused with their place."""

import json
import math

import pytest
from sidelane import Client, Lane
from sidelane.charts import flags, sources, strvals, values
from sidelane.charts.written_lane import in_values
from sidelane.errors import InvalidDeployment, InvalidInput, InvalidManifest, InvalidValues
from sidelane.lanes import deployment

DEPLOYMENT = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {lane}
releases:
  - chart: zookeeper
    values: {values}
"""
LANE = '{Version: coco, Build: "1"}'
DIGITS = "has digits that Helm would change: numbers must be below 2^53"

#: Values are refused before any Helm is run.
NO_HELM = "no helm is run"


@pytest.mark.parametrize("number", ["12e4567", "-1e400", "NaN", "Infinity", "-Infinity", "1" * 5000])
@pytest.mark.parametrize("text", ["image.tag={}", '{{"image": {{"tag": {}}}}}', "image=[{}]"])
def test_set_json_refuses_what_is_no_number(number, text):
    with pytest.raises(InvalidInput, match="--set-json: a value is not JSON, or a number out of range"):
        strvals.set_json_into({}, text.format(number))


@pytest.mark.parametrize("number", ["9007199254740993", "-123456789012345678", "1e16", "9007199254740993.0", "1e300"])
@pytest.mark.parametrize("way", ["yaml", "json", "set", "set_json", "deployment", "values_file", "sdk"])
def test_whole_numbers_beyond_a_float_are_refused_on_every_way(tmp_path, number, way):
    file = tmp_path / ("v.json" if way == "json" else "v.yaml")
    file.write_text(f'{{"image": {{"tag": {number}}}}}' if way == "json" else f"image:\n  tag: {number}\n")
    lane = tmp_path / "lane.yaml"
    if way == "set":
        if not number.lstrip("-").isdigit():
            assert flags.gather(set=[f"image.tag={number}"]) == {"image": {"tag": number}}  # text, as to Helm
            return
        read, where = (lambda: flags.gather(set=[f"image.tag={number}"])), "image.tag"
    elif way == "set_json":
        read, where = (lambda: flags.gather(set_json=[f"image.tag={number}"])), "image.tag"
    elif way == "sdk":
        given = {"image": {"tag": json.loads(number)}}
        read, where = (lambda: Client(helm=NO_HELM).render("zookeeper", "coco-1", values=given)), "image.tag"
    elif way in ("deployment", "values_file"):
        inline = f"{{image: {{tag: {number}}}}}" if way == "deployment" else f"{{}}\n    valuesFiles: [{file.name}]"
        lane.write_text(DEPLOYMENT.format(lane=LANE, values=inline))
        read = lambda: deployment.read(lane)  # noqa: E731
        where = f"{lane}: releases[0].values: image.tag" if way == "deployment" else f"{file}: image.tag"
    else:
        read, where = (lambda: flags.gather([str(file)])), f"{file}: image.tag"
    with pytest.raises(InvalidValues) as error:
        read()
    (problem,) = error.value.errors
    assert problem.startswith(f"{where}: ")
    assert problem.endswith(DIGITS)


def test_routes_of_a_deployment_file_are_held_to_the_same(tmp_path):
    lane = tmp_path / "lane.yaml"
    routes = "routes: [{service: svc1, weights: {v1: 1}, values: {port: 9007199254740993}}]\n"
    lane.write_text(DEPLOYMENT.format(lane=LANE, values="{}") + routes)
    with pytest.raises(InvalidValues, match=r"routes\[0\]\.values: port: 9007199254740993 has digits"):
        deployment.read(lane)


@pytest.mark.parametrize("number", [".inf", "-.Inf", ".nan"])
def test_infinity_in_a_file_is_refused(tmp_path, number):
    (tmp_path / "v.yaml").write_text(f"a: {number}\n")
    with pytest.raises(InvalidManifest, match="do not exist in JSON"):
        flags.gather([str(tmp_path / "v.yaml")])


@pytest.mark.parametrize("text", ["1e400", "NaN", "Infinity", "99999999999999999999e9999", "12e4567"])
def test_what_helm_reads_as_text_stays_the_same_text(tmp_path, text):
    (tmp_path / "v.yaml").write_text(f"a: {text}\n")
    (tmp_path / "v.json").write_text(f'{{"a": {text}}}\n')
    for name in ("v.yaml", "v.json"):
        assert flags.gather([str(tmp_path / name)]) == {"a": text}
    assert flags.gather(set=[f"a={text}"]) == {"a": text}


@pytest.mark.parametrize("given", [{"a": math.nan}, {"a": {1, 2}}, {"a": {1: "x"}}, ["a"], "text"])
def test_every_door_of_the_sdk_refuses_what_is_not_json(tmp_path, given):
    chart = sources.find("service")
    for call in (
        lambda: values.with_lane(given, Lane("coco", 1), chart),
        lambda: values.with_service(given, chart, name="svc1"),
        lambda: Client(directory=tmp_path, helm=NO_HELM).install("zookeeper", "coco-1", values=given),
        lambda: Client(directory=tmp_path, helm=NO_HELM).upgrade("zookeeper", "coco-1", values=given),
        lambda: Client(helm=NO_HELM).render("zookeeper", "coco-1", values=given),
        lambda: Client(helm=NO_HELM).check("zookeeper", "coco-1", values=given),
    ):
        with pytest.raises(InvalidValues):
            call()


MISREAD = [
    ("Build", "010", "the number 8", "10"),
    ("Build", "0x10", "the number 16", "16"),
    ("Build", "1e3", "the number 1000.0", "1000"),
    ("Build", "20_26", "the number 2026", "2026"),
    ("Build", "1.0", "the number 1.0", "1"),
    ("Build", "+1", "the number 1", "1"),
    ("Build", "0b11", "the number 3", "3"),
    ("Build", "2001-01-01", "a date or a number", "1"),
    ("Build", "12:30", "a date or a number", "1"),
    ("Build", "n", "false", "1"),
    ("Build", "~", "null", "1"),
    ("Version", "2.10", "the number 2.1", "2-10"),
    ("Version", "n", "false", "n"),
    ("Version", "on", "true", "on"),
    ("Version", "null", "null", "null"),
    ("Version", "22", "the number 22", "22"),
    ("Version", "1e3", "the number 1000.0", "1e3"),
    ("Version", "0o17", "the number 15", "0o17"),
    ("Version", "2001-01-01", "a date or a number", "2001-01-01"),
]


@pytest.mark.parametrize(("key", "text", "meaning", "instead"), MISREAD)
def test_a_lane_that_yaml_misreads_is_refused_with_what_to_write(tmp_path, key, text, meaning, instead):
    other = 'Build: "1"' if key == "Version" else "Version: coco"
    sentence = f'{key}: {text} without quotes is {meaning} to YAML; write {key}: "{instead}"'
    lane, file = tmp_path / "lane.yaml", tmp_path / "v.yaml"
    lane.write_text(DEPLOYMENT.format(lane=f"{{{other}, {key}: {text}}}", values="{}"))
    with pytest.raises(InvalidDeployment) as refused:
        deployment.read(lane, version="coco", build="1")
    assert refused.value.errors == (f"lane.{sentence}",)
    for place, written in (("", f"{key}: {text}\n"), ("global.", f"global: {{{key}: {text}}}\n")):
        file.write_text(written)
        with pytest.raises(InvalidValues) as error:
            flags.gather([str(file)])
        assert error.value.errors == (f"{file}: {place}{sentence}",)
        lane.write_text(DEPLOYMENT.format(lane=LANE, values="{}\n    valuesFiles: [v.yaml]"))
        with pytest.raises(InvalidValues):
            deployment.read(lane)
    lane.write_text(DEPLOYMENT.format(lane=LANE, values=f"{{{key}: {text}}}"))
    with pytest.raises(InvalidDeployment) as refused:
        deployment.read(lane)
    assert refused.value.errors == (f"releases[0].values.{sentence}",)


@pytest.mark.parametrize("written", ["lane: *anchor", "lane: {<<: *anchor}", "lane: {<<: [*anchor]}"])
def test_a_lane_behind_an_alias_is_held_to_the_same(tmp_path, written):
    lane = tmp_path / "lane.yaml"
    text = DEPLOYMENT.format(lane=LANE, values="{config: &anchor {Version: coco, Build: 010}}")
    head, rest = text.split("lane: ", 1)
    lane.write_text(head + rest.partition("\n")[2] + written + "\n")
    with pytest.raises(InvalidDeployment, match=r"lane\.Build: 010 without quotes is the number 8"):
        deployment.read(lane)


@pytest.mark.parametrize(
    ("lane", "version", "build"),
    [
        ('{Version: "22", Build: "1"}', "22", "1"),
        ("{Version: 2-coco, Build: 20261122}", "2-coco", "20261122"),
        ("{Version: '1-4-0', Build: 0}", "1-4-0", "0"),
    ],
)
def test_a_lane_that_reads_as_it_is_written_is_taken(tmp_path, lane, version, build):
    (tmp_path / "lane.yaml").write_text(DEPLOYMENT.format(lane=lane, values="{}"))
    assert deployment.read(tmp_path / "lane.yaml").lane == Lane(version, build)


def test_another_field_named_version_is_nobody_s_lane():
    assert in_values(b"image: {Version: 1.10}\n", {"image": {"Version": 1.1}}) == ()


@pytest.mark.parametrize(("key", "text"), [("version", "0.10"), ("name", "no"), ("serviceVersion", "1e3")])
def test_other_texts_of_a_release_are_told_as_they_were_written(tmp_path, key, text):
    written = DEPLOYMENT.format(lane=LANE, values="{}") + f"    {key}: {text}\n"
    (tmp_path / "lane.yaml").write_text(written)
    with pytest.raises(InvalidDeployment) as refused:
        deployment.read(tmp_path / "lane.yaml")
    assert refused.value.errors[0].startswith(f"releases[0].{key}: {text} without quotes is")
    assert refused.value.errors[0].endswith(f'write {key}: "{text}"')
