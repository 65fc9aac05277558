"""The directory target under a hostile or careless hand: every edit is found, and only plain files are used."""

import os
import shutil

import pytest
from sidelane import Client, kubeyaml
from sidelane.errors import Refused
from sidelane.kubeyaml.writer import dump

NAME = "svc1-v1-coco-1"
VALUES = {"image": {"repository": "acme/svc1", "tag": "1.4.0"}}
ROUTED = {"name": "svc1", "service_version": "v1", "values": VALUES}


@pytest.fixture(scope="module")
def written(tmp_path_factory, helm):
    root = tmp_path_factory.mktemp("written")
    client = Client(namespace="streams", directory=root, helm=helm)
    client.install("service", "coco-1", **ROUTED)
    client.routes.set("svc1", "coco-1", {"v1": 1})
    return root


@pytest.fixture
def root(written, tmp_path):
    return shutil.copytree(written, tmp_path / "root")


@pytest.fixture
def client(root, helm):
    return Client(namespace="streams", directory=root, helm=helm)


@pytest.fixture
def folder(root):
    return root / "streams" / NAME


def everything(root):
    """All that is under a root, and what is where links lead."""
    return {
        str(path): path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        for path in root.rglob("*")
        if path.name != ".lock"
    }


def edited(path, change):
    data = kubeyaml.read(path.read_text())
    change(data)
    path.write_text(dump(data))


EDITS = {
    "images": ("kustomization.yaml", lambda data: data.update(images=[{"name": "acme/svc1", "newName": "evil"}])),
    "patches": ("kustomization.yaml", lambda data: data.update(patches=[{"path": "p.yaml"}])),
    "resources": ("kustomization.yaml", lambda data: data["resources"].append("https://evil.example/x.yaml")),
    "namespace": ("kustomization.yaml", lambda data: data.update(namespace="other")),
    "chart": ("chart.yaml", lambda data: data["chart"].update(version="9.9.9")),
    "digest": ("chart.yaml", lambda data: data["chart"].update(digest="sha256:" + "0" * 64)),
    "lane": ("chart.yaml", lambda data: data["lane"].update(Build="2")),
    "needs": ("chart.yaml", lambda data: data.update(needs=["pipeline-coco-1"])),
}


@pytest.mark.parametrize(("name", "change"), EDITS.values(), ids=EDITS)
def test_an_edit_of_any_file_is_found(client, folder, name, change):
    assert [result.state for result in client.verify(NAME)] == ["unchanged"]
    edited(folder / name, change)
    (result,) = client.verify(NAME)
    assert result.state == "changed"
    assert all(line.startswith(f"{name}: ") for line in result.changed)


def test_values_and_manifest_that_were_edited_together_are_found(client, folder):
    edited(folder / "values.yaml", lambda data: data.update(replicas=5, drainSeconds=7))
    manifest = folder / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("replicas: 2", "replicas: 5").replace("seconds: 5", "seconds: 7"))
    (result,) = client.verify(NAME)
    assert "values: drainSeconds: 5 → 7" in result.changed
    assert "Deployment.apps/streams/svc1-v1-coco-1 is changed" in result.changed


def test_a_file_more_or_less_and_an_object_twice_or_elsewhere_are_found(client, folder):
    (folder / "patch.yaml").write_text("a: 1\n")
    assert client.verify(NAME)[0].changed == ("the file patch.yaml is not Sidelane's",)
    (folder / "patch.yaml").unlink()
    manifest = folder / "manifest.yaml"
    text, hooks = manifest.read_text(), (folder / "hooks.yaml").read_text()
    first = text.split("---\n")[1]
    manifest.write_text(f"---\n{first.replace('coco-1-', 'coco-1-')}---\n{text}")
    assert any("more than once" in line for line in client.verify(NAME)[0].changed)
    manifest.write_text(text + hooks)
    (folder / "hooks.yaml").unlink()
    assert any("is in manifest.yaml" in line for line in client.verify(NAME)[0].changed)
    manifest.write_text(text)
    (folder / "hooks.yaml").write_text(hooks)
    (folder / "kustomization.yaml").unlink()
    assert client.verify(NAME)[0].changed == ("the file kustomization.yaml is missing",)


def linked(path, outside):
    original = outside / path.name
    shutil.move(path, original)
    path.symlink_to(original)


def piped(path, outside):
    path.unlink()
    os.mkfifo(path)


def a_folder(path, outside):
    path.unlink()
    path.mkdir()


VERBS = {
    "verify": lambda client: client.verify(NAME),
    "status": lambda client: client.status(NAME),
    "install": lambda client: client.install("service", "coco-1", **ROUTED),
    "upgrade": lambda client: client.upgrade(
        "service", "coco-1", **{**ROUTED, "values": {**VALUES, "replicas": 3}}
    ),
    "uninstall": lambda client: client.uninstall(NAME),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("how", [linked, piped, a_folder])
def test_what_is_no_plain_file_is_refused_before_anything_changes(client, root, folder, tmp_path, how, verb):
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("values.yaml", "manifest.yaml"):
        how(folder / name, outside)
        before = everything(tmp_path)
        with pytest.raises(Refused, match="is not a plain file"):
            VERBS[verb](client)
        assert everything(tmp_path) == before


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("place", ["streams", f"streams/{NAME}"])
def test_a_folder_that_is_a_link_is_refused_before_anything_changes(client, root, tmp_path, place, verb):
    outside = tmp_path / "outside"
    outside.mkdir()
    linked(root / place, outside)
    before = everything(tmp_path)
    with pytest.raises(Refused, match="is not a folder"):
        VERBS[verb](client)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("how", [linked, piped, a_folder])
def test_the_lock_and_the_routes_history_are_plain_files_too(client, root, tmp_path, how):
    outside = tmp_path / "outside"
    outside.mkdir()
    how(root / ".lock", outside)
    before = everything(tmp_path)
    with pytest.raises(Refused, match=r"\.lock' is not a plain file"):
        client.uninstall(NAME)
    assert everything(tmp_path) == before
    how(root / "streams" / ".routes" / "route-svc1-coco-1.yaml", outside)
    with pytest.raises(Refused, match="is not a plain file"):
        client.routes.history("svc1", "coco-1")
