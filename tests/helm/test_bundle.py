"""Bundles: the same bytes for the same lane, nothing but what was written, and no secret unless it is asked for."""

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from sidelane import Client
from sidelane.errors import (
    ChartNotFound,
    InvalidInput,
    InvalidValues,
    Refused,
    ReleaseConflict,
    ReleaseNotFound,
)
from sidelane.lanes.bundle import archives
from sidelane.support import harmless

ZOOKEEPER = Path(__file__).parents[2] / "charts" / "zookeeper"


def client_of(root, helm, **settings):
    return Client(namespace="streams", directory=root, helm=helm, **settings)


@pytest.fixture
def client(helm, tmp_path):
    return client_of(tmp_path / "root", helm)


def content(root):
    """Every file but the record, which says when and where."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in ("record.json", "chart.yaml", ".lock")
    }


def small(folder, template, values="Version: ''\nBuild: ''\n"):
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text(values)
    lane = "{{ .Values.Version }}-{{ .Values.Build }}"
    (folder / "templates" / "c.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: small-{lane}\n  labels:\n    app: small-{lane}\n"
        "    sidelane.dev/version: {{ .Values.Version }}\n    sidelane.dev/build: {{ .Values.Build | quote }}\n"
        f"    sidelane.dev/lane: {lane}\ndata:\n  it: {template}\n"
    )
    return folder


def test_a_lane_is_made_again_from_its_bundle_alone(client, helm, tmp_path):
    chart = tmp_path / "tree" / "small"
    small(chart, '{{ .Files.Get "it.txt" | quote }}')
    (chart / "it.txt").write_text("ünïcode\n")
    (chart / ".helmignore").write_text("junk\n")
    (chart / "junk").write_text("not a part of it")
    client.install("zookeeper", "coco-1", values={"replicas": 5})
    client.install(chart, "coco-1")
    made = client.bundle("coco-1", tmp_path / "coco-1.tar.gz", charts=[chart])
    assert [release.name for release in made.releases] == ["zookeeper-coco-1", "small-coco-1"]
    (chart / "junk").write_text("nor is this")  # it has another digest now, but the record's is not the bundle's matter
    shutil.rmtree(tmp_path / "tree")
    again = client_of(tmp_path / "again", helm)
    done = again.replay(tmp_path / "coco-1.tar.gz")
    assert [release.change for release in done.releases] == ["created", "created"]
    assert content(tmp_path / "again") == content(tmp_path / "root")
    assert done.to_json()["releases"][0]["digest"] == made.to_json()["releases"][0]["digest"]
    assert again.record("small", "coco-1").objects == client.record("small", "coco-1").objects
    assert [release.change for release in again.replay(tmp_path / "coco-1.tar.gz").releases] == [
        "unchanged",
        "unchanged",
    ]
    # Bundled again from there it is the same, but for the records.
    packages = [release.chart for release in archives.read(tmp_path / "coco-1.tar.gz").releases]
    with tarfile.open(fileobj=io.BytesIO(packages[1])) as archive:
        assert "small/junk" not in archive.getnames()


def test_the_same_lane_gives_the_same_bytes(client, tmp_path):
    client.install("zookeeper", "coco-1")
    first, second = tmp_path / "1.tar.gz", tmp_path / "2.tar.gz"
    assert client.bundle("coco-1", first).digest == client.bundle("coco-1", second).digest
    assert first.read_bytes() == second.read_bytes()
    made = subprocess.run(["sha256sum", first], capture_output=True, text=True, check=True).stdout
    assert archives.read(first).digest == f"sha256:{made.split()[0]}"


def test_into_another_namespace(client, helm, tmp_path):
    client.install("zookeeper", "coco-1")
    client.bundle("coco-1", tmp_path / "b.tar.gz")
    Client(directory=tmp_path / "root", helm=helm).replay(tmp_path / "b.tar.gz")  # the bundle's own
    elsewhere = Client(namespace="other", directory=tmp_path / "other", helm=helm)
    elsewhere.replay(tmp_path / "b.tar.gz")
    assert [release.namespace for release in elsewhere.list()] == ["other"]
    assert b"zk-hs-coco-1.other.svc" in (tmp_path / "other/other/zookeeper-coco-1/manifest.yaml").read_bytes()


def test_what_could_not_be_made_again_is_not_bundled(client, tmp_path, monkeypatch):
    async def installs_it_all_the_same(*_):
        pass

    monkeypatch.setattr("sidelane.releases.installing._require_steady", installs_it_all_the_same)
    chart = small(tmp_path / "small", "{{ randAlphaNum 20 }}")
    client.install(chart, "coco-1")
    with pytest.raises(
        Refused, match=r"(?s)small 0\.1\.0, rendered .* gives different objects for small-coco-1.*data\.it"
    ):
        client.bundle("coco-1", tmp_path / "b.tar.gz", charts=[chart])
    assert not (tmp_path / "b.tar.gz").exists()


def test_the_chart_has_to_be_the_one_that_was_deployed(client, tmp_path):
    chart = small(tmp_path / "small", "same")
    client.install(chart, "coco-1")
    with pytest.raises(ChartNotFound, match="is missing"):
        client.bundle("coco-1", tmp_path / "b.tar.gz")
    (chart / "NOTES.md").write_text("renders the same")
    with pytest.raises(ChartNotFound, match="differs from the one"):
        client.bundle("coco-1", tmp_path / "b.tar.gz", charts=[chart])
    with pytest.raises(ReleaseNotFound):
        client.bundle("coco-2", tmp_path / "b.tar.gz")


def test_secrets_are_bundled_only_when_it_is_said(helm, tmp_path):
    chart = small(tmp_path / "small", "{{ .Values.password | b64enc }}", "Version: ''\nBuild: ''\npassword: ''\n")
    writes = client_of(tmp_path / "root", helm, allow_secrets=True)
    writes.install(chart, "coco-1", values={"password": "hunter2"})
    with pytest.raises(Refused, match="has the secret value password"):
        client_of(tmp_path / "root", helm).bundle("coco-1", tmp_path / "b.tar.gz", charts=[chart])
    writes.bundle("coco-1", tmp_path / "b.tar.gz", charts=[chart])
    with pytest.raises(Refused, match="has the secret value password"):
        client_of(tmp_path / "again", helm).replay(tmp_path / "b.tar.gz")
    client_of(tmp_path / "again", helm, allow_secrets=True).replay(tmp_path / "b.tar.gz")


@pytest.fixture(scope="module")
def bundled(helm, tmp_path_factory):
    """A directory with a lane, and its bundle."""
    folder = tmp_path_factory.mktemp("bundled")
    client = client_of(folder / "root", helm)
    client.install("zookeeper", "coco-1")
    client.bundle("coco-1", folder / "b.tar.gz")
    return folder


@pytest.fixture
def made(bundled, tmp_path):
    """The bundle of a lane that is in the client's directory."""
    return shutil.copytree(bundled, tmp_path, dirs_exist_ok=True) / "b.tar.gz"


def rewritten(path, change):
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}
    change(files)
    path.write_bytes(archives.packed(files))


def other_values(files):
    files["releases/zookeeper-coco-1/values.json"] = b'{"Version": "coco", "Build": "1", "replicas": 7}'


def one_more(files):
    files["../../evil"] = b"x"


def another_kind(files):
    files["bundle.json"] = files["bundle.json"].replace(b"LaneBundle", b"LaneBungle")


@pytest.mark.parametrize("change", [other_values, one_more, another_kind, dict.clear])
def test_what_is_not_as_it_was_written_is_refused(made, client, change):
    rewritten(made, change)
    with pytest.raises(InvalidInput, match="is not a bundle, or is damaged"):
        client.replay(made)


IMAGE = {"image": {"repository": "acme/svc1", "tag": "1.4.0"}}


def test_routes_of_a_lane_are_made_again_as_routes(client, helm, tmp_path):
    client.install("service", "coco-1", name="svc1", service_version="v1", values=IMAGE)
    client.routes.set("svc1", "coco-1", {"v1": 1})
    client.install("service", "coco-1", name="svc1", service_version="v2", values=IMAGE)
    client.routes.set("svc1", "coco-1", {"v1": 90, "v2": 10}, mode="istio")
    file = tmp_path / "coco-1.tar.gz"
    made = client.bundle("coco-1", file)
    assert [each.name for each in made.releases][-1] == "route-svc1-coco-1", "what it leads to comes first"
    again = client_of(tmp_path / "again", helm)
    done = again.replay(file)
    assert {each.change for each in done.releases} == {"created"}
    assert [each["digest"] for each in done.to_json()["releases"]] == [
        each["digest"] for each in made.to_json()["releases"]
    ]
    one, other = (root / "streams" / "route-svc1-coco-1" for root in (tmp_path / "root", tmp_path / "again"))
    assert (one / "manifest.yaml").read_bytes() == (other / "manifest.yaml").read_bytes()
    assert not (other / "record.json").exists()
    assert again.diff("coco-1", str(file)).same
    (change,) = again.routes.history("svc1", "coco-1")
    assert (change.leads, change.context) == ("v1=90, v2=10", "replayed from a bundle")
    assert {each.change for each in again.replay(file).releases} == {"unchanged"}

    # It is a route as any other, and what was changed since is not set back.
    again.routes.set("svc1", "coco-1", {"v2": 100})
    assert {each.state for each in again.verify(lane="coco-1")} == {"unchanged"}
    with pytest.raises(ReleaseConflict, match="route-svc1-coco-1 exists and differs from the bundle's"):
        again.replay(file)
    assert str(again.routes.show("svc1", "coco-1").route.split) == "v2=100"


@pytest.mark.parametrize(
    "content",
    [b"", b"x", gzip.compress(b"x"), gzip.compress(b"\0" * 2048)],
    ids=["empty", "text", "no-archive", "nothing-in-it"],  # gzip writes the time
)
def test_what_is_no_archive_is_refused(client, tmp_path, content):
    (tmp_path / "b.tar.gz").write_bytes(content)
    with pytest.raises(InvalidInput, match="is not a bundle"):
        client.replay(tmp_path / "b.tar.gz")


def test_an_archive_cut_short_or_of_great_size_is_refused(made, client, tmp_path):
    whole = made.read_bytes()
    made.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="is not a bundle"):
        client.replay(made)
    member = tarfile.TarInfo("bundle.json")
    member.size = 60 * 1024 * 1024
    with tarfile.open(made, "w:gz", compresslevel=1) as archive:
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(InvalidInput, match="is not a bundle"):
        client.replay(made)
    with pytest.raises(InvalidInput, match="can't be read"):
        client.replay(tmp_path / "none.tar.gz")


def test_a_helm_that_renders_otherwise_is_told(made, client, helm, tmp_path):
    """As if the bundle were of another Helm: its manifest says what that one made."""

    def change(files):
        name = "releases/zookeeper-coco-1/manifest.yaml"
        files[name] = files[name].replace(b"replicas: 3", b"replicas: 4")
        index = json.loads(files["bundle.json"])
        index["files"][name] = archives._digest(files[name])
        index["helm"] = "2.0.0"
        files["bundle.json"] = json.dumps(index).encode()

    rewritten(made, change)
    again = client_of(tmp_path / "again", helm)
    with pytest.raises(Refused, match=r"(?s)\(Helm 2\.0\.0 made the bundle\) gives different.*spec\.replicas: 4 → 3"):
        again.replay(made)
    assert again.list() == ()


def written(path, files, **index):
    """A bundle of these files whose digests are right."""
    about = {
        "apiVersion": archives.API_VERSION,
        "kind": archives.KIND,
        "lane": {"Version": "coco", "Build": "1"},
        "namespace": "streams",
        "kubernetes": "v1.36.0",
        "apiVersions": [],
        "helm": "4.2.4",
        "releases": [],
        "files": {name: archives._digest(content) for name, content in files.items()},
        **index,
    }
    path.write_bytes(archives.packed({"bundle.json": json.dumps(about).encode(), **files}))
    return path


DEEP = b'{"a":' * 200_000 + b"1" + b"}" * 200_000
ONE = {"releases": [{"name": "x-coco-1", "chart": "c.tgz"}]}
PARTS = {"c.tgz": b"", "releases/x-coco-1/manifest.yaml": b""}


def with_values(values):
    return {"releases/x-coco-1/values.json": values, **PARTS}


def many_members(path):
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for number in range(10_001):
            archive.addfile(tarfile.TarInfo(str(number)))


#: A gzip file may be several, one after the other: a small one many times is much in a few bytes, and quickly made.
TIMES, SMALL = 21, 10 * 2**20


def great_header(path):
    """A name of a member that is larger than a bundle may be, in a few bytes."""
    size = TIMES * SMALL + len("220200976 path=\n")
    member = tarfile.TarInfo("././@PaxHeader")
    member.type, member.size = tarfile.XHDTYPE, size
    begin = gzip.compress(member.tobuf(tarfile.USTAR_FORMAT) + f"{size} path=".encode())
    path.write_bytes(begin + gzip.compress(b"x" * SMALL, 1) * TIMES + gzip.compress(b"\n" + bytes(1024)))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.write_bytes(archives.packed({"bundle.json": DEEP})), "its JSON is nested too deep"),
        (lambda path: written(path, with_values(DEEP), **ONE), "its JSON is nested too deep"),
        (many_members, "it holds more than 10000 files"),
        (great_header, "it holds more than 200 MiB"),
        (lambda path: path.write_bytes(gzip.compress(bytes(SMALL), 1) * TIMES), "it holds more than 200 MiB"),
        (lambda path: path.write_bytes(gzip.compress(b"x" * 4096)[:-20] + b"x" * 12), "or is damaged"),
        (lambda path: written(path, {}, releases=[{"name": "x" * 5_000_000}]), "is not the name of a release"),
        (lambda path: written(path, {}, releases=[{"name": "x\x1b[2J"}]), "is not the name of a release"),
        (lambda path: written(path, {}, releases=[[]]), "or is damaged"),
        (lambda path: written(path, {}, lane=[]), "or is damaged"),
        (lambda path: written(path, {"k" * 5_000_000: b""}, releases={"k" * 5_000_000: 1}), "or is damaged"),
    ],
)
def test_hostile_bundles_are_refused_at_once_and_in_few_words(tmp_path, make, problem):
    make(tmp_path / "b.tar.gz")
    with pytest.raises(InvalidInput, match=f"b.tar.gz' is not a bundle.*{problem}") as error:
        archives.read(tmp_path / "b.tar.gz")
    assert len(str(error.value)) < 500
    assert not any(harmless.obeyed(char) for char in str(error.value))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (b'{"a": NaN}', "releases/x-coco-1/values.json: a: nan is not a number in JSON"),
        (b'{"a": 12e4567}', "releases/x-coco-1/values.json: a: inf is not a number in JSON"),
        (b'{"a": 9007199254740993}', "a: 9007199254740993 has digits that Helm would change"),
        (b'{"' + b"k" * 5_000_000 + b'": NaN}', "k… "),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "is nested more than 100 levels deep"),
    ],
)
def test_values_of_a_bundle_are_held_to_the_same_as_others(tmp_path, values, problem):
    file = written(tmp_path / "b.tar.gz", with_values(values), **ONE)
    with pytest.raises(InvalidValues) as error:
        archives.read(file)
    assert problem in str(error.value)
    assert len(str(error.value)) < 1000


def test_a_key_of_five_megabytes_is_not_told_whole(made, client, helm, tmp_path):
    def change(files):
        name = "releases/zookeeper-coco-1/values.json"
        values = {**json.loads(files[name]), "k" * 5_000_000: "x"}
        files[name] = json.dumps(values).encode()
        index = json.loads(files["bundle.json"])
        index["files"][name] = archives._digest(files[name])
        files["bundle.json"] = json.dumps(index).encode()

    rewritten(made, change)
    with pytest.raises(InvalidValues, match="the key has more than 1000 bytes") as error:
        client_of(tmp_path / "again", helm).replay(made)
    assert len(str(error.value)) < 1000
