"""The deployment file on the directory target: read, planned, applied as one."""

import errno
import functools
import http.server
import json
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections import Counter

import pytest
from chart_registry import certificate, registry
from generated import tiny_chart
from routed_directory import put
from sidelane import Client
from sidelane.errors import (
    ApplyFailed,
    ChartNotFound,
    CheckFailed,
    InvalidDeployment,
    InvalidInput,
    InvalidLane,
    ReleaseConflict,
    TimedOut,
)
from sidelane.lanes.deployment import read
from sidelane.releases.stores.directory import DirectoryTarget

LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
namespace: streams
releases:
  - chart: zookeeper
    version: ^0.1
  - chart: ./tiny
    name: svc1
    serviceVersion: v1
    valuesFiles: [defaults.yaml]
    values: {replicas: 2}
    needs: [zookeeper]
  - chart: ./tiny
    name: svc1
    serviceVersion: v2
    needs: [zookeeper, svc1-v1]
"""


@pytest.fixture
def file(tmp_path):
    folder = tmp_path / "git"
    tiny_chart(folder / "tiny")
    (folder / "defaults.yaml").write_text("replicas: 9\ntext: from a file\n")
    (folder / "lane.yaml").write_text(LANE)
    return folder / "lane.yaml"


@pytest.fixture
def client(helm, tmp_path):
    return Client(directory=tmp_path / "root", helm=helm)


@pytest.fixture
def in_streams(helm, tmp_path):
    return Client(directory=tmp_path / "root", helm=helm, namespace="streams")


def change(file, old, new):
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def actions(plan):
    return {step.release: step.action for step in plan.steps}


NAMES = ["zookeeper-coco-1", "svc1-v1-coco-1", "svc1-v2-coco-1"]


def test_a_lane_goes_in_as_one_and_the_same_again_changes_nothing(client, file, tmp_path):
    assert actions(client.plan(file)) == dict.fromkeys(NAMES, "create")
    assert not (tmp_path / "root").exists(), "a plan changes nothing"
    applied = client.apply(file)
    assert [(release.name, release.change) for release in applied.releases] == [(name, "created") for name in NAMES]
    written = {path: path.read_bytes() for path in (tmp_path / "root" / "streams").rglob("*") if path.is_file()}
    assert "replicas: 2\n" in written[tmp_path / "root/streams/svc1-v1-coco-1/values.yaml"].decode()
    assert 'text: "from a file"' in written[tmp_path / "root/streams/svc1-v1-coco-1/values.yaml"].decode()
    assert actions(client.plan(file)) == dict.fromkeys(NAMES, "unchanged")
    assert {release.change for release in client.apply(file).releases} == {"unchanged"}
    assert {path: path.read_bytes() for path in written} == written


def test_another_lane_of_the_same_file(client, file):
    client.apply(file)
    beside = client.apply(file, version="2-coco", build=7, namespace="tests")
    assert [(release.name, release.namespace) for release in beside.releases] == [
        (name.replace("coco-1", "2-coco-7"), "tests") for name in NAMES
    ]
    assert {release.change for release in client.apply(file).releases} == {"unchanged"}


def test_operational_values_scale_and_everything_else_is_refused(client, file):
    client.apply(file)
    change(file, "{replicas: 2}", "{replicas: 3}")
    plan = client.plan(file)
    assert actions(plan) == dict(zip(NAMES, ["unchanged", "scale", "unchanged"], strict=True))
    assert plan.steps[1].why == ('ConfigMap svc1-v1-coco-1: data.replicas: "2" → "3"',)
    assert [release.change for release in client.apply(file).releases] == ["unchanged", "upgraded", "unchanged"]
    change(file, "{replicas: 3}", "{replicas: 4, text: other}")
    (refused,) = client.plan(file).refused
    assert "these values must not change: text (operational values: replicas)" in refused.why[0]
    with pytest.raises(ReleaseConflict, match="nothing was changed in coco-1") as error:
        client.apply(file)
    assert "coco-2, the next free Build" in error.value.remedy
    assert actions(client.plan(file, build=2)) == dict.fromkeys([f"{name[:-1]}2" for name in NAMES], "create")


def test_what_is_refused_keeps_the_rest_from_being_created(in_streams, file):
    client = in_streams
    client.install("zookeeper", "coco-1", values={"replicas": 5})
    with pytest.raises(ReleaseConflict):
        client.apply(file)
    assert [release.name for release in client.list()] == ["zookeeper-coco-1"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kind: LaneDeployment", "kind: Deployment", "kind: 'Deployment' is not 'LaneDeployment'"),
        ("needs: [zookeeper]", "need: [zookeeper]", "releases[1].need: unknown key 'need'; did you mean 'needs'?"),
        ("needs: [zookeeper]", "needs: [zoo]", "svc1-v1-coco-1 needs 'zoo-coco-1', which is not in the file"),
        ("needs: [zookeeper]", "needs: [svc1-v2]", "these releases need one another: svc1-v1-coco-1, svc1-v2-coco-1"),
        ("version: ^0.1", "version: ^99", "the chart zookeeper here is 0.1.0, not ^99"),
        ("serviceVersion: v2", "serviceVersion: v1", "releases[2]: svc1-v1-coco-1 is a duplicate of releases[1]"),
        ("  - chart: zookeeper\n", "  - chart: zookeeper\n    values: {replica: 1}\n", "did you mean 'replicas'?"),
        ("defaults.yaml", "nowhere.yaml", "can't be read: No such file"),
        ("{Version: coco, ", "{Version: cs-coco, ", "the Version 'cs-coco'"),
        ("./tiny", "./huge", "there is no chart at"),
        ("namespace: streams", "namespace: Streams", "namespace: 'Streams' is not text that matches"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place(client, file, old, new, says, tmp_path):
    change(file, old, new)
    with pytest.raises((InvalidInput, InvalidLane)) as error:
        client.apply(file)
    assert says in str(error.value)
    assert not (tmp_path / "root").exists()


def test_every_mistake_is_told_at_once(client, file):
    change(file, "serviceVersion: v2", "serviceVersion: V2")
    change(file, "  - chart: zookeeper\n", "  - chart: zookeeper\n    values: {replica: 1}\n")
    with pytest.raises(InvalidDeployment) as error:
        client.plan(file)
    assert [mistake.partition(":")[0] for mistake in error.value.errors] == ["releases[0]", "releases[2]"]


def test_a_chart_that_breaks_the_contract_stops_all_before_anything_is_written(client, file, tmp_path):
    template = file.parent / "tiny" / "templates" / "c.yaml"
    template.write_text(template.read_text().replace("-{{ $lane }}\n  labels", "\n  labels"))
    with pytest.raises(CheckFailed):
        client.apply(file)
    assert not (tmp_path / "root").exists()


def test_yaml_beyond_the_limits_is_refused(client, file):
    file.write_text("a: &a [x]\n" + "b: " + "[" * 200 + "]" * 200)
    with pytest.raises(Exception, match="nested more than 100 levels deep"):
        read(file)


@pytest.fixture
def full(tmp_path):
    """A disk that is nearly full, or the test can't be played here."""
    place = tmp_path / "full"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "none", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    yield place
    subprocess.run(["umount", place], check=True)


def test_what_the_lane_has_beyond_the_file_is_shown_and_left_alone(client, in_streams, file, sidelane, tmp_path):
    client.apply(file)
    tiny = file.parent / "tiny"
    in_streams.install(tiny, "coco-1", name="svc9", service_version="v1")
    in_streams.install(tiny, "coco-10", name="svc9", service_version="v1")  # another lane's
    put(tmp_path / "root", "v1", lane="coco-1", service="svc8", namespace="streams")
    in_streams.routes.set("svc8", "coco-1", {"v1": 1})
    plan = client.plan(file)
    assert [release.name for release in plan.extra] == ["route-svc8-coco-1", "svc8-v1-coco-1", "svc9-v1-coco-1"]
    assert (actions(plan), plan.refused, plan.remedy) == (dict.fromkeys(NAMES, "unchanged"), (), "")
    assert plan.to_json()["extra"][2] == {"release": "svc9-v1-coco-1", "chart": "tiny-0.1.0", "status": "deployed"}
    client.apply(file)
    assert len(in_streams.list("coco-1")) == 6
    done = sidelane("plan", file, "--directory", tmp_path / "root")
    assert "svc9-v1-coco-1     tiny-0.1.0       extra\n" in done.stdout
    assert done.stdout.endswith("\n\nextra: in the lane but not in the file; apply does not change it\n")
    change(file, "releases:", "routes: [{service: svc8, weights: {v1: 1}}]\nreleases:")
    assert [release.name for release in client.plan(file).extra] == ["svc8-v1-coco-1", "svc9-v1-coco-1"]


def test_a_full_disk_leaves_nothing_half_done_and_the_next_run_converges(helm, file, full):
    client = Client(directory=full / "root", helm=helm)
    filler = full / "filler"
    filler.write_bytes(b"x" * 60_000)
    with pytest.raises(OSError, match="No space left") as error:
        client.apply(file)
    assert error.value.errno == errno.ENOSPC
    there = {path.name for path in (full / "root" / "streams").iterdir()}
    assert not [name for name in there if name.startswith(".")]
    for name in there:
        assert (full / "root" / "streams" / name / "kustomization.yaml").read_text(), "whole or not at all"
    filler.unlink()
    applied = client.apply(file)
    assert {release.name for release in applied.releases} == set(NAMES)
    assert {release.name for release in applied.releases if release.change == "unchanged"} == there
    assert actions(client.plan(file)) == dict.fromkeys(NAMES, "unchanged")


def test_atomic_on_a_full_disk_removes_what_this_run_made_and_nothing_else(helm, file, full):
    client = Client(directory=full / "root", namespace="streams", helm=helm)
    client.install(file.parent / "tiny", "coco-1", name="svc1", service_version="v2")
    (full / "filler").write_bytes(b"x" * 50_000)
    with pytest.raises(OSError, match="No space left"):
        client.apply(file, atomic=True)
    assert [release.name for release in client.list()] == ["svc1-v2-coco-1"]


def test_of_two_runs_at_once_one_brings_the_lane_and_the_other_is_told(sidelane, client, file, tmp_path):
    running = [sidelane.begin("apply", file, "--directory", tmp_path / "root", "-o", "json") for _ in range(2)]
    said = [process.communicate() for process in running]
    for process, (stdout, stderr) in zip(running, said, strict=True):
        if process.returncode:  # or it came so late that it found the lane as it should be
            assert "another process is applying to coco-1" in stderr
        else:
            assert {each["change"] for each in json.loads(stdout)["releases"]} <= {"created", "unchanged"}
    assert 0 in [process.returncode for process in running]
    assert actions(client.plan(file)) == dict.fromkeys(NAMES, "unchanged")


def test_a_failure_says_what_failed_and_what_is_left(client, file, monkeypatch):
    create = DirectoryTarget._create

    async def fails(self, order, rendering, statement):
        if rendering.release == "svc1-v1-coco-1":
            raise TimedOut("not ready in time", remedy="wait longer")
        return await create(self, order, rendering, statement)

    monkeypatch.setattr(DirectoryTarget, "_create", fails)
    with pytest.raises(ApplyFailed) as error:
        client.apply(file)
    assert error.value.exit_code == 3
    assert error.value.done == ("zookeeper-coco-1",)
    assert "not begun: svc1-v2-coco-1" in error.value.problem
    assert list(error.value.to_json()["errors"]) == ["svc1-v1-coco-1"]


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_failure_names_the_command_that_continues(sidelane, file, tmp_path, output):
    typed = ["apply", str(file), "--parallel", "1", "--directory", str(tmp_path / "in git"), "-o", output]
    obstacle = tmp_path / "in git" / "streams" / "zookeeper-coco-1"
    obstacle.mkdir(parents=True)
    failed = sidelane(*typed, code=1)
    remedy = json.loads(failed.stderr)["remedy"] if output == "json" else failed.stderr
    command = re.search("then run `sidelane (apply .+)` again: it continues from here", remedy)[1]
    assert shlex.split(command) == typed
    obstacle.rmdir()
    sidelane(*shlex.split(command))


@pytest.fixture
def repository(helm, tmp_path):
    """A chart repository with three versions of the tiny chart, and how often each file was asked for."""
    chart, folder = tiny_chart(tmp_path / "tiny"), tmp_path / "repository"
    for version in ("0.1.0", "0.2.0", "1.0.0"):
        for command in (["package", chart, "--version", version, "-d", folder], ["repo", "index", folder]):
            subprocess.run([helm, *command], check=True, capture_output=True)
    asked = Counter()

    class Files(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked[self.path] += 1
            super().do_GET()

        def log_message(self, *_):
            pass

    handler = functools.partial(Files, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_chart_from_a_repository_by_a_range_of_versions(client, file, repository, tmp_path, monkeypatch):
    address, asked = repository
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for versions in ("^0.1", "'>=0.1'"):
        remote = f"chart: tiny\n    repo: {address}\n    version: {versions}"
        file.write_text(file.read_text().replace("chart: ./tiny", remote, 1))
    plan = client.plan(file)
    assert [step.chart for step in plan.steps[1:]] == ["tiny-0.1.0", "tiny-1.0.0"]
    assert [release.change for release in client.apply(file).releases] == ["created"] * 3
    assert asked["/tiny-0.1.0.tgz"] == asked["/tiny-1.0.0.tgz"] == 2, "once a run"
    assert actions(client.plan(file)) == dict.fromkeys(NAMES, "unchanged")
    change(file, "version: ^0.1\n    name", "version: ~0.2.0\n    name")
    change(file, "{replicas: 2}", "{replicas: 2, text: other}")
    (refused,) = client.plan(file).refused
    assert (refused.release, refused.chart) == ("svc1-v1-coco-1", "tiny-0.2.0")
    change(file, "version: ~0.2.0", "version: ^7")
    with pytest.raises(ChartNotFound):
        client.plan(file)
    assert not list((tmp_path / "temporary").iterdir())


def test_a_chart_from_an_oci_registry_by_a_range_of_versions(helm, client, file, tmp_path, monkeypatch, unavailable):
    if not shutil.which("openssl"):
        unavailable("no openssl here, which makes the registry's certificate")
    packages = {}
    for version in ("0.1.0", "0.2.0", "1.0.0"):
        command = [helm, "package", file.parent / "tiny", "--version", version, "-d", tmp_path]
        subprocess.run(command, check=True, capture_output=True)
        packages[version] = (tmp_path / f"tiny-{version}.tgz").read_bytes()
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with registry("tiny", packages, pem) as reference:
        for versions in ("~0.1.0", "^0"):
            remote = f"chart: {reference}\n    version: {versions}"
            file.write_text(file.read_text().replace("chart: ./tiny", remote, 1))
        assert [step.chart for step in client.plan(file).steps[1:]] == ["tiny-0.1.0", "tiny-0.2.0"]
        assert [release.change for release in client.apply(file).releases] == ["created"] * 3
        assert actions(client.plan(file)) == dict.fromkeys(NAMES, "unchanged")
        for wanted in ("^7", "7.0.0"):
            file.write_text(re.sub("version: (.0|7.*)\n", f"version: {wanted}\n", file.read_text()))
            with pytest.raises(ChartNotFound):
                client.plan(file)


def test_routes_are_made_after_the_releases_and_then_left_alone(client, in_streams, file, tmp_path):
    template = file.parent / "tiny" / "templates" / "service.yaml"
    template.write_text(
        '{{- $lane := printf "%s-%s" .Values.Version .Values.Build }}\napiVersion: v1\nkind: Service\nmetadata:\n'
        "  name: {{ .Values.name }}-{{ .Values.serviceVersion }}-{{ $lane }}\n  labels: &labels\n"
        "    app: {{ .Values.name }}-{{ $lane }}\n    version: {{ .Values.serviceVersion }}\n"
        "    sidelane.dev/version: {{ .Values.Version | quote }}\n    sidelane.dev/build: {{ .Values.Build | quote }}\n"
        "    sidelane.dev/lane: {{ $lane | quote }}\nspec:\n  selector:\n    app: {{ .Values.name }}-{{ $lane }}\n"
        "    version: {{ .Values.serviceVersion }}\n    sidelane.dev/lane: {{ $lane | quote }}\n"
        "  ports: [{name: http, port: 80}]\n"
    )
    file.write_text(LANE + "routes:\n  - {service: svc1, weights: {v1: 1}}\n")
    assert [(step.release, step.action) for step in client.plan(file).routes] == [("route-svc1-coco-1", "create")]
    (made,) = client.apply(file).routes
    assert (made.change, str(made.route.split)) == ("created", "v1=1")
    in_streams.routes.set("svc1", "coco-1", {"v2": 1})
    assert [step.action for step in client.plan(file).routes] == ["kept"]
    assert client.apply(file).routes == ()
    assert str(in_streams.routes.show("svc1", "coco-1").route.split) == "v2=1", "an apply sets no weights back"
    change(file, "weights: {v1: 1}", "weights: {v1: -1}")
    with pytest.raises(InvalidDeployment, match=r"routes\[0\]\.weights\.v1: -1 is not at least 0"):
        client.plan(file)
