"""The record: what is said of a release, where it came from, and what is never said."""

import asyncio
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from sidelane import Client
from sidelane.charts.chart import Chart
from sidelane.errors import ChartNotFound, InvalidManifest, ReleaseNotFound
from sidelane.releases.provenance import Record, carried, origin
from sidelane.support import secrets

PINNED = "registry.example/web@sha256:" + "0123456789abcdef" * 4
CHART = """\
{{- define "labels" }}{"app": "web-coco-1", "sidelane.dev/version": coco, "sidelane.dev/build": "1",
  "sidelane.dev/lane": coco-1}{{ end }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-coco-1, labels: {{ include "labels" . }}}
spec:
  selector: {matchLabels: {app: web-coco-1}}
  template:
    metadata: {labels: {{ include "labels" . }}}
    spec:
      initContainers: [{name: first, image: "busybox:1"}]
      containers: [{name: web, image: "PINNED", env: [{name: DB_PASSWORD, value: {{ .Values.db.password }}}]}]
---
apiVersion: v1
kind: Secret
metadata: {name: web-coco-1, labels: {{ include "labels" . }}}
stringData: {url: "db://{{ .Values.db.password }}@db"}
""".replace("PINNED", PINNED)


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "web"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.2.3+b4\nappVersion: '9'\n")
    (folder / "templates" / "all.yaml").write_text(CHART)
    (folder / "values.yaml").write_text("Version: ''\nBuild: ''\ndb: {password: ''}\n")
    return folder


def recorded(root, chart, helm, password="hunter2"):
    client = Client(namespace="streams", directory=root, allow_secrets=True, helm=helm)
    client.install(chart, "coco-1", values={"db": {"password": password}, "note": "naïve {{ x }}"})
    return (root / "streams" / "web-coco-1" / "record.json").read_text()


def test_a_record_is_what_in_toto_and_slsa_say(chart, helm, tmp_path):
    statement = json.loads(recorded(tmp_path / "root", chart, helm))
    Statement.copy_from_pb(json_format.ParseDict(statement, StatementMessage())).validate()
    json_format.ParseDict(statement["predicate"], provenance_pb2.Provenance())  # an unknown field is an error
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    names = [subject["name"] for subject in statement["subject"]]
    assert names == ["web-coco-1", "Secret/streams/web-coco-1", "Deployment.apps/streams/web-coco-1"]
    build = statement["predicate"]["buildDefinition"]
    assert build["externalParameters"]["values"] == {
        "db": {"password": "(hidden)"}, "note": "naïve {{ x }}", "Version": "coco", "Build": "1",
    }  # fmt: skip
    images = [
        dependency for dependency in build["resolvedDependencies"] if dependency.get("annotations") == {"kind": "image"}
    ]
    assert images == [
        {"name": "busybox:1", "annotations": {"kind": "image"}},
        {"name": PINNED, "digest": {"sha256": "0123456789abcdef" * 4}, "annotations": {"kind": "image"}},
    ]
    assert build["resolvedDependencies"][0]["annotations"] == {"version": "1.2.3+b4", "appVersion": "9"}


def test_no_secret_is_in_a_record_and_no_digest_tells_two_apart(chart, helm, tmp_path):
    texts = [recorded(tmp_path / password, chart, helm, password) for password in ("hunter2", "letmein")]
    assert "hunter2" not in texts[0]
    assert Record.read(texts[0]).objects == Record.read(texts[1]).objects
    assert Record.read(texts[0]).digest == Record.read(texts[1]).digest
    (chart / "values.yaml").write_text("Version: ''\nBuild: ''\ndb: {password: ''}\nmore: 1\n")
    other = recorded(tmp_path / "other", chart, helm)
    assert Record.read(other).chart_digest != Record.read(texts[0]).chart_digest


def test_a_charts_digest_is_what_sha256sum_makes(chart):
    command = "find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1"
    done = subprocess.run(["sh", "-c", command], cwd=chart, capture_output=True, text=True, check=True)
    assert Chart.load(chart).digest == f"sha256:{done.stdout.strip()}"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[" * 100_000, "null", '{"_type": 1}', '{"predicate": {"buildDefinition": []}}']
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(InvalidManifest, match="not a statement of Sidelane's"):
        Record.read(text)


PIPELINES = {
    "none": ({}, "https://sidelane.dev/by-hand", ""),
    "github": (
        {
            "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b",
            "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1", "RUNNER_ENVIRONMENT": "github-hosted",
        },
        "https://github.com/actions/runner/github-hosted", "https://github.com/a/b/actions/runs/7/attempts/1",
    ),
    "gitlab": (
        {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.example/a/b", "CI_RUNNER_ID": "3",
         "CI_JOB_URL": "https://gitlab.example/a/b/-/jobs/9"},
        "https://gitlab.example/a/b/-/runners/3", "https://gitlab.example/a/b/-/jobs/9",
    ),
    "jenkins": (
        {"JENKINS_URL": "https://admin:hunter2@ci.example/", "BUILD_URL": "https://ci.example/job/a/4/"},
        "https://ci.example/", "https://ci.example/job/a/4/",
    ),
    "azure": (
        {"TF_BUILD": "True", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/o/", "SYSTEM_TEAMPROJECT": "p",
         "BUILD_BUILDID": "5"},
        "https://dev.azure.com/o/p", "https://dev.azure.com/o/p/_build/results?buildId=5",
    ),
    "its own": (
        {"SIDELANE_BUILDER": "https://argo.example", "SIDELANE_RUN": "https://argo.example/w/1", "GITLAB_CI": "true"},
        "https://argo.example", "https://argo.example/w/1",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("environment", "builder", "run"), PIPELINES.values(), ids=PIPELINES)
def test_the_pipeline_is_read_from_its_variables(environment, builder, run):
    pipeline = asyncio.run(origin.of([], environment))
    assert (pipeline.builder, pipeline.run, pipeline.commits) == (builder, run, ())


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example", "-C", folder, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    (folder / "file").write_text("1")
    git("add", "-A")
    git("commit", "-qm", "One")
    git("remote", "add", "origin", "https://oauth2:hunter2@git.example/a/b.git")
    return folder, git


def test_a_commit_is_named_with_its_repository_and_whether_it_is_clean(repository, monkeypatch):
    folder, git = repository
    (folder / "inner").mkdir()
    for clean in (True, False):
        monkeypatch.setattr(origin, "_COMMITS_OF", origin.Shared(0.0))
        (commit,) = asyncio.run(origin.of([folder / "inner", folder], {})).commits
        assert commit == ("https://git.example/a/b.git", git("rev-parse", "HEAD"), clean)
        (folder / "other").write_text("not committed")
    assert commit.to_json()["uri"] == "git+https://git.example/a/b.git"


def test_without_git_the_pipelines_variables_name_the_commit(tmp_path, monkeypatch):
    variables = {"CI_COMMIT_SHA": "a" * 40, "CI_PROJECT_URL": "https://gitlab.example/a/b"}
    for path in (os.environ["PATH"], str(tmp_path)):  # no repository there, and no git at all
        monkeypatch.setenv("PATH", path)
        (commit,) = asyncio.run(origin.of([tmp_path, tmp_path / "gone"], variables)).commits
        assert commit == ("https://gitlab.example/a/b", "a" * 40, None)
    assert asyncio.run(origin.of([tmp_path], {"CI_COMMIT_SHA": "not a commit"})).commits == ()


def test_one_commit_is_asked_for_once_for_many_releases(repository, monkeypatch):
    folder, _ = repository
    asked = []
    commit = origin._commit

    async def counted(path):
        asked.append(path)
        return await commit(path)

    async def many():
        monkeypatch.setattr(origin, "_COMMITS_OF", origin.Shared(60.0))
        return await asyncio.gather(*(origin.of([folder], {}) for _ in range(20)))

    monkeypatch.setattr(origin, "_commit", counted)
    assert len(set(asyncio.run(many()))) == 1
    assert asked == [folder]


def test_a_chart_carries_its_record_and_is_not_changed(chart):
    before = Chart.load(chart).digest
    with carried.carrying(Chart.load(chart)) as carrier:
        carrier.write("web-coco-1", "coco-1", '{"a": "}}"}')
        assert (carrier.path / "values.yaml").is_symlink()
        assert {path.name for path in (carrier.path / "templates").iterdir()} == {"all.yaml", "sidelane-record.yaml"}
    assert not carrier.path.exists()
    assert Chart.load(chart).digest == before


def test_without_kube_system_the_record_has_no_uid(chart, helm):
    with carried.carrying(Chart.load(chart)) as carrier:
        carrier.write("web-coco-1", "coco-1", '{"cluster": {"a-mark": ""}}', mark="a-mark")
        # Without a cluster every lookup finds nothing.
        manifest = subprocess.run(
            [helm, "template", "web-coco-1", carrier.path], check=True, capture_output=True, text=True
        ).stdout
    statement = json.loads(carried.apart(manifest, "web-coco-1").statement)
    assert statement["cluster"].keys() == {"kubernetes", "namespaceLabels", "namespaceQuotas"}


def test_a_package_that_would_unpack_beside_itself_is_refused(tmp_path, chart):
    path = tmp_path / "evil.tgz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(chart / "Chart.yaml", "web/Chart.yaml")
        archive.add(chart / "values.yaml", "web/../../evil.yaml")
    with (
        pytest.raises(ChartNotFound, match="has a path outside its folder"),
        carried.carrying(Chart.load(path)),
    ):
        pass
    assert not Path(tmp_path.parent, "evil.yaml").exists()


def test_secrets_are_hidden_wherever_they_stand():
    values = {"a": {"apiKey": 7, "list": [{"token": "t0k"}, "x"]}, "on": True, "secretName": "s", "token": ""}
    assert secrets.secret_texts(values) == {"7", "t0k"}
    assert secrets.without_secrets(values) == {
        "a": {"apiKey": "(hidden)", "list": [{"token": "(hidden)"}, "x"]}, "on": True, "secretName": "s", "token": "",
    }  # fmt: skip
    variables = {"env": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "COLOUR", "value": "t0k!"}]}
    assert secrets.without_secrets(variables, texts=frozenset({"t0k"}))["env"][1]["value"] == "(hidden)!"
    assert secrets.without_secrets(variables)["env"][0]["value"] == "(hidden)"


def test_a_directory_is_held_against_its_records(helm, tmp_path):
    client = Client(namespace="streams", directory=tmp_path / "root", helm=helm)
    client.install("zookeeper", "coco-1")
    client.install("zookeeper", "coco-2")
    assert [result.state for result in client.verify(lane="coco-1")] == ["unchanged"]
    manifest = tmp_path / "root" / "streams" / "zookeeper-coco-1" / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("replicas: 3", "replicas: 4"))
    (result,) = client.verify("zookeeper", "coco-1")
    assert (result.state, result.changed) == ("changed", ("StatefulSet.apps/streams/zk-coco-1 is changed",))
    (tmp_path / "root" / "streams" / "zookeeper-coco-2" / "record.json").unlink()
    assert [result.state for result in client.verify(lane="coco-2")] == ["unrecorded"]
    with pytest.raises(ReleaseNotFound, match="has no record"):
        client.record("zookeeper", "coco-2")


def test_operational_values_may_change_and_the_record_stays(helm, tmp_path):
    client = Client(namespace="streams", directory=tmp_path, helm=helm)
    client.install("zookeeper", "coco-1")
    before = client.record("zookeeper", "coco-1").text
    client.upgrade("zookeeper", "coco-1", values={"networkPolicy": {"enabled": True}})
    (result,) = client.verify(lane="coco-1")
    assert (result.state, result.operational) == ("unchanged", ("values: networkPolicy.enabled: false → true",))
    assert client.record("zookeeper", "coco-1").text == before


def test_the_command_shows_the_statement(sidelane, helm, tmp_path):
    client = Client(namespace="streams", directory=tmp_path, helm=helm)
    client.install("zookeeper", "coco-1")
    shown = sidelane("record", "zookeeper", "--lane", "coco-1", "-n", "streams", "--directory", tmp_path).stdout
    assert json.loads(shown) == client.record("zookeeper-coco-1").to_json()


@pytest.mark.parametrize("name", ["record-web-coco-1", '"record-web-coco-1"'])
def test_a_carried_record_is_found_whether_its_name_is_quoted_or_not(name):
    """The charts' own template quotes it, on an upgrade, and the carried template does not."""
    made = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web-coco-1\n"
    document = f"kind: ConfigMap\nmetadata:\n  name: {name}\n  labels: {{sidelane.dev/record: statement}}\n"
    parts = carried.apart(f"---\n{made}---\n{document}data: {{statement.json: '{{}}'}}\n", "web-coco-1")
    assert (parts.text, parts.statement) == (f"---\n{made}", "{}")
    other = carried.apart(f"---\n{made}---\n{document}data: {{statement.json: '{{}}'}}\n", "web-coco-2")
    assert other.statement is None
