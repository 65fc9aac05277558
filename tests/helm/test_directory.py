"""The directory target, with real Helm rendering: whole or not at all, one writer at a time."""

import fcntl
import os
import re
import shutil
import subprocess
import sys

import pytest
from sidelane import Client, kubeyaml
from sidelane.errors import InvalidManifest, InvalidName, Refused, ReleaseConflict, ReleaseNotFound, TargetBusy
from sidelane.releases.stores import folders

FILES = {"manifest.yaml", "values.yaml", "chart.yaml", "kustomization.yaml", "hooks.yaml", "record.json"}


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def client(root, helm):
    return Client(namespace="streams", directory=root, helm=helm)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_two_lanes_lie_beside_each_other(client, root):
    assert client.install("zookeeper", "coco-1").change == "created"
    first = content(root / "streams" / "zookeeper-coco-1")
    assert client.install("zookeeper", "2-coco-1").change == "created"
    assert content(root / "streams" / "zookeeper-coco-1") == first
    assert set(first) == FILES
    assert [release.name for release in client.list()] == ["zookeeper-2-coco-1", "zookeeper-coco-1"]
    assert [release.name for release in client.list("2-coco-1")] == ["zookeeper-2-coco-1"]


def test_what_is_written_is_what_helm_rendered(client, root, helm):
    client.install("zookeeper", "coco-1")
    written = content(root / "streams" / "zookeeper-coco-1")
    rendered = client.render("zookeeper", "coco-1")
    for text in (written["manifest.yaml"] + written["hooks.yaml"]).decode().split("---\n"):
        assert text.strip() in rendered
    assert b"helm.sh/hook" not in written["manifest.yaml"]
    assert kubeyaml.read(written["values.yaml"]) == {"Version": "coco", "Build": "1"}
    assert kubeyaml.read(written["kustomization.yaml"])["resources"] == ["manifest.yaml"]


def test_the_same_again_writes_nothing(client, root):
    client.install("zookeeper", "coco-1")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    assert client.install("zookeeper", "coco-1").change == "unchanged"
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_other_content_for_a_lane_is_refused_with_the_fields_and_the_next_free_build(client, root):
    client.install("zookeeper", "coco-1")
    client.install("zookeeper", "coco-2")
    before = content(root)
    with pytest.raises(ReleaseConflict) as refused:
        client.install("zookeeper", "coco-1", values={"replicas": 5})
    assert any("spec.replicas: 3 → 5" in line for line in refused.value.differences)
    assert "coco-3" in refused.value.remedy
    assert content(root) == before


def test_operational_values_may_change_and_nothing_else(client, root):
    client.install("zookeeper", "coco-1", values={"replicas": 5})
    values = {"networkPolicy": {"enabled": True}}
    upgraded = client.upgrade("zookeeper", "coco-1", values=values, reuse_values=True)
    assert (upgraded.change, upgraded.revision) == ("upgraded", 2)
    after = content(root)
    assert b"kind: NetworkPolicy" in after["streams/zookeeper-coco-1/manifest.yaml"]
    assert client.upgrade("zookeeper", "coco-1", values=values, reuse_values=True).change == "unchanged"
    with pytest.raises(ReleaseConflict, match="must not change: replicas"):
        client.upgrade("zookeeper", "coco-1", values=values)  # as Helm: without reuse_values the rest is the default
    assert content(root) == after


def test_a_chart_that_is_not_the_deployed_one_can_not_upgrade(client, tmp_path):
    client.install("zookeeper", "coco-1")
    changed = shutil.copytree("charts/zookeeper", tmp_path / "zookeeper")
    values = changed / "values.yaml"
    values.write_text(re.sub(r"^replicas: 3", "replicas: 5", values.read_text(), flags=re.MULTILINE))
    with pytest.raises(ReleaseConflict, match="differs from the one that zookeeper-coco-1 was deployed with"):
        client.upgrade(changed, "coco-1")


def test_status_and_uninstall(client, root):
    client.install("zookeeper", "coco-1")
    client.install("zookeeper", "2-coco-1")
    status = client.status("zookeeper", "coco-1")
    assert ("StatefulSet", "zk-coco-1") in [(obj.kind, obj.name) for obj in status.objects]
    before = content(root / "streams" / "zookeeper-2-coco-1")
    assert client.uninstall("zookeeper-coco-1").status == "uninstalled"
    assert content(root / "streams" / "zookeeper-2-coco-1") == before
    for call in (client.status, client.uninstall):
        with pytest.raises(ReleaseNotFound, match="there is no release 'zookeeper-coco-1'"):
            call("zookeeper-coco-1")
    with pytest.raises(ReleaseNotFound):
        client.upgrade("zookeeper", "coco-1")


def test_what_is_not_there_is_looked_for_without_a_trace(client, root):
    for call in (client.status, client.uninstall):
        with pytest.raises(ReleaseNotFound):
            call("zookeeper-coco-1")
    assert client.list() == ()
    assert not root.exists()


def test_a_namespace_is_a_name_and_no_way_out(root, helm):
    for namespace in ("../x", "a/b", "", "X", ".", "x" * 64):
        if namespace:
            with pytest.raises(InvalidName):
                Client(namespace=namespace, directory=root, helm=helm).install("zookeeper", "coco-1")
    assert not root.exists()


@pytest.fixture
def with_secret(tmp_path):
    chart = tmp_path / "keys"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: keys\nversion: 0.1.0\n")
    (chart / "templates" / "s.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: keys-{{ .Values.Version }}-{{ .Values.Build }}\n  labels:\n"
        "    app: keys-{{ .Values.Version }}-{{ .Values.Build }}\n"
        "    sidelane.dev/version: {{ .Values.Version | quote }}\n    sidelane.dev/build: {{ .Values.Build | quote }}\n"
        "    sidelane.dev/lane: {{ .Values.Version }}-{{ .Values.Build }}\nstringData: {password: hunter2}\n"
    )
    return chart


def test_a_rendered_secret_is_refused_unless_asked_for(client, root, helm, with_secret):
    with pytest.raises(Refused, match="renders the Secret keys-coco-1") as refused:
        client.install(with_secret, "coco-1")
    assert "hunter2" not in str(refused.value)
    assert not list(root.rglob("*.yaml"))
    allowed = Client(namespace="streams", directory=root, helm=helm, allow_secrets=True)
    assert allowed.install(with_secret, "coco-1").change == "created"


@pytest.mark.parametrize(
    "left", ["staged install", "staged upgrade", "half moved upgrade", "moved upgrade", "half removed"]
)
def test_what_a_killed_writer_left_is_finished_or_cleared_by_the_next(client, root, left):
    """Each state that a kill -9 between two of the target's own steps can leave behind."""
    client.install("zookeeper", "coco-1")
    streams = root / "streams"
    whole = content(streams / "zookeeper-coco-1")
    client.install("zookeeper", "coco-9")
    other, place = streams / "zookeeper-coco-9", streams / "zookeeper-coco-1"
    match left:
        case "staged install":
            other.rename(streams / ".new-zookeeper-coco-9")
        case "staged upgrade":
            other.rename(streams / ".new-zookeeper-coco-1")
        case "half moved upgrade":
            other.rename(streams / ".new-zookeeper-coco-1")
            place.rename(streams / ".old-zookeeper-coco-1")
        case "moved upgrade":
            place.rename(streams / ".old-zookeeper-coco-1")
            other.rename(place)
        case "half removed":
            place.rename(streams / ".old-zookeeper-coco-1")
            (streams / ".old-zookeeper-coco-1" / "values.yaml").unlink()
    seen = {release.name for release in client.list()}
    assert not any(name.startswith(".") for name in seen)
    client.install("zookeeper", "3-coco-1")  # any writer
    assert not [path.name for path in streams.iterdir() if path.name.startswith(".")]
    if left in ("staged install", "staged upgrade"):
        assert content(place) == whole
    elif left == "half removed":
        assert not place.exists()
    else:
        assert set(content(place)) == FILES
        assert content(place) != whole


def test_a_write_that_fails_leaves_nothing(client, root, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        client.install("zookeeper", "coco-1")
    monkeypatch.undo()
    assert not list(root.rglob("*zookeeper*"))
    assert client.list() == ()


def test_a_second_writer_waits_and_then_says_so(client, root, monkeypatch):
    monkeypatch.setattr(folders, "LOCK_PATIENCE", 0.1)
    root.mkdir()
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TargetBusy, match="another process is writing"):
            client.install("zookeeper", "coco-1")
    assert client.install("zookeeper", "coco-1").change == "created"


def test_of_two_installs_of_one_lane_at_once_one_wins(root, helm):
    script = (
        "import sys\nfrom sidelane import Client\nfrom sidelane.errors import ReleaseConflict\n"
        f"client = Client(namespace='streams', directory={str(root)!r}, helm={str(helm)!r})\n"
        "try:\n    print(client.install('zookeeper', 'coco-1', values={'replicas': int(sys.argv[1])}).change)\n"
        "except ReleaseConflict:\n    print('refused')\n"
    )
    command = [sys.executable, "-c", script]
    racers = [subprocess.Popen([*command, str(size)], stdout=subprocess.PIPE, text=True) for size in (1, 3, 5)]
    said = sorted(racer.communicate()[0].strip() for racer in racers)
    assert said == ["created", "refused", "refused"]


def test_coordinates_that_are_none_are_told(client, root):
    client.install("zookeeper", "coco-1")
    (root / "streams" / "zookeeper-coco-1" / "chart.yaml").write_text("chart: 1\n")
    with pytest.raises(InvalidManifest, match="not a release's coordinates"):
        client.list()


def test_a_chart_that_renders_differently_each_time_is_refused_with_the_template(client, tmp_path):
    chart = tmp_path / "rnd"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: rnd\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text('Version: ""\nBuild: ""\n')
    template = chart / "templates" / "c.yaml"

    def drawn(text):
        lane = '{{ printf "%s-%s" .Values.Version .Values.Build }}'
        template.write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: rnd-{lane}\n  labels:\n    app: rnd-{lane}\n"
            f"    sidelane.dev/lane: {lane}\n    sidelane.dev/version: {{{{ .Values.Version }}}}\n"
            f"    sidelane.dev/build: {{{{ .Values.Build | quote }}}}\ndata:\n  drawn: {text}\n"
        )

    drawn("{{ randAlphaNum 12 | quote }}")
    with pytest.raises(Refused, match=r"renders differently each time: rnd/templates/c\.yaml") as refused:
        client.install(chart, "coco-1")
    assert "randAlphaNum" in refused.value.remedy
    assert client.list() == ()
    drawn("{{ now | quote }}")
    with pytest.raises(Refused, match=r"renders differently each time: rnd/templates/c\.yaml"):
        client.install(chart, "coco-1")
    drawn('{{ "not drawn now" | quote }}')
    assert client.install(chart, "coco-1").change == "created"
    assert client.install(chart, "coco-1").change == "unchanged"
    (before,) = client.verify("rnd-coco-1")
    for text in ("{{ randAlphaNum 12 | quote }}", "{{ now | quote }}"):
        drawn(text)
        with pytest.raises(Refused, match=r"renders differently each time: rnd/templates/c\.yaml"):
            client.upgrade(chart, "coco-1")
        assert client.verify("rnd-coco-1") == (before,)
