"""Values of great size: what Helm takes is installed with its record; what can't fit is refused and leaves nothing."""

import base64
import gzip
import json
import random
import subprocess

import pytest
from clusters import settled
from sidelane import Lane
from sidelane.charts import sources
from sidelane.errors import CheckFailed, TooLarge

pytestmark = pytest.mark.either_helm

LANE = Lane("coco", 1)
LABELS = (
    '{app: "two-{{ $l }}", sidelane.dev/version: "{{ $.Values.Version }}", sidelane.dev/build: "{{ $.Values.Build }}", '
    'sidelane.dev/lane: "{{ $l }}"}'
)


@pytest.fixture
def two(tmp_path):
    """helm/helm#6711: a chart with values that are spread over ConfigMaps, and one that may change."""
    folder = tmp_path / "two"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(
        "apiVersion: v2\nname: two\nversion: 0.1.0\nannotations: {sidelane.dev/operational-values: note}\n"
    )
    (folder / "values.yaml").write_text("Version: ''\nBuild: ''\nnote: first\nparts: {}\n")
    (folder / "templates" / "x.yaml").write_text(
        '{{- $l := printf "%s-%s" .Values.Version .Values.Build }}\n'
        '{{- range $k, $v := merge (dict "note" .Values.note) .Values.parts }}\n---\napiVersion: v1\nkind: ConfigMap\n'
        f"metadata:\n  name: two-{{{{ $k }}}}-{{{{ $l }}}}\n  labels: {LABELS}\n"
        "data:\n  f: {{ $v | quote }}\n{{- end }}\n"
    )
    return folder


TEXT = "lorem ipsum dolor sit amet, " * 19_000


def config_maps(cluster, namespace):
    return {item["metadata"]["name"]: item for item in cluster.list(f"/api/v1/namespaces/{namespace}/configmaps")}


def test_values_of_more_than_a_mebibyte_have_a_record(cluster, namespace, client, two, tmp_path):
    values = {"parts": {"a": TEXT, "b": TEXT}}
    assert len(json.dumps(values)) > 2**20
    assert client.install(two, LANE, values=values).change == "created"
    stored = config_maps(cluster, namespace)["record-two-coco-1"]
    record = client.record("two", LANE)
    assert record.values["parts"]["b"] == TEXT
    # With nothing but kubectl's jsonpath, base64 and gunzip.
    (key,) = stored["data"]
    assert key == "statement.json.gz"
    (tmp_path / "record").write_text(stored["data"][key])
    shell = f"base64 -d {tmp_path}/record | gunzip"
    printed = subprocess.run(shell, shell=True, capture_output=True, text=True, check=True).stdout
    assert printed == record.text
    assert stored["immutable"] is True
    assert client.install(two, LANE, values=values).change == "unchanged"
    client.upgrade(two, LANE, values={"note": "second"}, reuse_values=True)
    assert config_maps(cluster, namespace)["record-two-coco-1"]["metadata"]["uid"] == stored["metadata"]["uid"]
    assert [result.state for result in client.verify(lane=LANE)] == ["unchanged"]


def test_a_record_that_another_zlib_compressed_is_kept(cluster, namespace, client, two, monkeypatch):
    client.install(two, LANE, values={"parts": {"a": "x" * 100_000}})
    stored = config_maps(cluster, namespace)["record-two-coco-1"]["data"]
    assert list(stored) == ["statement.json.gz"]
    compress = gzip.compress
    monkeypatch.setattr("gzip.compress", lambda content, level, **more: compress(content, 1, **more))
    client.upgrade(two, LANE, values={"note": "second"}, reuse_values=True)
    assert config_maps(cluster, namespace)["record-two-coco-1"]["data"] == stored
    assert [result.state for result in client.verify(lane=LANE)] == ["unchanged"]


def test_an_upgrade_of_our_chart_with_helm_alone_keeps_a_large_record(cluster, namespace, client, plain):
    given = {"image": {"repository": "acme/svc1", "tag": "1"}, "podAnnotations": {"note": "x" * 100_000}}
    given["replicas"] = 1
    client.install("service", LANE, name="svc1", service_version="v1", values=given)
    before = config_maps(cluster, namespace)["record-svc1-v1-coco-1"]
    assert list(before["data"]) == ["statement.json.gz"]
    plain("upgrade", "svc1-v1-coco-1", sources.find("service").path, "--reuse-values", "--set", "replicas=2")
    after = config_maps(cluster, namespace)["record-svc1-v1-coco-1"]
    assert (after["data"], after["metadata"]["uid"]) == (before["data"], before["metadata"]["uid"])
    assert client.record("svc1-v1", LANE).values["podAnnotations"] == given["podAnnotations"]
    assert [result.state for result in settled(client, lane=LANE)] == ["unchanged"]


def noise(size):
    return base64.b64encode(random.Random(7).randbytes(size)).decode()


@pytest.mark.parametrize("size", [150_000, 220_000, 380_000])
def test_noise_that_plain_helm_takes_is_installed(cluster, namespace, client, plain, two, tmp_path, size):
    """Helm keeps values and objects, 1 MiB compressed; where a record with the values is too much, it has digests."""
    values = {"parts": {"a": noise(size)}}
    (tmp_path / "values.json").write_text(json.dumps(values))
    lane = ("--set-string", "Version=plain,Build=1")
    plain("install", "two-plain-1", two, "-f", tmp_path / "values.json", *lane)
    client.install(two, LANE, values=values)
    record = client.record("two", LANE)
    assert (record.values is None) is (size > 200_000)
    if size != 220_000:
        assert [result.state for result in client.verify(lane=LANE)] == ["unchanged"]
    else:
        client.upgrade(two, LANE, values={"note": "second"}, reuse_values=True)
        (result,) = client.verify(lane=LANE)
        assert (result.state, result.operational) == ("unchanged", ("values: operational ones are changed",))
        other = json.dumps({"parts": {"a": noise(size), "b": "more"}})
        (tmp_path / "values.json").write_text(other)
        plain("upgrade", "two-coco-1", two, "-f", tmp_path / "values.json", "--set-string", "Version=coco,Build=1")
        (result,) = client.verify(lane=LANE)
        assert result.state == "changed"
        assert result.changed[0] == "values: are changed, and the record has only their digest"


@pytest.mark.parametrize(
    ("values", "error", "problem"),
    [
        ({"parts": {"a": noise(500_000), "b": noise(400_000)}}, TooLarge, "in a Secret of at most 1 MiB"),
        ({"parts": {"a": noise(450_000)}}, TooLarge, "in a Secret of at most 1 MiB"),
        ({"parts": {name: noise(700_000) for name in "abcd"}}, TooLarge, "in a Secret of at most 1 MiB"),
        ({"parts": {"a": "x" * 1_100_000}}, CheckFailed, "ConfigMap two-a-coco-1 data: has 1100000 bytes"),
    ],
    ids=["record", "release", "request", "object"],
)
def test_what_can_t_fit_is_refused_and_leaves_nothing(cluster, namespace, client, two, values, error, problem):
    with pytest.raises(error, match=problem) as refused:
        client.install(two, LANE, values=values)
    assert refused.value.exit_code == 1
    assert list(config_maps(cluster, namespace)) == ["kube-root-ca.crt"]
    assert cluster.list(f"/api/v1/namespaces/{namespace}/secrets") == [], "Helm has no release"
